namespace IoTGuard.Wire.Tunnels;

/// <summary>What carries the packet that a view shows: the encapsulation next to it.</summary>
public enum TunnelKind : byte
{
    /// <summary>The packet stands in its frame without encapsulation.</summary>
    None,

    /// <summary>MPLS label stack (RFC 3032) or pseudowire over it (RFC 4448); the id is the bottom label.</summary>
    Mpls,

    /// <summary>PPPoE session (RFC 2516); the id is the session's.</summary>
    Pppoe,

    /// <summary>802.1ah backbone service instance; the id is the I-SID.</summary>
    BackboneBridge,

    /// <summary>MACsec (802.1AE) with integrity only; the id is 0.</summary>
    Macsec,

    /// <summary>GRE (RFC 2784, RFC 2890); the id is the key.</summary>
    Gre,

    /// <summary>GRE version 1 with PPP (PPTP, RFC 2637); the id is the call's.</summary>
    Pptp,

    /// <summary>NVGRE (RFC 7637); the id is the virtual subnet's.</summary>
    Nvgre,

    /// <summary>ERSPAN type I, II or III: a mirror over GRE; the id is the session's.</summary>
    Erspan,

    /// <summary>VXLAN (RFC 7348); the id is the VNI.</summary>
    Vxlan,

    /// <summary>VXLAN GPE (draft-ietf-nvo3-vxlan-gpe); the id is the VNI.</summary>
    VxlanGpe,

    /// <summary>Geneve (RFC 8926); the id is the VNI.</summary>
    Geneve,

    /// <summary>GTP-U (3GPP TS 29.281); the id is the TEID.</summary>
    GtpUser,

    /// <summary>IPv4 in IP (RFC 2003, RFC 2473).</summary>
    Ipv4InIp,

    /// <summary>IPv6 in IP: 6in4 and 6to4 (RFC 4213, RFC 3056), IPv6 in IPv6 (RFC 2473).</summary>
    Ipv6InIp,

    /// <summary>Teredo (RFC 4380).</summary>
    Teredo,

    /// <summary>L2TP version 2 (RFC 2661); the id is tunnel and session in 16 bits each.</summary>
    L2tp,

    /// <summary>L2TP version 3 (RFC 3931) over IP or UDP; the id is the session's.</summary>
    L2tpV3,

    /// <summary>TZSP: a mirror of wireless access points and routers.</summary>
    Tzsp,

    /// <summary>Ethernet in IP: EtherIP (RFC 3378) and IP protocol 143 (RFC 8986).</summary>
    EthernetInIp,

    /// <summary>CAPWAP data (RFC 5415) with 802.3 frames, or with 802.11 frames in the clear.</summary>
    Capwap,
}

/// <summary>Names of encapsulations.</summary>
public static class TunnelKinds
{
    /// <summary>Number of kinds, <see cref="TunnelKind.None"/> among them.</summary>
    public const int Count = (int)TunnelKind.Capwap + 1;

    /// <summary>The encapsulation's name for people.</summary>
    public static string NameOf(TunnelKind kind) => kind switch
    {
        TunnelKind.Mpls => "MPLS",
        TunnelKind.Pppoe => "PPPoE",
        TunnelKind.BackboneBridge => "802.1ah",
        TunnelKind.Macsec => "MACsec",
        TunnelKind.Gre => "GRE",
        TunnelKind.Pptp => "PPTP",
        TunnelKind.Nvgre => "NVGRE",
        TunnelKind.Erspan => "ERSPAN",
        TunnelKind.Vxlan => "VXLAN",
        TunnelKind.VxlanGpe => "VXLAN-GPE",
        TunnelKind.Geneve => "Geneve",
        TunnelKind.GtpUser => "GTP-U",
        TunnelKind.Ipv4InIp => "IPv4 in IP",
        TunnelKind.Ipv6InIp => "IPv6 in IP",
        TunnelKind.Teredo => "Teredo",
        TunnelKind.L2tp => "L2TP",
        TunnelKind.L2tpV3 => "L2TPv3",
        TunnelKind.Tzsp => "TZSP",
        TunnelKind.EthernetInIp => "Ethernet in IP",
        TunnelKind.Capwap => "CAPWAP",
        _ => "none",
    };

    /// <summary>
    /// True when the tunnel's id names a virtual network, the same in both directions. Keys, labels, TEIDs and sessions of other kinds may
    /// differ between the directions of one conversation.
    /// </summary>
    public static bool HasVirtualNetwork(TunnelKind kind) =>
        kind is TunnelKind.Vxlan or TunnelKind.VxlanGpe or TunnelKind.Geneve or TunnelKind.Nvgre or TunnelKind.BackboneBridge;
}
