using System.Buffers.Binary;

namespace IoTGuard.Wire.Application.Tls;

/// <summary>A ClientHello (RFC 8446 4.1.2, RFC 5246 7.4.1.2). Points into the message.</summary>
public readonly ref struct TlsClientHello
{
    private const int FixedLength = 2 + 32 + 1;

    private TlsClientHello(ushort version, ReadOnlySpan<byte> sessionId, ReadOnlySpan<byte> cipherSuites, ReadOnlySpan<byte> extensions, bool isSsl2)
    {
        Version = version;
        SessionId = sessionId;
        CipherSuites = cipherSuites;
        ExtensionBytes = extensions;
        IsSsl2 = isSsl2;
    }

    /// <summary>legacy_version, or client_version of old versions.</summary>
    public ushort Version { get; }

    public ReadOnlySpan<byte> SessionId { get; }

    /// <summary>Cipher suites, two bytes each, GREASE included; of an SSLv2 hello three bytes each.</summary>
    public ReadOnlySpan<byte> CipherSuites { get; }

    public ReadOnlySpan<byte> ExtensionBytes { get; }

    /// <summary>True for the SSLv2 form (RFC 5246 E.2).</summary>
    public bool IsSsl2 { get; }

    public TlsExtensionReader Extensions => new(ExtensionBytes);

    /// <summary>Reads the body of a ClientHello; false when it is not one. The bytes may end early inside the extensions.</summary>
    /// <param name="body">The message without its header.</param>
    /// <param name="hello">What it says.</param>
    /// <param name="hasCookie">True for DTLS, where a cookie follows the session id (RFC 6347 4.2.1); it is passed over.</param>
    public static bool TryRead(ReadOnlySpan<byte> body, out TlsClientHello hello, bool hasCookie = false)
    {
        hello = default;
        if (body.Length < FixedLength)
            return false;
        var version = BinaryPrimitives.ReadUInt16BigEndian(body);
        var at = FixedLength + body[FixedLength - 1];
        if (body[FixedLength - 1] > 32 || body.Length < at + 2)
            return false;
        var sessionId = body[FixedLength..at];
        if (hasCookie)
        {
            at += 1 + body[at];
            if (body.Length < at + 2)
                return false;
        }

        var suites = BinaryPrimitives.ReadUInt16BigEndian(body[at..]);
        at += 2;
        if (suites % 2 != 0 || body.Length < at + suites + 1)
            return false;
        var cipherSuites = body.Slice(at, suites);
        at += suites;
        at += 1 + body[at];
        if (at > body.Length)
            return false;
        var extensions = ReadOnlySpan<byte>.Empty;
        if (body.Length >= at + 2)
            extensions = body.Slice(at + 2, Math.Min(BinaryPrimitives.ReadUInt16BigEndian(body[at..]), body.Length - at - 2));
        hello = new TlsClientHello(version, sessionId, cipherSuites, extensions, isSsl2: false);
        return true;
    }

    /// <summary>Bytes of an SSLv2 record that tell whether it is a ClientHello.</summary>
    public const int Ssl2HeaderSize = 11;

    /// <summary>The length in bytes of an SSLv2 ClientHello record, its two length bytes included; 0 when the bytes are none.</summary>
    /// <param name="bytes">At least <see cref="Ssl2HeaderSize"/> bytes.</param>
    public static int Ssl2Length(ReadOnlySpan<byte> bytes)
    {
        const int clientHello = 1;
        var length = ((bytes[0] & 0x7F) << 8) | bytes[1];
        var version = BinaryPrimitives.ReadUInt16BigEndian(bytes[3..]);
        var suites = BinaryPrimitives.ReadUInt16BigEndian(bytes[5..]);
        var session = BinaryPrimitives.ReadUInt16BigEndian(bytes[7..]);
        var challenge = BinaryPrimitives.ReadUInt16BigEndian(bytes[9..]);
        return (bytes[0] & 0x80) != 0 && bytes[2] == clientHello && version is 0x0002 or (>= 0x0300 and <= 0x0303) && suites > 0 && suites % 3 == 0
            && session is 0 or 16 && challenge is >= 16 and <= 32 && length == 9 + suites + session + challenge ? 2 + length : 0;
    }

    /// <summary>Reads an SSLv2 ClientHello record that <see cref="Ssl2Length"/> knows and that is whole.</summary>
    public static TlsClientHello ReadSsl2(ReadOnlySpan<byte> record) =>
        new(BinaryPrimitives.ReadUInt16BigEndian(record[3..]), default, record.Slice(11, BinaryPrimitives.ReadUInt16BigEndian(record[5..])), default, isSsl2: true);
}

/// <summary>A ServerHello (RFC 8446 4.1.3, RFC 5246 7.4.1.3). Points into the message.</summary>
public readonly ref struct TlsServerHello
{
    private const int FixedLength = 2 + 32 + 1;

    // RFC 8446 4.1.3: the random of a HelloRetryRequest, SHA-256 of "HelloRetryRequest".
    private static ReadOnlySpan<byte> RetryRandom =>
    [
        0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91,
        0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
    ];

    private TlsServerHello(ushort version, bool isRetry, ReadOnlySpan<byte> sessionId, ushort cipherSuite, ReadOnlySpan<byte> extensions)
    {
        LegacyVersion = version;
        IsRetry = isRetry;
        SessionId = sessionId;
        CipherSuite = cipherSuite;
        ExtensionBytes = extensions;
        Version = version;
        var reader = new TlsExtensionReader(extensions);
        while (reader.Read())
        {
            if (reader.Type == TlsExtensionType.SupportedVersions && reader.Body.Length == 2)
                Version = BinaryPrimitives.ReadUInt16BigEndian(reader.Body);
        }
    }

    /// <summary>legacy_version, which old versions call server_version.</summary>
    public ushort LegacyVersion { get; }

    /// <summary>The version that is spoken: that of supported_versions, else the legacy one.</summary>
    public ushort Version { get; }

    /// <summary>True for a HelloRetryRequest.</summary>
    public bool IsRetry { get; }

    public ReadOnlySpan<byte> SessionId { get; }

    public ushort CipherSuite { get; }

    public ReadOnlySpan<byte> ExtensionBytes { get; }

    public TlsExtensionReader Extensions => new(ExtensionBytes);

    /// <summary>Reads the body of a ServerHello; false when it is not one.</summary>
    public static bool TryRead(ReadOnlySpan<byte> body, out TlsServerHello hello)
    {
        hello = default;
        if (body.Length < FixedLength)
            return false;
        var at = FixedLength + body[FixedLength - 1];
        if (body[FixedLength - 1] > 32 || body.Length < at + 3)
            return false;
        var extensions = body.Length >= at + 5
            ? body.Slice(at + 5, Math.Min(BinaryPrimitives.ReadUInt16BigEndian(body[(at + 3)..]), body.Length - at - 5))
            : [];
        hello = new TlsServerHello(
            BinaryPrimitives.ReadUInt16BigEndian(body), body.Slice(2, 32).SequenceEqual(RetryRandom), body[FixedLength..at],
            BinaryPrimitives.ReadUInt16BigEndian(body[at..]), extensions);
        return true;
    }
}
