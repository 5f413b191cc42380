using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace IoTGuard.Wire.Application.Dns;

/// <summary>What a message is for (RFC 1035, 4.1.1; RFC 1996; RFC 2136; NetBIOS: RFC 1002, 4.2.1.1).</summary>
public enum DnsOpcode : byte
{
    Query = 0,
    InverseQuery = 1,
    Status = 2,
    Notify = 4,

    /// <summary>A dynamic update; in NetBIOS the registration of a name.</summary>
    Update = 5,

    /// <summary>NetBIOS: the release of a name.</summary>
    Release = 6,

    /// <summary>NetBIOS: wait.</summary>
    Wait = 7,

    /// <summary>NetBIOS: the refresh of a name.</summary>
    Refresh = 8,
}

/// <summary>Types of records, those that are looked into (IANA registry of DNS parameters).</summary>
public enum DnsType : ushort
{
    A = 1,
    Ns = 2,
    Cname = 5,
    Soa = 6,
    Null = 10,
    Ptr = 12,
    Mx = 15,
    Txt = 16,
    Key = 25,
    Aaaa = 28,

    /// <summary>NetBIOS general name service.</summary>
    NetBios = 32,

    /// <summary>Service location; in NetBIOS the status of a node.</summary>
    Srv = 33,
    Dname = 39,

    /// <summary>EDNS (RFC 6891).</summary>
    Opt = 41,
    Https = 65,
    Ixfr = 251,
    Axfr = 252,
    Any = 255,

    /// <summary>Private use; tunnels like it.</summary>
    Private = 65399,
}

/// <summary>The header of a message, 12 bytes (RFC 1035, 4.1.1).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public readonly struct DnsHeader
{
    /// <summary>Bytes of a header.</summary>
    public const int Size = 12;

    private readonly BigEndian16 _id;
    private readonly BigEndian16 _flags;
    private readonly BigEndian16 _questions;
    private readonly BigEndian16 _answers;
    private readonly BigEndian16 _authorities;
    private readonly BigEndian16 _additionals;

    public ushort Id => _id;

    public bool IsResponse => (_flags & 0x8000) != 0;

    public DnsOpcode Opcode => (DnsOpcode)((_flags >> 11) & 15);

    /// <summary>AA.</summary>
    public bool IsAuthoritative => (_flags & 0x0400) != 0;

    /// <summary>TC.</summary>
    public bool IsTruncated => (_flags & 0x0200) != 0;

    /// <summary>RD.</summary>
    public bool RecursionDesired => (_flags & 0x0100) != 0;

    /// <summary>RA.</summary>
    public bool RecursionAvailable => (_flags & 0x0080) != 0;

    /// <summary>The bit that must be zero (RFC 1035; the two beside it became AD and CD). NetBIOS and LLMNR use it otherwise.</summary>
    public bool ReservedBit => (_flags & 0x0040) != 0;

    /// <summary>NetBIOS: sent to all (RFC 1002, 4.2.1.1).</summary>
    public bool IsBroadcast => (_flags & 0x0010) != 0;

    /// <summary>RCODE.</summary>
    public byte ResponseCode => (byte)(_flags & 15);

    public ushort Questions => _questions;

    public ushort Answers => _answers;

    public ushort Authorities => _authorities;

    public ushort Additionals => _additionals;

    /// <summary>Records of the three sections behind the questions.</summary>
    public int Records => Answers + Authorities + Additionals;

    /// <summary>Reads a header; false when there are fewer than <see cref="Size"/> bytes.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out DnsHeader header) => MemoryMarshal.TryRead(message, out header);
}

/// <summary>Type and class of a question (RFC 1035, 4.1.2).</summary>
public readonly record struct DnsQuestion(DnsType Type, ushort Class)
{
    /// <summary>The class Internet; the top bit is mDNS's own (RFC 6762, 5.4).</summary>
    public bool IsInternet => (Class & 0x7FFF) == 1;
}

/// <summary>A resource record but its name (RFC 1035, 4.1.3). The data lie in the message.</summary>
/// <param name="Type">TYPE.</param>
/// <param name="Class">CLASS; for <see cref="DnsType.Opt"/> the size of datagrams that the sender takes.</param>
/// <param name="TimeToLive">TTL in seconds.</param>
/// <param name="DataOffset">Where RDATA start in the message.</param>
/// <param name="DataLength">RDLENGTH, in bytes.</param>
public readonly record struct DnsRecord(DnsType Type, ushort Class, uint TimeToLive, int DataOffset, int DataLength);

/// <summary>Walks over a message. Holds no bytes of its own; the span it was given must outlive it.</summary>
public ref struct DnsReader(ReadOnlySpan<byte> message)
{
    private const int FixedQuestion = 4;
    private const int FixedRecord = 10;
    private readonly ReadOnlySpan<byte> _message = message;

    /// <summary>Where the next question or record starts.</summary>
    public int Offset { get; private set; } = DnsHeader.Size;

    /// <summary>The next question with its name, see <see cref="DnsName.TryRead"/>. False when it is not valid or not all there.</summary>
    public bool TryReadQuestion(scoped Span<byte> name, out int nameLength, out DnsQuestion question)
    {
        question = default;
        var at = Offset;
        if (!DnsName.TryRead(_message, ref at, name, out nameLength) || at + FixedQuestion > _message.Length)
            return false;
        question = new((DnsType)BinaryPrimitives.ReadUInt16BigEndian(_message[at..]), BinaryPrimitives.ReadUInt16BigEndian(_message[(at + 2)..]));
        Offset = at + FixedQuestion;
        return true;
    }

    /// <summary>Passes over a question.</summary>
    public bool TrySkipQuestion(out DnsQuestion question)
    {
        question = default;
        var at = Offset;
        if (!DnsName.TrySkip(_message, ref at) || at + FixedQuestion > _message.Length)
            return false;
        question = new((DnsType)BinaryPrimitives.ReadUInt16BigEndian(_message[at..]), BinaryPrimitives.ReadUInt16BigEndian(_message[(at + 2)..]));
        Offset = at + FixedQuestion;
        return true;
    }

    /// <summary>The next record; its name starts at <paramref name="nameOffset"/>. False when it is not valid or not all there.</summary>
    public bool TryReadRecord(out int nameOffset, out DnsRecord record)
    {
        record = default;
        nameOffset = Offset;
        var at = Offset;
        if (!DnsName.TrySkip(_message, ref at) || at + FixedRecord > _message.Length)
            return false;
        var length = BinaryPrimitives.ReadUInt16BigEndian(_message[(at + 8)..]);
        var data = at + FixedRecord;
        if (data + length > _message.Length)
            return false;
        record = new(
            (DnsType)BinaryPrimitives.ReadUInt16BigEndian(_message[at..]),
            BinaryPrimitives.ReadUInt16BigEndian(_message[(at + 2)..]),
            BinaryPrimitives.ReadUInt32BigEndian(_message[(at + 4)..]),
            data,
            length);
        Offset = data + length;
        return true;
    }
}
