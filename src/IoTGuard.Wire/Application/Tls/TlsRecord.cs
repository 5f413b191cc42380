using System.Buffers.Binary;

namespace IoTGuard.Wire.Application.Tls;

/// <summary>Content types of records (RFC 8446 5.1).</summary>
public enum TlsContentType : byte
{
    ChangeCipherSpec = 20,
    Alert = 21,
    Handshake = 22,
    ApplicationData = 23,
    Heartbeat = 24,
}

/// <summary>The header of a TLSPlaintext or TLSCiphertext record (RFC 8446 5.1, 5.2).</summary>
/// <param name="Type">ContentType.</param>
/// <param name="Version">legacy_record_version.</param>
/// <param name="Length">Bytes of the fragment after the header.</param>
public readonly record struct TlsRecordHeader(TlsContentType Type, ushort Version, ushort Length)
{
    /// <summary>Bytes of a header.</summary>
    public const int Size = 5;

    /// <summary>Longest fragment: 2^14 and 2048 for what old versions' compression and padding add (RFC 5246 6.2.3).</summary>
    public const int MaximumLength = (1 << 14) + 2048;

    /// <summary>True when type, version and length are those of a record.</summary>
    public bool IsPlausible => Type is >= TlsContentType.ChangeCipherSpec and <= TlsContentType.Heartbeat && Version is >= 0x0300 and <= 0x0304 && Length <= MaximumLength;

    /// <summary>Reads a header; <paramref name="bytes"/> holds at least <see cref="Size"/>.</summary>
    public static TlsRecordHeader Read(ReadOnlySpan<byte> bytes) =>
        new((TlsContentType)bytes[0], BinaryPrimitives.ReadUInt16BigEndian(bytes[1..]), BinaryPrimitives.ReadUInt16BigEndian(bytes[3..]));
}

/// <summary>Types of handshake messages (RFC 8446 4, RFC 5246 7.4).</summary>
public enum TlsHandshakeType : byte
{
    HelloRequest = 0,
    ClientHello = 1,
    ServerHello = 2,
    NewSessionTicket = 4,
    EncryptedExtensions = 8,
    Certificate = 11,
    ServerKeyExchange = 12,
    CertificateRequest = 13,
    ServerHelloDone = 14,
    CertificateVerify = 15,
    ClientKeyExchange = 16,
    Finished = 20,
    CertificateStatus = 22,
}

/// <summary>The header of a handshake message (RFC 8446 4).</summary>
/// <param name="Type">HandshakeType.</param>
/// <param name="Length">Bytes after the header.</param>
public readonly record struct TlsHandshakeHeader(TlsHandshakeType Type, int Length)
{
    /// <summary>Bytes of a header.</summary>
    public const int Size = 4;

    /// <summary>True for the types that the standards know.</summary>
    public bool IsKnown => Type is TlsHandshakeType.HelloRequest or TlsHandshakeType.ClientHello or TlsHandshakeType.ServerHello
        or >= (TlsHandshakeType)3 and <= (TlsHandshakeType)5 or TlsHandshakeType.EncryptedExtensions
        or >= TlsHandshakeType.Certificate and <= TlsHandshakeType.ClientKeyExchange or >= TlsHandshakeType.Finished and <= (TlsHandshakeType)25 or (TlsHandshakeType)67;

    /// <summary>Reads a header; <paramref name="bytes"/> holds at least <see cref="Size"/>.</summary>
    public static TlsHandshakeHeader Read(ReadOnlySpan<byte> bytes) => new((TlsHandshakeType)bytes[0], (bytes[1] << 16) | (bytes[2] << 8) | bytes[3]);
}
