using System.Buffers.Binary;
using System.Runtime.InteropServices;
using IoTGuard.Wire.Link;
using IoTGuard.Wire.Network;

namespace IoTGuard.Wire.Application.Dhcp;

/// <summary>DHCP message types (RFC 2132, 9.6).</summary>
public enum DhcpMessageType : byte
{
    /// <summary>BOOTP without the option.</summary>
    None = 0,
    Discover = 1,
    Offer,
    Request,
    Decline,
    Ack,
    Nak,
    Release,
    Inform,
    ForceRenew,
}

/// <summary>Options that are looked into (RFC 2132, RFC 4702).</summary>
public static class DhcpOption
{
    public const byte Pad = 0;
    public const byte Router = 3;
    public const byte DnsServer = 6;
    public const byte HostName = 12;
    public const byte DomainName = 15;
    public const byte RequestedAddress = 50;
    public const byte LeaseTime = 51;
    public const byte MessageType = 53;
    public const byte ServerIdentifier = 54;
    public const byte ParameterList = 55;
    public const byte VendorClass = 60;
    public const byte FullyQualifiedName = 81;
    public const byte WebProxy = 252;
    public const byte End = 255;
}

/// <summary>The fixed part of a message with its magic cookie, 240 bytes (RFC 2131, 2).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public readonly struct DhcpHeader
{
    /// <summary>Bytes of the fixed part, cookie included.</summary>
    public const int Size = 240;

    /// <summary>What the options begin with.</summary>
    public const uint MagicCookie = 0x63825363;

    /// <summary>Longest hardware address.</summary>
    private const int MaximumHardware = 16;

    public readonly byte Operation;
    public readonly byte HardwareType;
    public readonly byte HardwareLength;
    public readonly byte Hops;
    public readonly BigEndian32 TransactionId;
    public readonly BigEndian16 Seconds;
    public readonly BigEndian16 Flags;
    private readonly BigEndian32 _client;
    private readonly BigEndian32 _your;
    private readonly BigEndian32 _server;
    private readonly BigEndian32 _relay;
    private readonly MacField _hardware;

    /// <summary>Op 2: sent by a server or relay.</summary>
    public bool IsReply => Operation == 2;

    /// <summary>ciaddr.</summary>
    public IpAddress Client => IpAddress.FromIpv4(_client);

    /// <summary>yiaddr.</summary>
    public IpAddress Your => IpAddress.FromIpv4(_your);

    /// <summary>giaddr.</summary>
    public IpAddress Relay => IpAddress.FromIpv4(_relay);

    /// <summary>chaddr when it is a MAC address, else none.</summary>
    public MacAddress Hardware => HardwareLength == 6 ? _hardware.Address : default;

    /// <summary>Reads the fixed part; false when the bytes are no DHCP message.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out DhcpHeader header)
    {
        header = default;
        if (message.Length < Size || message[0] is not (1 or 2) || message[2] > MaximumHardware
            || BinaryPrimitives.ReadUInt32BigEndian(message[(Size - 4)..]) != MagicCookie)
            return false;
        header = MemoryMarshal.Read<DhcpHeader>(message);
        return true;
    }
}

/// <summary>Walks over options of DHCP: a code, a length, data (RFC 2132, 2). Ends at the end option or at what does not fit.</summary>
public ref struct DhcpOptionReader(ReadOnlySpan<byte> options)
{
    private ReadOnlySpan<byte> _rest = options;

    /// <summary>True when the options ended as they must; false before, or when one goes beyond the message.</summary>
    public bool HasEnded { get; private set; }

    public bool TryRead(out byte code, out ReadOnlySpan<byte> data)
    {
        code = 0;
        data = default;
        _rest = _rest.TrimStart(DhcpOption.Pad);
        if (_rest.IsEmpty || _rest[0] == DhcpOption.End)
        {
            HasEnded = true;
            return false;
        }

        if (_rest.Length < 2 || _rest.Length < 2 + _rest[1])
            return false;
        code = _rest[0];
        data = _rest.Slice(2, _rest[1]);
        _rest = _rest[(2 + data.Length)..];
        return true;
    }
}

/// <summary>Walks over options of DHCPv6: two bytes of code, two of length, data (RFC 8415, 21.1).</summary>
public ref struct Dhcpv6OptionReader(ReadOnlySpan<byte> options)
{
    private const int HeadSize = 4;
    private ReadOnlySpan<byte> _rest = options;

    /// <summary>True when nothing is left.</summary>
    public readonly bool HasEnded => _rest.IsEmpty;

    public bool TryRead(out ushort code, out ReadOnlySpan<byte> data)
    {
        code = 0;
        data = default;
        if (_rest.Length < HeadSize)
            return false;
        var length = BinaryPrimitives.ReadUInt16BigEndian(_rest[2..]);
        if (_rest.Length < HeadSize + length)
            return false;
        code = BinaryPrimitives.ReadUInt16BigEndian(_rest);
        data = _rest.Slice(HeadSize, length);
        _rest = _rest[(HeadSize + length)..];
        return true;
    }
}
