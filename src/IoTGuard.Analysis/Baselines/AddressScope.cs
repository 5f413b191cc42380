using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Baselines;

/// <summary>Addresses that share their first bits.</summary>
/// <param name="Prefix">Address whose first bits count.</param>
/// <param name="Length">Number of these bits, 0 to 128; for IPv4 counted in its mapped form (/24 is 120).</param>
public readonly record struct AddressPrefix(IpAddress Prefix, int Length)
{
    /// <summary>Parses "10.0.0.0/8" or "fd00::/8".</summary>
    public static bool TryParse(string text, out AddressPrefix prefix)
    {
        prefix = default;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (!IpAddress.TryParse(slash < 0 ? text : text[..slash], out var address))
            return false;
        var width = address.IsIpv4 ? 32 : 128;
        var length = width;
        if (slash >= 0 && (!int.TryParse(text.AsSpan(slash + 1), out length) || length < 0 || length > width))
            return false;
        prefix = new AddressPrefix(address, length + 128 - width);
        return true;
    }

    public bool Contains(IpAddress address)
    {
        if (Length <= 64)
            return Length == 0 || (address.High ^ Prefix.High) >> (64 - Length) == 0;
        return address.High == Prefix.High && (address.Low ^ Prefix.Low) >> (128 - Length) == 0;
    }

    public override string ToString() => $"{Prefix}/{(Prefix.IsIpv4 ? Length - 96 : Length)}";
}

/// <summary>Which addresses belong to the site: private ones (RFC 1918, RFC 6598, RFC 4193, link-local), and what the site adds.</summary>
public sealed class AddressScope(IReadOnlyList<AddressPrefix> inside)
{
    private readonly AddressPrefix[] _inside = [.. inside];

    /// <summary>True for an address of the site.</summary>
    public bool IsInside(IpAddress address)
    {
        foreach (var prefix in _inside)
        {
            if (prefix.Contains(address))
                return true;
        }

        return IsPrivate(address);
    }

    /// <summary>True for a unicast address outside of the site.</summary>
    public bool IsOutside(IpAddress address) => IsHost(address) && !IsInside(address);

    /// <summary>True when the address can be one host's: not unspecified, multicast or the limited broadcast.</summary>
    public static bool IsHost(IpAddress address)
    {
        if (address.IsIpv4)
            return address.Ipv4 >> 24 is > 0 and < 224;
        return address.High >> 56 != 0xFF && (address.High | address.Low) != 0;
    }

    /// <summary>The network that an outside address is known by: its /24, or its /48.</summary>
    public static IpAddress NetworkOf(IpAddress address) =>
        address.IsIpv4 ? new IpAddress(address.High, address.Low & ~0xFFul) : new IpAddress(address.High & ~0xFFFFul, 0);

    private static bool IsPrivate(IpAddress address)
    {
        if (!address.IsIpv4)
            return address.High >> 57 == 0xFC >> 1 || address.High >> 54 == 0xFE80 >> 6 || (address.High == 0 && address.Low == 1);
        var v4 = address.Ipv4;
        return v4 >> 24 is 10 or 127 || v4 >> 20 == 0xAC1 || v4 >> 16 is 0xC0A8 or 0xA9FE || v4 >> 22 == 0x6440_0000 >> 22;
    }
}
