using IoTGuard.Wire.Network;

namespace IoTGuard.Wire.Application.Dns;

/// <summary>Names that stand for addresses (RFC 1035, 3.5; RFC 3596, 2.5).</summary>
public static class DnsReverse
{
    private const int NibbleTextLength = 63;

    /// <summary>The address that "4.3.2.1.in-addr.arpa" or 32 nibbles before "ip6.arpa" stand for; false for all other names.</summary>
    public static bool TryRead(ReadOnlySpan<byte> name, out IpAddress address)
    {
        address = default;
        if (name.EndsWith(".in-addr.arpa"u8))
            return TryReadIpv4(name[..^13], out address);
        if (!name.EndsWith(".ip6.arpa"u8) || name.Length != NibbleTextLength + 9)
            return false;
        ulong high = 0, low = 0;
        for (var i = 0; i < 32; i++)
        {
            var digit = name[2 * i] switch
            {
                >= (byte)'0' and <= (byte)'9' and var d => d - '0',
                >= (byte)'a' and <= (byte)'f' and var d => d - 'a' + 10,
                _ => -1,
            };
            if (digit < 0 || (i < 31 && name[(2 * i) + 1] != '.'))
                return false;
            if (i < 16)
                low |= (ulong)digit << (4 * i);
            else
                high |= (ulong)digit << (4 * (i - 16));
        }

        address = new IpAddress(high, low);
        return true;
    }

    private static bool TryReadIpv4(ReadOnlySpan<byte> text, out IpAddress address)
    {
        address = default;
        uint value = 0;
        var octets = 0;
        foreach (var part in text.Split((byte)'.'))
        {
            if (octets == 4 || !System.Buffers.Text.Utf8Parser.TryParse(text[part], out byte octet, out var used) || used != text[part].Length)
                return false;
            value |= (uint)octet << (8 * octets++);
        }

        if (octets != 4)
            return false;
        address = IpAddress.FromIpv4(value);
        return true;
    }
}
