namespace IoTGuard.Wire;

/// <summary>Link-layer header types, by their LINKTYPE_ number as written in capture files.</summary>
public enum LinkType : ushort
{
    /// <summary>BSD loopback: a 4-byte address family in the byte order of the writing machine.</summary>
    Null = 0,

    /// <summary>IEEE 802.3 Ethernet.</summary>
    Ethernet = 1,

    /// <summary>Raw IP as some older writers number it.</summary>
    RawBsd = 12,

    /// <summary>Raw IP as OpenBSD numbers it.</summary>
    RawOpenBsd = 14,

    /// <summary>Raw IPv4 or IPv6, told apart by the version nibble.</summary>
    Raw = 101,

    /// <summary>OpenBSD loopback: a 4-byte address family in network byte order.</summary>
    Loop = 108,

    /// <summary>Linux cooked capture, version 1 (16-byte header).</summary>
    LinuxSll = 113,

    /// <summary>Raw IPv4.</summary>
    Ipv4 = 228,

    /// <summary>Raw IPv6.</summary>
    Ipv6 = 229,

    /// <summary>Linux cooked capture, version 2 (20-byte header).</summary>
    LinuxSll2 = 276,
}
