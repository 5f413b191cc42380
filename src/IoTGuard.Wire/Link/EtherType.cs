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

    /// <summary>True for headers that carry a further packet which is not followed.</summary>
    public static bool IsTunnel(ushort etherType) => etherType is
        0x8847 or 0x8848 // MPLS unicast and multicast, RFC 3032
        or 0x8864 // PPPoE session, RFC 2516
        or 0x22F3 // TRILL, RFC 6325
        or 0x894F // NSH, RFC 8300
        or 0x6558 // transparent Ethernet bridging, RFC 1701
        or 0x88E5 // MACsec, IEEE 802.1AE
        or 0x88E7; // provider backbone bridging, IEEE 802.1ah
}
