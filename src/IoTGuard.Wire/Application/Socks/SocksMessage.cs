using System.Buffers.Binary;
using IoTGuard.Wire.Network;

namespace IoTGuard.Wire.Application.Socks;

/// <summary>Whether the bytes hold a message.</summary>
public enum SocksRead : byte
{
    Done,
    NeedsMore,
    Invalid,
}

/// <summary>A request or reply of SOCKS 5 (RFC 1928 4, 6) or SOCKS 4 and 4a: a code, and an address or a name with a port. Points into the bytes.</summary>
public readonly ref struct SocksMessage
{
    /// <summary>Longest text of a SOCKS 4 request, bytes: a user's name, or that of the target.</summary>
    public const int MaximumText = 255;

    private const int Version4 = 4;
    private const int Version5 = 5;
    private const int Version4Size = 8;

    private SocksMessage(int version, int code, IpAddress address, ReadOnlySpan<byte> name, ushort port, bool hasUser, int length)
    {
        Version = version;
        Code = code;
        Address = address;
        Name = name;
        Port = port;
        HasUser = hasUser;
        Length = length;
    }

    public int Version { get; }

    /// <summary>Of a request its command, of a reply its outcome.</summary>
    public int Code { get; }

    /// <summary>The address; none when there is a <see cref="Name"/>.</summary>
    public IpAddress Address { get; }

    public ReadOnlySpan<byte> Name { get; }

    public ushort Port { get; }

    /// <summary>Of a SOCKS 4 request, whether it names a user.</summary>
    public bool HasUser { get; }

    /// <summary>Bytes of the message.</summary>
    public int Length { get; }

    /// <summary>Reads a request.</summary>
    public static SocksRead ReadRequest(ReadOnlySpan<byte> bytes, out SocksMessage request)
    {
        request = default;
        if (bytes.IsEmpty)
            return SocksRead.NeedsMore;
        return bytes[0] == Version5 ? Read5(bytes, out request) : bytes[0] == Version4 ? ReadRequest4(bytes, out request) : SocksRead.Invalid;
    }

    /// <summary>Reads a reply; one of SOCKS 4 begins with 0.</summary>
    public static SocksRead ReadReply(ReadOnlySpan<byte> bytes, out SocksMessage reply)
    {
        reply = default;
        if (bytes.IsEmpty)
            return SocksRead.NeedsMore;
        if (bytes[0] != 0)
            return bytes[0] == Version5 ? Read5(bytes, out reply) : SocksRead.Invalid;
        if (bytes.Length < Version4Size)
            return SocksRead.NeedsMore;
        reply = new SocksMessage(Version4, bytes[1], IpAddress.ReadIpv4(bytes.Slice(4, 4)), default, BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]), hasUser: false, Version4Size);
        return SocksRead.Done;
    }

    private static SocksRead Read5(ReadOnlySpan<byte> bytes, out SocksMessage message)
    {
        const int head = 4;
        const byte address4 = 1;
        const byte name = 3;
        const byte address6 = 4;
        message = default;
        if (bytes.Length <= head)
            return SocksRead.NeedsMore;
        if (bytes[2] != 0)
            return SocksRead.Invalid;
        var at = bytes[3] == name ? head + 1 : head;
        var size = bytes[3] switch { address4 => 4, address6 => 16, name => bytes[head], _ => 0 };
        if (size == 0)
            return SocksRead.Invalid;
        if (bytes.Length < at + size + 2)
            return SocksRead.NeedsMore;
        var target = bytes.Slice(at, size);
        message = new SocksMessage(
            Version5, bytes[1], bytes[3] switch { address4 => IpAddress.ReadIpv4(target), address6 => IpAddress.ReadIpv6(target), _ => default }, bytes[3] == name ? target : default,
            BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + size)..]), hasUser: false, at + size + 2);
        return SocksRead.Done;
    }

    private static SocksRead ReadRequest4(ReadOnlySpan<byte> bytes, out SocksMessage request)
    {
        request = default;
        if (bytes.Length <= Version4Size)
            return SocksRead.NeedsMore;
        var user = bytes[Version4Size..].IndexOf((byte)0);
        if (user < 0)
            return bytes.Length > Version4Size + MaximumText ? SocksRead.Invalid : SocksRead.NeedsMore;
        var length = Version4Size + user + 1;
        var name = ReadOnlySpan<byte>.Empty;

        // SOCKS 4a: the address 0.0.0.x says that a name follows the user.
        var isNamed = bytes[4] == 0 && bytes[5] == 0 && bytes[6] == 0 && bytes[7] != 0;
        if (isNamed)
        {
            var end = bytes[length..].IndexOf((byte)0);
            if (end < 0)
                return bytes.Length > length + MaximumText ? SocksRead.Invalid : SocksRead.NeedsMore;
            name = bytes.Slice(length, end);
            length += end + 1;
        }

        request = new SocksMessage(
            Version4, bytes[1], isNamed ? default : IpAddress.ReadIpv4(bytes.Slice(4, 4)), name, BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]), user > 0, length);
        return SocksRead.Done;
    }
}
