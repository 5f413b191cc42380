using System.Buffers.Binary;

namespace IoTGuard.Wire.Application.Tls;

/// <summary>Types of extensions that are read (IANA, TLS ExtensionType Values).</summary>
public enum TlsExtensionType : ushort
{
    ServerName = 0,
    SupportedGroups = 10,
    EcPointFormats = 11,
    SignatureAlgorithms = 13,
    Alpn = 16,
    SessionTicket = 35,
    PreSharedKey = 41,
    EarlyData = 42,
    SupportedVersions = 43,
    KeyShare = 51,
    QuicTransportParameters = 57,
    EncryptedClientHello = 0xFE0D,
}

/// <summary>GREASE values (RFC 8701), which mean nothing.</summary>
public static class TlsGrease
{
    /// <summary>True for 0x0A0A, 0x1A1A, ... 0xFAFA.</summary>
    public static bool Is(ushort value) => (value & 0x0F0F) == 0x0A0A && value >> 8 == (value & 0xFF);
}

/// <summary>Walks extensions (RFC 8446 4.2). Points into the message.</summary>
public ref struct TlsExtensionReader(ReadOnlySpan<byte> extensions)
{
    private const int HeaderSize = 4;

    private ReadOnlySpan<byte> _rest = extensions;

    public TlsExtensionType Type { get; private set; }

    public ReadOnlySpan<byte> Body { get; private set; }

    /// <summary>True when the walk ended at an extension that was not whole.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Steps to the next extension; false at the end.</summary>
    public bool Read()
    {
        if (_rest.IsEmpty || IsBroken)
            return false;
        if (_rest.Length < HeaderSize || _rest.Length - HeaderSize < BinaryPrimitives.ReadUInt16BigEndian(_rest[2..]))
        {
            IsBroken = true;
            return false;
        }

        Type = (TlsExtensionType)BinaryPrimitives.ReadUInt16BigEndian(_rest);
        Body = _rest.Slice(HeaderSize, BinaryPrimitives.ReadUInt16BigEndian(_rest[2..]));
        _rest = _rest[(HeaderSize + Body.Length)..];
        return true;
    }
}

/// <summary>The contents of extensions. Empty when they are not as the standard says.</summary>
public static class TlsExtensions
{
    /// <summary>The host name of server_name (RFC 6066 3), of a client.</summary>
    public static ReadOnlySpan<byte> HostName(ReadOnlySpan<byte> body)
    {
        const int hostNameType = 0;
        if (body.Length < 5 || body[2] != hostNameType)
            return default;
        var length = BinaryPrimitives.ReadUInt16BigEndian(body[3..]);
        return length <= body.Length - 5 ? body.Slice(5, length) : default;
    }

    /// <summary>The first protocol of application_layer_protocol_negotiation (RFC 7301 3.1).</summary>
    public static ReadOnlySpan<byte> FirstProtocol(ReadOnlySpan<byte> body) =>
        body.Length >= 3 && body[2] <= body.Length - 3 ? body.Slice(3, body[2]) : default;

    /// <summary>A list of 16-bit values after its length in bytes, which takes 16 bits (supported_groups, signature_algorithms).</summary>
    public static ReadOnlySpan<byte> List16(ReadOnlySpan<byte> body)
    {
        if (body.Length < 2)
            return default;
        var length = Math.Min(BinaryPrimitives.ReadUInt16BigEndian(body), body.Length - 2);
        return body.Slice(2, length & ~1);
    }

    /// <summary>A list of bytes after its length, which takes 8 bits (ec_point_formats, supported_versions of a client).</summary>
    public static ReadOnlySpan<byte> List8(ReadOnlySpan<byte> body) => body.IsEmpty ? default : body.Slice(1, Math.Min(body[0], body.Length - 1));
}
