namespace IoTGuard.Wire.Link;

/// <summary>EtherTypes (IEEE 802 numbers) that the decoder tells apart.</summary>
public static class EtherType
{
    /// <summary>The lowest EtherType; smaller values in its place are IEEE 802.3 lengths (802.3, 3.2.6).</summary>
    public const ushort Lowest = 0x0600;

    /// <summary>The largest IEEE 802.3 length in bytes.</summary>
    public const ushort LargestLength = 1500;

    public const ushort Ipv4 = 0x0800;
    public const ushort Arp = 0x0806;
    public const ushort Ipv6 = 0x86DD;

    /// <summary>IEEE 802.1Q customer tag.</summary>
    public const ushort CustomerVlan = 0x8100;

    /// <summary>IEEE 802.1ad service tag.</summary>
    public const ushort ServiceVlan = 0x88A8;

    /// <summary>Service tag as devices before 802.1ad write it.</summary>
    public const ushort OldServiceVlan = 0x9100;

    /// <summary>MPLS, RFC 3032.</summary>
    public const ushort Mpls = 0x8847;

    /// <summary>MPLS with an upstream-assigned or multicast label, RFC 5332.</summary>
    public const ushort MplsMulticast = 0x8848;

    /// <summary>PPPoE session, RFC 2516.</summary>
    public const ushort PppoeSession = 0x8864;

    /// <summary>A whole Ethernet frame, in tunnels (RFC 1701).</summary>
    public const ushort TransparentEthernet = 0x6558;

    /// <summary>MACsec, IEEE 802.1AE.</summary>
    public const ushort Macsec = 0x88E5;

    /// <summary>Service instance tag of provider backbone bridges, IEEE 802.1ah.</summary>
    public const ushort BackboneServiceInstance = 0x88E7;

    /// <summary>Network service header, RFC 8300.</summary>
    public const ushort ServiceHeader = 0x894F;

    /// <summary>True for headers that carry a further packet.</summary>
    public static bool IsTunnel(ushort etherType) => etherType is
        Mpls or MplsMulticast or PppoeSession or TransparentEthernet or Macsec or BackboneServiceInstance or ServiceHeader
        or 0x22F3; // TRILL, RFC 6325
}
