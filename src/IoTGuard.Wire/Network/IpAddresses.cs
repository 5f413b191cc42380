namespace IoTGuard.Wire.Network;

/// <summary>Kinds of addresses.</summary>
public static class IpAddresses
{
    /// <summary>True for multicast and for the limited broadcast (RFC 1112, RFC 919, RFC 4291 2.7).</summary>
    public static bool IsGroup(IpAddress address) => address.IsIpv4 ? address.Ipv4 >> 28 == 0xE || address.Ipv4 == uint.MaxValue : address.High >> 56 == 0xFF;

    /// <summary>True for addresses that no network of the Internet has: RFC 1918, RFC 6598, RFC 3927, RFC 4193, link-local.</summary>
    public static bool IsPrivate(IpAddress address)
    {
        if (!address.IsIpv4)
            return address.High >> 57 == 0xFC >> 1 || address.High >> 54 == 0xFE80 >> 6;
        var v4 = address.Ipv4;
        return v4 >> 24 == 10 || v4 >> 20 == 0xAC1 || v4 >> 16 is 0xC0A8 or 0xA9FE || v4 >> 22 == 0x6440_0000 >> 22;
    }
}
