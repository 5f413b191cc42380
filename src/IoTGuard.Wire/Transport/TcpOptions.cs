using System.Buffers.Binary;

namespace IoTGuard.Wire.Transport;

/// <summary>TCP option kinds (IANA) that are read.</summary>
public enum TcpOptionKind : byte
{
    EndOfList = 0,
    NoOperation = 1,
    MaximumSegmentSize = 2,
    WindowScale = 3,
    SackPermitted = 4,
    Sack = 5,
    Timestamps = 8,
}

/// <summary>One TCP option: its kind and what follows the length byte.</summary>
public readonly ref struct TcpOption(TcpOptionKind kind, ReadOnlySpan<byte> value)
{
    public TcpOptionKind Kind { get; } = kind;

    /// <summary>The bytes behind kind and length.</summary>
    public ReadOnlySpan<byte> Value { get; } = value;

    /// <summary>Maximum segment size in bytes (RFC 9293, 3.7.1).</summary>
    public bool TryGetMaximumSegmentSize(out ushort bytes)
    {
        bytes = 0;
        return Kind == TcpOptionKind.MaximumSegmentSize && Value.Length == 2 && BinaryPrimitives.TryReadUInt16BigEndian(Value, out bytes);
    }

    /// <summary>Window shift count; more than 14 counts as 14 (RFC 7323, 2.3).</summary>
    public bool TryGetWindowScale(out byte shift)
    {
        shift = 0;
        if (Kind != TcpOptionKind.WindowScale || Value.Length != 1)
            return false;
        shift = Math.Min(Value[0], (byte)14);
        return true;
    }

    /// <summary>Timestamp value and echo reply (RFC 7323, 3.2).</summary>
    public bool TryGetTimestamps(out uint value, out uint echoReply)
    {
        value = echoReply = 0;
        if (Kind != TcpOptionKind.Timestamps || Value.Length != 8)
            return false;
        value = BinaryPrimitives.ReadUInt32BigEndian(Value);
        echoReply = BinaryPrimitives.ReadUInt32BigEndian(Value[4..]);
        return true;
    }

    /// <summary>Number of blocks in a SACK option (RFC 2018, 3); 0 for other options.</summary>
    public int SackBlocks => Kind == TcpOptionKind.Sack ? Value.Length / 8 : 0;

    /// <summary>Left and right edge of one SACK block.</summary>
    public (uint Left, uint Right) GetSackBlock(int index)
    {
        var block = Value.Slice(8 * index, 8);
        return (BinaryPrimitives.ReadUInt32BigEndian(block), BinaryPrimitives.ReadUInt32BigEndian(block[4..]));
    }
}

/// <summary>
/// The options of a TCP header in their order, for <c>foreach</c>. Bounded: every step takes at least one byte, and an option whose
/// length is 0, 1 or beyond the header ends the list. No-operation is skipped.
/// </summary>
public ref struct TcpOptionReader
{
    private ReadOnlySpan<byte> _rest;

    /// <summary>Reads the bytes behind the fixed TCP header.</summary>
    public TcpOptionReader(ReadOnlySpan<byte> options) => _rest = options;

    /// <summary>Reads the options of a decoded packet; none when it is not TCP.</summary>
    public static TcpOptionReader Of(ReadOnlySpan<byte> frame, in PacketView view) =>
        new(frame.Slice(view.TcpOptionsOffset, view.TcpOptionsLength));

    public TcpOption Current { get; private set; }

    /// <summary>True when the list ended at an option that cannot be (length 0, 1, or beyond the header).</summary>
    public bool IsMalformed { get; private set; }

    public readonly TcpOptionReader GetEnumerator() => this;

    /// <summary>Steps to the next option; false at the end of the list.</summary>
    public bool MoveNext()
    {
        var rest = _rest.TrimStart((byte)TcpOptionKind.NoOperation);
        _rest = default;
        if (rest.IsEmpty || rest[0] == (byte)TcpOptionKind.EndOfList)
            return false;
        if (rest.Length < 2 || rest[1] < 2 || rest[1] > rest.Length)
        {
            IsMalformed = true;
            return false;
        }

        Current = new TcpOption((TcpOptionKind)rest[0], rest[2..rest[1]]);
        _rest = rest[rest[1]..];
        return true;
    }
}
