using System.Buffers.Binary;

namespace IoTGuard.Wire.Application.Tls;

/// <summary>The header of a DTLSPlaintext or DTLSCiphertext record (RFC 6347 4.1).</summary>
/// <param name="Type">ContentType.</param>
/// <param name="Version">Its version, which counts downwards.</param>
/// <param name="Epoch">0 until ChangeCipherSpec: above, records are encrypted.</param>
/// <param name="Length">Bytes of the fragment after the header.</param>
public readonly record struct DtlsRecordHeader(TlsContentType Type, ushort Version, ushort Epoch, ushort Length)
{
    /// <summary>Bytes of a header.</summary>
    public const int Size = 13;

    /// <summary>What OpenSSL sent before 0.9.8f for version 1.0.</summary>
    public const ushort VersionOld = 0x0100;
    public const ushort Version10 = 0xFEFF;
    public const ushort Version12 = 0xFEFD;
    public const ushort Version13 = 0xFEFC;

    /// <summary>ContentType of a record with a connection id (RFC 9146 4); its header has another form.</summary>
    private const TlsContentType WithConnectionId = (TlsContentType)25;

    /// <summary>True for a version of DTLS. They count downwards.</summary>
    public static bool IsVersion(ushort version) => version is Version10 or Version12 or Version13;

    /// <summary>True for the header of encrypted records of DTLS 1.3 (RFC 9147 4): it begins with the bits 001.</summary>
    public static bool IsUnified(byte first) => (first & 0xE0) == 0x20;

    /// <summary>Reads a header; false when type, version or length are not those of a record that lies in the bytes.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out DtlsRecordHeader header)
    {
        header = default;
        if (bytes.Length < Size)
            return false;
        header = new DtlsRecordHeader(
            (TlsContentType)bytes[0], BinaryPrimitives.ReadUInt16BigEndian(bytes[1..]), BinaryPrimitives.ReadUInt16BigEndian(bytes[3..]), BinaryPrimitives.ReadUInt16BigEndian(bytes[11..]));
        return header.Type is >= TlsContentType.ChangeCipherSpec and < WithConnectionId && header.Version is VersionOld or Version10 or Version12
            && header.Length is > 0 and <= TlsRecordHeader.MaximumLength && header.Length <= bytes.Length - Size;
    }
}

/// <summary>A fragment of a handshake message (RFC 6347 4.2.2).</summary>
/// <param name="Type">HandshakeType.</param>
/// <param name="Length">Bytes of the whole message.</param>
/// <param name="Sequence">Number of the message.</param>
/// <param name="Offset">Where the fragment belongs in it.</param>
/// <param name="FragmentLength">Bytes of the fragment.</param>
public readonly record struct DtlsFragmentHeader(TlsHandshakeType Type, int Length, ushort Sequence, int Offset, int FragmentLength)
{
    /// <summary>Bytes of a header.</summary>
    public const int Size = 12;

    /// <summary>Reads a header; false when the fragment does not fit its message or the bytes.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out DtlsFragmentHeader header)
    {
        header = default;
        if (bytes.Length < Size)
            return false;
        header = new DtlsFragmentHeader((TlsHandshakeType)bytes[0], Length24(bytes[1..]), BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]), Length24(bytes[6..]), Length24(bytes[9..]));
        return header.Offset + header.FragmentLength <= header.Length && header.FragmentLength <= bytes.Length - Size;
    }

    private static int Length24(ReadOnlySpan<byte> bytes) => (bytes[0] << 16) | (bytes[1] << 8) | bytes[2];
}
