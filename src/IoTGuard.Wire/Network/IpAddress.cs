using System.Buffers.Binary;
using System.Net;

namespace IoTGuard.Wire.Network;

/// <summary>An IPv4 or IPv6 address as a value of 16 bytes; IPv4 is held in its mapped form ::ffff:a.b.c.d (RFC 4291, 2.5.5.2).</summary>
/// <param name="High">The first eight bytes, as a big-endian number.</param>
/// <param name="Low">The last eight bytes, as a big-endian number.</param>
public readonly record struct IpAddress(ulong High, ulong Low) : IComparable<IpAddress>
{
    private const ulong MappedPrefix = 0x0000_FFFF_0000_0000;

    /// <summary>True for an IPv4 address.</summary>
    public bool IsIpv4 => High == 0 && (Low >> 32) == 0xFFFF;

    /// <summary>The IPv4 address as a number; meaningful only when <see cref="IsIpv4"/>.</summary>
    public uint Ipv4 => (uint)Low;

    /// <summary>Makes an IPv4 address from its number (the first octet is the highest).</summary>
    public static IpAddress FromIpv4(uint address) => new(0, MappedPrefix | address);

    /// <summary>Reads 4 bytes in network order.</summary>
    public static IpAddress ReadIpv4(ReadOnlySpan<byte> bytes) => FromIpv4(BinaryPrimitives.ReadUInt32BigEndian(bytes));

    /// <summary>Reads 16 bytes in network order.</summary>
    public static IpAddress ReadIpv6(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));

    /// <summary>Parses the usual text forms.</summary>
    public static bool TryParse(string text, out IpAddress address)
    {
        if (!IPAddress.TryParse(text, out var parsed))
        {
            address = default;
            return false;
        }

        Span<byte> bytes = stackalloc byte[16];
        parsed.TryWriteBytes(bytes, out var written);
        address = written == 4 ? ReadIpv4(bytes) : ReadIpv6(bytes);
        return true;
    }

    /// <summary>Writes the address in network order: 4 bytes for IPv4, 16 for IPv6. Returns the number of bytes.</summary>
    public int Write(Span<byte> destination)
    {
        if (IsIpv4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(destination, Ipv4);
            return 4;
        }

        BinaryPrimitives.WriteUInt64BigEndian(destination, High);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], Low);
        return 16;
    }

    /// <inheritdoc/>
    public int CompareTo(IpAddress other)
    {
        var high = High.CompareTo(other.High);
        return high != 0 ? high : Low.CompareTo(other.Low);
    }

    /// <summary>Longest text of an address, in characters.</summary>
    public const int MaximumTextLength = 39;

    /// <summary>Writes dotted decimal for IPv4, the text of RFC 5952 for IPv6. Returns the number of characters, at most <see cref="MaximumTextLength"/>.</summary>
    public int Format(Span<char> text)
    {
        var length = 0;
        if (IsIpv4)
        {
            for (var shift = 24; shift >= 0; shift -= 8)
            {
                Append(text, ref length, (byte)(Ipv4 >> shift), "D");
                if (shift > 0)
                    text[length++] = '.';
            }

            return length;
        }

        var (zerosStart, zerosLength) = LongestZeroRun();
        for (var i = 0; i < 8; i++)
        {
            if (i == zerosStart)
            {
                "::".CopyTo(text[length..]);
                length += 2;
                i += zerosLength - 1;
                continue;
            }

            if (i > 0 && i != zerosStart + zerosLength)
                text[length++] = ':';
            Append(text, ref length, Group(i), "x");
        }

        return length;
    }

    /// <summary>The text of <see cref="Format"/>.</summary>
    public override string ToString()
    {
        Span<char> text = stackalloc char[MaximumTextLength];
        return text[..Format(text)].ToString();
    }

    private static void Append(Span<char> text, ref int length, ushort number, string format)
    {
        number.TryFormat(text[length..], out var written, format, System.Globalization.CultureInfo.InvariantCulture);
        length += written;
    }

    private ushort Group(int index) => (ushort)((index < 4 ? High : Low) >> (48 - (16 * (index & 3))));

    /// <summary>RFC 5952, 4.2: the first of the longest runs of two or more zero groups is shortened; (-1, 0) when there is none.</summary>
    private (int Start, int Length) LongestZeroRun()
    {
        var (bestStart, bestLength) = (-1, 1);
        for (int i = 0, run = 0; i < 8; i++)
        {
            run = Group(i) == 0 ? run + 1 : 0;
            if (run > bestLength)
                (bestStart, bestLength) = (i - run + 1, run);
        }

        return bestStart < 0 ? (-1, 0) : (bestStart, bestLength);
    }

    public static bool operator <(IpAddress left, IpAddress right) => left.CompareTo(right) < 0;

    public static bool operator >(IpAddress left, IpAddress right) => left.CompareTo(right) > 0;

    public static bool operator <=(IpAddress left, IpAddress right) => left.CompareTo(right) <= 0;

    public static bool operator >=(IpAddress left, IpAddress right) => left.CompareTo(right) >= 0;
}
