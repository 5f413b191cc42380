namespace IoTGuard.Wire.Application.X509;

/// <summary>Kinds of public keys.</summary>
public enum PublicKeyKind : byte
{
    Unknown,
    Rsa,
    Dsa,
    Ec,
    EdDsa,
}

/// <summary>What a sensor wants to know of a certificate (RFC 5280 4.1). Points into the certificate's bytes.</summary>
public readonly ref struct X509Certificate
{
    private X509Certificate(
        ReadOnlySpan<byte> issuer, ReadOnlySpan<byte> subject, long notBefore, long notAfter, PublicKeyKind keyKind, int keyBits,
        ReadOnlySpan<byte> signature, ReadOnlySpan<byte> names)
    {
        Issuer = issuer;
        Subject = subject;
        NotBeforeSeconds = notBefore;
        NotAfterSeconds = notAfter;
        KeyKind = keyKind;
        KeyBits = keyBits;
        SignatureAlgorithm = signature;
        AlternativeNames = names;
    }

    /// <summary>Issuer, the contents of its Name.</summary>
    public ReadOnlySpan<byte> Issuer { get; }

    /// <summary>Subject, the contents of its Name.</summary>
    public ReadOnlySpan<byte> Subject { get; }

    /// <summary>Validity, seconds since 1970; 0 when it could not be read.</summary>
    public long NotBeforeSeconds { get; }

    public long NotAfterSeconds { get; }

    public PublicKeyKind KeyKind { get; }

    /// <summary>Size of the public key in bits; 0 when it is not known.</summary>
    public int KeyBits { get; }

    /// <summary>Object identifier of the signature algorithm, DER contents.</summary>
    public ReadOnlySpan<byte> SignatureAlgorithm { get; }

    /// <summary>The GeneralNames of subjectAltName (RFC 5280 4.2.1.6), DER contents.</summary>
    public ReadOnlySpan<byte> AlternativeNames { get; }

    /// <summary>True when issuer and subject are the same name: nobody else vouches for it.</summary>
    public bool IsSelfIssued => !Subject.IsEmpty && Issuer.SequenceEqual(Subject);

    /// <summary>True when the signature is made over MD2, MD5 or SHA-1.</summary>
    public bool HasWeakSignature
    {
        get
        {
            var algorithm = SignatureAlgorithm;

            // 1.2.840.113549.1.1: md2WithRSA 2, md5WithRSA 4, sha1WithRSA 5; ecdsa-with-SHA1 1.2.840.10045.4.1; dsa-with-sha1 1.2.840.10040.4.3.
            return (algorithm.Length == 9 && algorithm.StartsWith(RsaArc) && algorithm[8] is 2 or 4 or 5)
                || algorithm.SequenceEqual((ReadOnlySpan<byte>)[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x01])
                || algorithm.SequenceEqual((ReadOnlySpan<byte>)[0x2A, 0x86, 0x48, 0xCE, 0x38, 0x04, 0x03]);
        }
    }

    /// <summary>Common name, the last one of the name; empty when there is none.</summary>
    public static ReadOnlySpan<byte> CommonNameOf(ReadOnlySpan<byte> name) => AttributeOf(name, 3);

    /// <summary>Organization name.</summary>
    public static ReadOnlySpan<byte> OrganizationOf(ReadOnlySpan<byte> name) => AttributeOf(name, 10);

    /// <summary>A dNSName of the alternative names, by its number; empty when there are fewer.</summary>
    public ReadOnlySpan<byte> DnsName(int number)
    {
        const byte dnsName = 0x82;
        var reader = new DerReader(AlternativeNames);
        while (reader.Read())
        {
            if (reader.Tag == dnsName && number-- == 0)
                return reader.Body;
        }

        return default;
    }

    /// <summary>Reads a certificate; false when its bytes are not one.</summary>
    public static bool TryRead(ReadOnlySpan<byte> der, out X509Certificate certificate)
    {
        certificate = default;
        const byte version = 0xA0;
        const byte extensions = 0xA3;
        var outer = new DerReader(der);
        if (!outer.Read(DerReader.Sequence))
            return false;
        var parts = new DerReader(outer.Body);
        if (!parts.Read(DerReader.Sequence))
            return false;
        var fields = new DerReader(parts.Body);
        if (!fields.Read() || (fields.Tag == version && !fields.Read()) || fields.Tag != DerReader.Integer)
            return false;
        if (!fields.Read(DerReader.Sequence))
            return false;
        var algorithm = new DerReader(fields.Body);
        if (!algorithm.Read(DerReader.ObjectIdentifier) || !fields.Read(DerReader.Sequence))
            return false;
        var issuer = fields.Body;
        if (!fields.Read(DerReader.Sequence))
            return false;
        var validity = new DerReader(fields.Body);
        var notBefore = validity.Read() ? DerTime.Read(validity.Tag, validity.Body) : 0;
        var notAfter = validity.Read() ? DerTime.Read(validity.Tag, validity.Body) : 0;
        if (!fields.Read(DerReader.Sequence))
            return false;
        var subject = fields.Body;
        if (!fields.Read(DerReader.Sequence))
            return false;
        var bits = KeyOf(fields.Body, out var kind);
        var names = ReadOnlySpan<byte>.Empty;
        while (fields.Read())
        {
            if (fields.Tag == extensions)
                names = AlternativeNamesOf(fields.Body);
        }

        certificate = new X509Certificate(issuer, subject, notBefore, notAfter, kind, bits, algorithm.Body, names);
        return true;
    }

    private static ReadOnlySpan<byte> RsaArc => [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01];

    /// <summary>The last attribute 2.5.4.<paramref name="arc"/> of a Name.</summary>
    private static ReadOnlySpan<byte> AttributeOf(ReadOnlySpan<byte> name, byte arc)
    {
        var found = ReadOnlySpan<byte>.Empty;
        var sets = new DerReader(name);
        while (sets.Read(DerReader.Set))
        {
            var attribute = new DerReader(sets.Body);
            if (!attribute.Read(DerReader.Sequence))
                continue;
            var pair = new DerReader(attribute.Body);
            if (pair.Read(DerReader.ObjectIdentifier) && pair.Body is [0x55, 0x04, var last] && last == arc && pair.Read())
                found = pair.Body;
        }

        return found;
    }

    private static int KeyOf(ReadOnlySpan<byte> info, out PublicKeyKind kind)
    {
        kind = PublicKeyKind.Unknown;
        var parts = new DerReader(info);
        if (!parts.Read(DerReader.Sequence))
            return 0;
        var algorithm = new DerReader(parts.Body);
        if (!algorithm.Read(DerReader.ObjectIdentifier))
            return 0;
        var identifier = algorithm.Body;
        var parameters = algorithm.Read() ? algorithm : default;
        if (!parts.Read(DerReader.BitString) || parts.Body.IsEmpty)
            return 0;
        var key = parts.Body[1..];
        if (identifier.Length == 9 && identifier.StartsWith(RsaArc))
        {
            kind = PublicKeyKind.Rsa;
            var rsa = new DerReader(key);
            if (!rsa.Read(DerReader.Sequence))
                return 0;
            var numbers = new DerReader(rsa.Body);
            return numbers.Read(DerReader.Integer) ? BitsOf(numbers.Body) : 0;
        }

        if (identifier.SequenceEqual((ReadOnlySpan<byte>)[0x2A, 0x86, 0x48, 0xCE, 0x38, 0x04, 0x01]))
        {
            kind = PublicKeyKind.Dsa;
            var domain = new DerReader(parameters.Tag == DerReader.Sequence ? parameters.Body : default);
            return domain.Read(DerReader.Integer) ? BitsOf(domain.Body) : 0;
        }

        if (identifier.SequenceEqual((ReadOnlySpan<byte>)[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01]))
        {
            kind = PublicKeyKind.Ec;
            return CurveBits(parameters.Body);
        }

        // RFC 8410: 1.3.101.112 Ed25519, 1.3.101.113 Ed448.
        if (identifier is [0x2B, 0x65, 0x70 or 0x71])
        {
            kind = PublicKeyKind.EdDsa;
            return identifier[2] == 0x70 ? 256 : 456;
        }

        return 0;
    }

    /// <summary>Size of the field of a named curve (RFC 5480 2.1.1.1).</summary>
    private static int CurveBits(ReadOnlySpan<byte> curve) => curve switch
    {
        [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x01] => 192,
        [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07] => 256,
        [0x2B, 0x81, 0x04, 0x00, 0x21] => 224,
        [0x2B, 0x81, 0x04, 0x00, 0x0A] => 256,
        [0x2B, 0x81, 0x04, 0x00, 0x22] => 384,
        [0x2B, 0x81, 0x04, 0x00, 0x23] => 521,
        _ => 0,
    };

    /// <summary>Bits of a positive integer.</summary>
    private static int BitsOf(ReadOnlySpan<byte> integer)
    {
        integer = integer.TrimStart((byte)0);
        return integer.IsEmpty ? 0 : (8 * integer.Length) - System.Numerics.BitOperations.LeadingZeroCount((uint)integer[0]) + 24;
    }

    private static ReadOnlySpan<byte> AlternativeNamesOf(ReadOnlySpan<byte> extensions)
    {
        var outer = new DerReader(extensions);
        if (!outer.Read(DerReader.Sequence))
            return default;
        var list = new DerReader(outer.Body);
        while (list.Read(DerReader.Sequence))
        {
            var extension = new DerReader(list.Body);
            if (!extension.Read(DerReader.ObjectIdentifier) || extension.Body is not [0x55, 0x1D, 0x11])
                continue;
            while (extension.Read())
            {
                if (extension.Tag != DerReader.OctetString)
                    continue;
                var names = new DerReader(extension.Body);
                return names.Read(DerReader.Sequence) ? names.Body : default;
            }
        }

        return default;
    }
}

/// <summary>UTCTime and GeneralizedTime as certificates hold them (RFC 5280 4.1.2.5): in UTC, with seconds.</summary>
public static class DerTime
{
    /// <summary>Seconds since 1970; 0 when it is no such time.</summary>
    public static long Read(byte tag, ReadOnlySpan<byte> text)
    {
        var yearDigits = tag == DerReader.UtcTime ? 2 : tag == DerReader.GeneralizedTime ? 4 : 0;
        if (yearDigits == 0 || text.Length != yearDigits + 11 || text[^1] != 'Z' || text[..^1].ContainsAnyExceptInRange((byte)'0', (byte)'9'))
            return 0;
        var year = Number(text[..yearDigits]);
        if (yearDigits == 2)
            year += year < 50 ? 2000 : 1900;
        text = text[yearDigits..];
        var (month, day) = (Number(text[..2]), Number(text.Slice(2, 2)));
        var (hour, minute, second) = (Number(text.Slice(4, 2)), Number(text.Slice(6, 2)), Number(text.Slice(8, 2)));
        if (year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month) || hour > 23 || minute > 59 || second > 59)
            return 0;
        return new DateTimeOffset(year, month, day, hour, minute, second, TimeSpan.Zero).ToUnixTimeSeconds();
    }

    private static int Number(ReadOnlySpan<byte> digits)
    {
        var number = 0;
        foreach (var digit in digits)
            number = (10 * number) + digit - '0';
        return number;
    }
}
