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

    /// <summary>RFC 5952 text for IPv6, dotted decimal for IPv4.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[16];
        var length = Write(bytes);
        return new IPAddress(bytes[..length]).ToString();
    }

    public static bool operator <(IpAddress left, IpAddress right) => left.CompareTo(right) < 0;

    public static bool operator >(IpAddress left, IpAddress right) => left.CompareTo(right) > 0;

    public static bool operator <=(IpAddress left, IpAddress right) => left.CompareTo(right) <= 0;

    public static bool operator >=(IpAddress left, IpAddress right) => left.CompareTo(right) >= 0;
}
