using System.Buffers.Binary;

namespace IoTGuard.Wire.Application.Dcerpc;

/// <summary>PDU types of connection-oriented DCERPC (C706 12.6.4).</summary>
public enum DcerpcType : byte
{
    Request = 0,
    Response = 2,
    Fault = 3,
    Bind = 11,
    BindAcknowledge = 12,
    BindReject = 13,
    AlterContext = 14,
    AlterContextResponse = 15,
    Auth3 = 16,
    Shutdown = 17,
    Cancel = 18,
    Orphaned = 19,
}

/// <summary>The header of a connection-oriented DCERPC PDU (C706 12.6.3.1).</summary>
/// <param name="Type">PTYPE.</param>
/// <param name="Flags">pfc_flags: 1 first, 2 last fragment.</param>
/// <param name="IsLittleEndian">Byte order of the sender (drep).</param>
/// <param name="Length">frag_length: bytes of the PDU, this header included.</param>
/// <param name="AuthLength">auth_length: bytes of credentials at the end.</param>
/// <param name="CallId">Pairs request and response.</param>
public readonly record struct DcerpcHeader(DcerpcType Type, byte Flags, bool IsLittleEndian, ushort Length, ushort AuthLength, uint CallId)
{
    /// <summary>Bytes of a header.</summary>
    public const int Size = 16;

    public bool IsFirst => (Flags & 1) != 0;

    public bool IsKnown => Type is DcerpcType.Request or DcerpcType.Response or DcerpcType.Fault or (>= DcerpcType.Bind and <= DcerpcType.Orphaned);

    /// <summary>Reads a header of version 5; false when it is none.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out DcerpcHeader header)
    {
        header = default;
        if (bytes.Length < Size || bytes[0] != 5 || bytes[1] > 1)
            return false;
        var little = (bytes[4] & 0x10) != 0;
        header = new DcerpcHeader(
            (DcerpcType)bytes[2], bytes[3], little, U16(bytes[8..], little), U16(bytes[10..], little),
            little ? BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]) : BinaryPrimitives.ReadUInt32BigEndian(bytes[12..]));
        return header.IsKnown && header.Length >= Size;
    }

    /// <summary>p_cont_id and opnum of a request PDU (C706 12.6.4.9), which begins at <paramref name="pdu"/>.</summary>
    public bool TryReadRequest(ReadOnlySpan<byte> pdu, out ushort context, out ushort operation)
    {
        (context, operation) = (0, 0);
        if (Type != DcerpcType.Request || pdu.Length < 24)
            return false;
        context = U16(pdu[20..], IsLittleEndian);
        operation = U16(pdu[22..], IsLittleEndian);
        return true;
    }

    /// <summary>The presentation contexts of a bind or alter_context PDU (C706 12.6.4.3).</summary>
    public DcerpcContexts Contexts(ReadOnlySpan<byte> pdu) =>
        Type is DcerpcType.Bind or DcerpcType.AlterContext && pdu.Length > 28 ? new DcerpcContexts(pdu[28..], pdu[24], IsLittleEndian) : default;

    internal static ushort U16(ReadOnlySpan<byte> bytes, bool little) =>
        little ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : BinaryPrimitives.ReadUInt16BigEndian(bytes);
}

/// <summary>Walks the p_cont_elem list of a bind: context id and interface.</summary>
public ref struct DcerpcContexts
{
    private readonly bool _little;
    private ReadOnlySpan<byte> _rest;
    private int _left;

    internal DcerpcContexts(ReadOnlySpan<byte> elements, int count, bool little)
    {
        _rest = elements;
        _left = count;
        _little = little;
    }

    /// <summary>p_cont_id of the present element.</summary>
    public ushort Id { get; private set; }

    /// <summary>The interface (abstract syntax) of the present element.</summary>
    public Guid Interface { get; private set; }

    /// <summary>Major version of the interface.</summary>
    public ushort Version { get; private set; }

    /// <summary>Goes on to the next element; false when there is none or it is cut.</summary>
    public bool MoveNext()
    {
        if (_left <= 0 || _rest.Length < 24)
            return false;
        _left--;
        Id = DcerpcHeader.U16(_rest, _little);
        Interface = new Guid(_rest.Slice(4, 16), bigEndian: !_little);
        Version = DcerpcHeader.U16(_rest[20..], _little);
        var size = 24 + (20 * _rest[2]);
        _rest = size <= _rest.Length ? _rest[size..] : default;
        return true;
    }
}
