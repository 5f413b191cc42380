using System.Buffers.Binary;

namespace IoTGuard.Wire.Application.Dicom;

/// <summary>Types of the items and sub-items of A-ASSOCIATE PDUs (PS3.8 9.3.2, 9.3.3; PS3.7 annex D).</summary>
public enum ItemType : byte
{
    ApplicationContext = 0x10,
    PresentationContextRequest = 0x20,
    PresentationContextResult = 0x21,
    AbstractSyntax = 0x30,
    TransferSyntax = 0x40,
    UserInformation = 0x50,
    MaximumLength = 0x51,
    ImplementationClass = 0x52,
    AsynchronousOperationsWindow = 0x53,
    RoleSelection = 0x54,
    ImplementationVersion = 0x55,
    ExtendedNegotiation = 0x56,
    CommonExtendedNegotiation = 0x57,
    UserIdentityRequest = 0x58,
    UserIdentityResponse = 0x59,
}

/// <summary>Walks items that each have a type, a reserved byte and a 16-bit length (PS3.8 9.3.2).</summary>
public ref struct ItemReader(ReadOnlySpan<byte> items)
{
    /// <summary>Bytes before an item's body.</summary>
    public const int HeaderSize = 4;

    private readonly ReadOnlySpan<byte> _items = items;
    private int _next;

    public ItemType Type { get; private set; }

    public ReadOnlySpan<byte> Body { get; private set; }

    /// <summary>The truncation that ended the walk early; none when all items were whole.</summary>
    public Fault Fault { get; private set; }

    /// <summary>Steps to the next item; false at the end or at a fault.</summary>
    public bool Read()
    {
        var left = _items.Length - _next;
        if (left == 0 || !Fault.IsNone)
            return false;
        if (left < HeaderSize)
        {
            Fault = new Fault(FaultKind.Truncated, Layer.Dicom, _next, HeaderSize, left);
            return false;
        }

        var length = BinaryPrimitives.ReadUInt16BigEndian(_items[(_next + 2)..]);
        if (left - HeaderSize < length)
        {
            Fault = new Fault(FaultKind.BadLength, Layer.Dicom, _next, length, left - HeaderSize);
            return false;
        }

        Type = (ItemType)_items[_next];
        Body = _items.Slice(_next + HeaderSize, length);
        _next += HeaderSize + length;
        return true;
    }
}

/// <summary>The body of an A-ASSOCIATE-RQ or A-ASSOCIATE-AC (PS3.8 9.3.2, 9.3.3), which have one layout.</summary>
public readonly ref struct AssociatePdu
{
    /// <summary>Bytes before the items.</summary>
    public const int FixedLength = 68;

    /// <summary>Bytes of an AE title field.</summary>
    public const int AeTitleLength = 16;

    private readonly ReadOnlySpan<byte> _body;

    private AssociatePdu(ReadOnlySpan<byte> body) => _body = body;

    /// <summary>Protocol-version, a bit field; version 1 is bit 0.</summary>
    public ushort ProtocolVersion => BinaryPrimitives.ReadUInt16BigEndian(_body);

    /// <summary>Called-AE-title as sent, padding included. In an accept it has no significance.</summary>
    public ReadOnlySpan<byte> CalledAe => _body.Slice(4, AeTitleLength);

    /// <summary>Calling-AE-title as sent, padding included. In an accept it has no significance.</summary>
    public ReadOnlySpan<byte> CallingAe => _body.Slice(20, AeTitleLength);

    /// <summary>True when the reserved bytes after the AE titles, which are sent as zero, are not.</summary>
    public bool HasReservedContent => _body[36..FixedLength].ContainsAnyExcept((byte)0);

    /// <summary>The variable items.</summary>
    public ItemReader Items => new(_body[FixedLength..]);

    /// <summary>A view of a body (the bytes after the PDU header); false when it is shorter than the fixed fields.</summary>
    public static bool TryRead(ReadOnlySpan<byte> body, out AssociatePdu pdu)
    {
        pdu = new AssociatePdu(body);
        return body.Length >= FixedLength;
    }
}

/// <summary>A presentation context item of a request (PS3.8 9.3.2.2) or an accept (9.3.3.2).</summary>
public readonly ref struct PresentationContext
{
    /// <summary>Bytes before the sub-items.</summary>
    public const int FixedLength = 4;

    /// <summary>Result/reason: acceptance (PS3.8 table 9-18).</summary>
    public const byte Acceptance = 0;

    private readonly ReadOnlySpan<byte> _body;

    private PresentationContext(ReadOnlySpan<byte> body) => _body = body;

    /// <summary>Presentation-context-ID, odd from 1 to 255.</summary>
    public byte Id => _body[0];

    /// <summary>Result/reason, in an accept only.</summary>
    public byte Result => _body[2];

    /// <summary>Abstract syntax (requests) and transfer syntaxes.</summary>
    public ItemReader SubItems => new(_body[FixedLength..]);

    /// <summary>A view of an item's body; false when it is too short.</summary>
    public static bool TryRead(ReadOnlySpan<byte> body, out PresentationContext context)
    {
        context = new PresentationContext(body);
        return body.Length >= FixedLength;
    }
}
