using System.Buffers.Binary;
using System.Security.Cryptography;
using IoTGuard.Wire.Application.Tls;

namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// Fingerprints of hellos: JA3 and JA3S (Salesforce), JA4 and JA4S (FoxIO, technical details of JA4). Interned; null for an SSLv2 hello, and for a hello whose lists are longer
/// than <see cref="MaximumTextBytes"/> of text, which no real one has.
/// </summary>
internal static class TlsFingerprint
{
    /// <summary>Longest text that is hashed, bytes.</summary>
    public const int MaximumTextBytes = 12 * 1024;

    private const int MaximumValues = MaximumTextBytes / 5;
    private const int TruncatedHashBytes = 6;

    /// <summary>JA3: MD5 of version, suites, extensions, groups and point formats in decimal, GREASE left out.</summary>
    public static string? Ja3(TextInterner texts, in TlsClientHello hello)
    {
        if (hello.IsSsl2)
            return null;
        var text = new AsciiText(stackalloc byte[MaximumTextBytes]);
        var groups = ReadOnlySpan<byte>.Empty;
        var formats = ReadOnlySpan<byte>.Empty;
        text.AddDecimal(hello.Version);
        text.Add((byte)',');
        AddDecimals(ref text, hello.CipherSuites);
        text.Add((byte)',');
        var first = true;
        var extensions = hello.Extensions;
        while (extensions.Read())
        {
            if (TlsGrease.Is((ushort)extensions.Type))
                continue;
            if (!first)
                text.Add((byte)'-');
            first = false;
            text.AddDecimal((int)extensions.Type);
            if (extensions.Type == TlsExtensionType.SupportedGroups)
                groups = TlsExtensions.List16(extensions.Body);
            else if (extensions.Type == TlsExtensionType.EcPointFormats)
                formats = TlsExtensions.List8(extensions.Body);
        }

        text.Add((byte)',');
        AddDecimals(ref text, groups);
        text.Add((byte)',');
        for (var i = 0; i < formats.Length; i++)
        {
            if (i > 0)
                text.Add((byte)'-');
            text.AddDecimal(formats[i]);
        }

        return Md5(texts, text);
    }

    /// <summary>JA3S: MD5 of version, suite and extensions in decimal.</summary>
    public static string? Ja3s(TextInterner texts, in TlsServerHello hello)
    {
        var text = new AsciiText(stackalloc byte[MaximumTextBytes]);
        text.AddDecimal(hello.LegacyVersion);
        text.Add((byte)',');
        text.AddDecimal(hello.CipherSuite);
        text.Add((byte)',');
        var first = true;
        var extensions = hello.Extensions;
        while (extensions.Read())
        {
            if (!first)
                text.Add((byte)'-');
            first = false;
            text.AddDecimal((int)extensions.Type);
        }

        return Md5(texts, text);
    }

    /// <summary>JA4: what is offered in clear text, then the sorted suites and the sorted extensions with the signature algorithms as truncated SHA-256.</summary>
    /// <param name="transport">t for TCP, q for QUIC, d for DTLS.</param>
    public static string? Ja4(TextInterner texts, in TlsClientHello hello, byte transport)
    {
        Span<ushort> suites = stackalloc ushort[MaximumValues];
        Span<ushort> types = stackalloc ushort[MaximumValues];
        var suiteCount = 0;
        var typeCount = 0;
        var extensionCount = 0;
        var version = hello.Version;
        var hasName = false;
        var protocol = ReadOnlySpan<byte>.Empty;
        var signatures = ReadOnlySpan<byte>.Empty;
        if (hello.IsSsl2 || hello.CipherSuites.Length > 2 * MaximumValues)
            return null;
        for (var rest = hello.CipherSuites; rest.Length >= 2; rest = rest[2..])
        {
            var suite = BinaryPrimitives.ReadUInt16BigEndian(rest);
            if (!TlsGrease.Is(suite))
                suites[suiteCount++] = suite;
        }

        var extensions = hello.Extensions;
        while (extensions.Read())
        {
            if (TlsGrease.Is((ushort)extensions.Type))
                continue;
            extensionCount++;
            switch (extensions.Type)
            {
                case TlsExtensionType.ServerName:
                    hasName = true;
                    continue;
                case TlsExtensionType.Alpn:
                    protocol = TlsExtensions.FirstProtocol(extensions.Body);
                    continue;
                case TlsExtensionType.SupportedVersions:
                    version = HighestVersion(TlsExtensions.List8(extensions.Body), version);
                    break;
                case TlsExtensionType.SignatureAlgorithms:
                    signatures = TlsExtensions.List16(extensions.Body);
                    break;
            }

            if (typeCount == MaximumValues)
                return null;
            types[typeCount++] = (ushort)extensions.Type;
        }

        var result = new AsciiText(stackalloc byte[64]);
        result.Add(transport);
        result.Add(VersionCode(version));
        result.Add((byte)(hasName ? 'd' : 'i'));
        result.AddTwoDigits(suiteCount);
        result.AddTwoDigits(extensionCount);
        AddProtocol(ref result, protocol);
        result.Add((byte)'_');
        var text = new AsciiText(stackalloc byte[MaximumTextBytes]);
        suites[..suiteCount].Sort();
        AddHexList(ref text, suites[..suiteCount]);
        if (!AddHash(ref result, text))
            return null;
        result.Add((byte)'_');
        text = new AsciiText(stackalloc byte[MaximumTextBytes]);
        types[..typeCount].Sort();
        AddHexList(ref text, types[..typeCount]);
        if (!signatures.IsEmpty)
        {
            text.Add((byte)'_');
            AddHexList(ref text, signatures);
        }

        return AddHash(ref result, text) ? texts.Of(result.Bytes) : null;
    }

    /// <summary>JA4S: version, number of extensions, chosen protocol and suite in clear text, then the extensions in their order as truncated SHA-256.</summary>
    public static string? Ja4s(TextInterner texts, in TlsServerHello hello, byte transport)
    {
        var text = new AsciiText(stackalloc byte[MaximumTextBytes]);
        var count = 0;
        var protocol = ReadOnlySpan<byte>.Empty;
        var extensions = hello.Extensions;
        while (extensions.Read())
        {
            if (count++ > 0)
                text.Add((byte)',');
            text.AddHex((ushort)extensions.Type);
            if (extensions.Type == TlsExtensionType.Alpn)
                protocol = TlsExtensions.FirstProtocol(extensions.Body);
        }

        var result = new AsciiText(stackalloc byte[64]);
        result.Add(transport);
        result.Add(VersionCode(hello.Version));
        result.AddTwoDigits(count);
        AddProtocol(ref result, protocol);
        result.Add((byte)'_');
        result.AddHex(hello.CipherSuite);
        result.Add((byte)'_');
        return AddHash(ref result, text) ? texts.Of(result.Bytes) : null;
    }

    /// <summary>The MD5 of a text in hexadecimal digits, as JA3, JA3S and HASSH are written; null for a broken text.</summary>
    public static string? Md5(TextInterner texts, in AsciiText text)
    {
        if (text.IsBroken)
            return null;
        Span<byte> hash = stackalloc byte[16];
#pragma warning disable CA5351 // the fingerprints' own definition; nothing is protected by it
        MD5.HashData(text.Bytes, hash);
#pragma warning restore CA5351
        var result = new AsciiText(stackalloc byte[32]);
        result.AddHex(hash);
        return texts.Of(result.Bytes);
    }

    /// <summary>The highest version of supported_versions that is no GREASE.</summary>
    public static ushort HighestVersion(ReadOnlySpan<byte> versions, ushort otherwise)
    {
        ushort highest = 0;
        for (; versions.Length >= 2; versions = versions[2..])
        {
            var version = BinaryPrimitives.ReadUInt16BigEndian(versions);
            if (!TlsGrease.Is(version) && (highest == 0 || (DtlsRecordHeader.IsVersion(version) ? version < highest : version > highest)))
                highest = version;
        }

        return highest == 0 ? otherwise : highest;
    }

    private static void AddDecimals(ref AsciiText text, ReadOnlySpan<byte> values)
    {
        var first = true;
        for (; values.Length >= 2; values = values[2..])
        {
            var value = BinaryPrimitives.ReadUInt16BigEndian(values);
            if (TlsGrease.Is(value))
                continue;
            if (!first)
                text.Add((byte)'-');
            first = false;
            text.AddDecimal(value);
        }
    }

    private static void AddHexList(ref AsciiText text, ReadOnlySpan<ushort> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            if (i > 0)
                text.Add((byte)',');
            text.AddHex(values[i]);
        }
    }

    private static void AddHexList(ref AsciiText text, ReadOnlySpan<byte> values)
    {
        var first = true;
        for (; values.Length >= 2; values = values[2..])
        {
            var value = BinaryPrimitives.ReadUInt16BigEndian(values);
            if (TlsGrease.Is(value))
                continue;
            if (!first)
                text.Add((byte)',');
            first = false;
            text.AddHex(value);
        }
    }

    /// <summary>The first twelve digits of SHA-256; zeros for an empty text.</summary>
    private static bool AddHash(ref AsciiText result, in AsciiText text)
    {
        if (text.IsBroken)
            return false;
        Span<byte> hash = stackalloc byte[32];
        hash.Clear();
        if (!text.Bytes.IsEmpty)
            SHA256.HashData(text.Bytes, hash);
        result.AddHex(hash[..TruncatedHashBytes]);
        return true;
    }

    /// <summary>First and last character of a protocol name; of its hexadecimal form when one of them is no letter or digit; 00 when there is none.</summary>
    private static void AddProtocol(ref AsciiText result, ReadOnlySpan<byte> protocol)
    {
        if (protocol.IsEmpty)
        {
            result.Add("00"u8);
        }
        else if (char.IsAsciiLetterOrDigit((char)protocol[0]) && char.IsAsciiLetterOrDigit((char)protocol[^1]))
        {
            result.Add(protocol[0]);
            result.Add(protocol[^1]);
        }
        else
        {
            result.Add(AsciiText.Digit(protocol[0] >> 4));
            result.Add(AsciiText.Digit(protocol[^1] & 15));
        }
    }

    private static ReadOnlySpan<byte> VersionCode(ushort version) => version switch
    {
        0x0304 => "13"u8,
        0x0303 => "12"u8,
        0x0302 => "11"u8,
        0x0301 => "10"u8,
        0x0300 => "s3"u8,
        0x0002 => "s2"u8,
        0xFEFF => "d1"u8,
        0xFEFD => "d2"u8,
        0xFEFC => "d3"u8,
        _ => "00"u8,
    };
}
