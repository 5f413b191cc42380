using System.Buffers.Binary;

namespace IoTGuard.Wire.Application.Dicom;

/// <summary>PDU types of the DICOM upper layer (PS3.8 9.3.1).</summary>
public enum PduType : byte
{
    AssociateRequest = 0x01,
    AssociateAccept = 0x02,
    AssociateReject = 0x03,
    DataTransfer = 0x04,
    ReleaseRequest = 0x05,
    ReleaseResponse = 0x06,
    Abort = 0x07,
}

/// <summary>The header that all PDUs begin with (PS3.8 9.3.1).</summary>
/// <param name="Type">PDU-type.</param>
/// <param name="Length">PDU-length: bytes after the header.</param>
public readonly record struct PduHeader(PduType Type, uint Length)
{
    /// <summary>Bytes of a header.</summary>
    public const int Size = 6;

    /// <summary>Length of A-ASSOCIATE-RJ, A-RELEASE-RQ, A-RELEASE-RP and A-ABORT (PS3.8 9.3.4 to 9.3.8).</summary>
    public const int ShortPduLength = 4;

    /// <summary>Shortest P-DATA-TF: one presentation data value with an empty fragment (PS3.8 9.3.5).</summary>
    public const int MinimumDataTransferLength = PdvHeader.Size;

    /// <summary>True for the seven types of the standard.</summary>
    public bool IsKnown => Type is >= PduType.AssociateRequest and <= PduType.Abort;

    /// <summary>Reads a header; <paramref name="bytes"/> holds at least <see cref="Size"/>.</summary>
    public static PduHeader Read(ReadOnlySpan<byte> bytes) => new((PduType)bytes[0], BinaryPrimitives.ReadUInt32BigEndian(bytes[2..]));
}

/// <summary>The header of a presentation data value item (PS3.8 9.3.5.1) with its message control header (PS3.8 E.2).</summary>
/// <param name="Length">Item-length: bytes after the length field, so two more than the fragment.</param>
/// <param name="ContextId">Presentation-context-ID.</param>
/// <param name="Control">Message control header.</param>
public readonly record struct PdvHeader(uint Length, byte ContextId, byte Control)
{
    /// <summary>Bytes of a header.</summary>
    public const int Size = 6;

    /// <summary>Bytes of <see cref="ContextId"/> and <see cref="Control"/>, which <see cref="Length"/> counts.</summary>
    public const int CountedHeaderBytes = 2;

    /// <summary>True when the fragment is of a command set, false when it is of a data set.</summary>
    public bool IsCommand => (Control & 1) != 0;

    /// <summary>True for the last fragment of its command set or data set.</summary>
    public bool IsLast => (Control & 2) != 0;

    /// <summary>Bytes of the fragment; meaningless when <see cref="Length"/> is below <see cref="CountedHeaderBytes"/>.</summary>
    public long FragmentLength => (long)Length - CountedHeaderBytes;

    /// <summary>Reads a header; <paramref name="bytes"/> holds at least <see cref="Size"/>.</summary>
    public static PdvHeader Read(ReadOnlySpan<byte> bytes) => new(BinaryPrimitives.ReadUInt32BigEndian(bytes), bytes[4], bytes[5]);
}
