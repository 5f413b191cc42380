using System.Buffers.Binary;
using System.Security.Cryptography;
using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.Tls;
using IoTGuard.Wire.Application.X509;

namespace IoTGuard.Analysis.Sessions;

/// <summary>Takes what matters out of handshake messages.</summary>
internal static class TlsHandshakeReader
{
    /// <summary>Longest session id (RFC 5246 7.4.1.2), bytes.</summary>
    public const int MaximumSessionIdBytes = 32;

    private static readonly HashSet<ushort> DicomPorts = [104, 2761, 2762, 4242, 11112];
    private static readonly HashSet<ushort> Hl7Ports = [2575, 6661];

    /// <summary>What a client offers.</summary>
    /// <param name="isWhole">False when only the beginning of the message was kept: then it has no fingerprints.</param>
    public static void ReadClientHello(SessionContext context, in TlsClientHello hello, bool isWhole, byte transport, ref TlsFacts facts)
    {
        facts.OfferedVersion = hello.Version;
        facts.SuitesOffered = facts.WeakSuitesOffered = 0;
        if (!hello.IsSsl2)
            CountSuites(hello.CipherSuites, ref facts);
        var extensions = hello.Extensions;
        while (extensions.Read())
        {
            facts.HasGrease |= TlsGrease.Is((ushort)extensions.Type);
            switch (extensions.Type)
            {
                case TlsExtensionType.ServerName:
                    facts.ServerName = context.Texts.Of(TlsExtensions.HostName(extensions.Body));
                    break;
                case TlsExtensionType.Alpn:
                    facts.AlpnOffered = context.Texts.Of(TlsExtensions.FirstProtocol(extensions.Body));
                    break;
                case TlsExtensionType.SupportedVersions:
                    facts.OfferedVersion = TlsFingerprint.HighestVersion(TlsExtensions.List8(extensions.Body), hello.Version);
                    break;
                case TlsExtensionType.EncryptedClientHello:
                    facts.HasEncryptedHello = true;
                    break;
            }
        }

        if (!isWhole)
            return;
        facts.Ja3 = TlsFingerprint.Ja3(context.Texts, hello);
        facts.Ja4 = TlsFingerprint.Ja4(context.Texts, hello, transport);
    }

    /// <summary>True when the client offers a ticket of RFC 5077.</summary>
    public static bool OffersTicket(in TlsClientHello hello)
    {
        var extensions = hello.Extensions;
        while (extensions.Read())
        {
            if (extensions.Type == TlsExtensionType.SessionTicket)
                return !extensions.Body.IsEmpty;
        }

        return false;
    }

    /// <summary>What the server chose.</summary>
    public static void ReadServerHello(SessionContext context, in TlsServerHello hello, byte transport, ref TlsFacts facts)
    {
        facts.Version = hello.Version;
        facts.Suite = hello.CipherSuite;
        var extensions = hello.Extensions;
        while (extensions.Read())
        {
            if (extensions.Type == TlsExtensionType.Alpn)
                facts.Alpn = context.Texts.Of(TlsExtensions.FirstProtocol(extensions.Body));
            else if (extensions.Type == TlsExtensionType.PreSharedKey && hello.Version >= 0x0304)
                facts.Resumed = "psk";
        }

        facts.Ja3s = TlsFingerprint.Ja3s(context.Texts, hello);
        facts.Ja4s = TlsFingerprint.Ja4s(context.Texts, hello, transport);
    }

    /// <summary>The first certificate of a Certificate message of TLS 1.2 and before (RFC 5246 7.4.2). True when the list is not empty.</summary>
    public static bool ReadCertificates(SessionContext context, ReadOnlySpan<byte> body, bool ofServer, ref TlsFacts facts)
    {
        const int lengths = 6;
        if (body.Length < lengths)
            return false;
        var length = Length24(body[3..]);
        if (!ofServer)
            return length > 0;
        if (length > body.Length - lengths)
            return true;
        var der = body.Slice(lengths, length);
        if (!X509Certificate.TryRead(der, out var certificate))
            return true;
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(der, hash);
        var text = new AsciiText(stackalloc byte[2 * SHA256.HashSizeInBytes]);
        text.AddHex(hash);
        facts.HasCertificate = true;
        facts.CertificateHash = context.Texts.Of(text.Bytes);
        facts.SubjectName = context.Texts.Of(X509Certificate.CommonNameOf(certificate.Subject), System.Text.Encoding.UTF8);
        facts.SubjectOrganization = context.Texts.Of(X509Certificate.OrganizationOf(certificate.Subject), System.Text.Encoding.UTF8);
        facts.IssuerName = context.Texts.Of(X509Certificate.CommonNameOf(certificate.Issuer), System.Text.Encoding.UTF8);
        facts.IssuerOrganization = context.Texts.Of(X509Certificate.OrganizationOf(certificate.Issuer), System.Text.Encoding.UTF8);
        facts.DnsName = context.Texts.Of(certificate.DnsName(0));
        for (facts.DnsNames = 0; facts.DnsNames < 100 && !certificate.DnsName(facts.DnsNames).IsEmpty;)
            facts.DnsNames++;
        facts.NotBeforeSeconds = certificate.NotBeforeSeconds;
        facts.NotAfterSeconds = certificate.NotAfterSeconds;
        facts.IsSelfIssued = certificate.IsSelfIssued;
        facts.HasWeakSignature = certificate.HasWeakSignature && !certificate.IsSelfIssued;
        facts.KeyKind = certificate.KeyKind;
        facts.KeyBits = certificate.KeyBits;
        return true;
    }

    /// <summary>The size of dh_p in a ServerKeyExchange (RFC 5246 7.4.3), bits.</summary>
    public static int ExchangeBits(ReadOnlySpan<byte> body)
    {
        if (body.Length < 2)
            return 0;
        var prime = body[2..];
        var length = BinaryPrimitives.ReadUInt16BigEndian(body);
        if (length > prime.Length)
            return 0;
        prime = prime[..length].TrimStart((byte)0);
        return prime.IsEmpty ? 0 : (8 * prime.Length) - System.Numerics.BitOperations.LeadingZeroCount((uint)prime[0]) + 24;
    }

    /// <summary>The transaction of a handshake, which the caller emits.</summary>
    /// <param name="context">The flow, at the time of the last message.</param>
    /// <param name="client">Who said hello.</param>
    /// <param name="facts">What was read of it; what it carries and whether it is complete are added.</param>
    /// <param name="startNs">Packet time of its first bytes, nanoseconds.</param>
    /// <param name="bytes">Its length, bytes.</param>
    /// <param name="isComplete">Whether both sides went on to encrypted data.</param>
    public static TlsTransaction Begin(SessionContext context, FlowDirection client, ref TlsFacts facts, long startNs, long bytes, bool isComplete)
    {
        JudgeCarried(client == FlowDirection.FromOriginator ? context.Flow.ResponderPort : context.Flow.OriginatorPort, ref facts);
        facts.IsComplete = isComplete;
        var transaction = context.Begin<TlsTransaction>(client);
        transaction.Event = TlsEvent.Handshake;
        transaction.Facts = facts;
        transaction.TimeNs = startNs;
        transaction.DurationNs = isComplete ? context.TimeNs - startNs : -1;
        transaction.Bytes = bytes;
        Claim(context, transaction);
        return transaction;
    }

    /// <summary>A fingerprint with its kind in front, interned.</summary>
    public static string? Prefixed(SessionContext context, ReadOnlySpan<byte> kind, string? fingerprint)
    {
        if (fingerprint is null)
            return null;
        var text = new AsciiText(stackalloc byte[128]);
        text.Add(kind);
        foreach (var c in fingerprint)
            text.Add((byte)c);
        return context.Texts.Of(text.Bytes);
    }

    public static int Length24(ReadOnlySpan<byte> bytes) => (bytes[0] << 16) | (bytes[1] << 8) | bytes[2];

    private static void CountSuites(ReadOnlySpan<byte> suites, ref TlsFacts facts)
    {
        const TlsWeakness weak = TlsWeakness.Export | TlsWeakness.NoEncryption | TlsWeakness.Anonymous | TlsWeakness.Rc4;
        for (; suites.Length >= 2; suites = suites[2..])
        {
            var suite = BinaryPrimitives.ReadUInt16BigEndian(suites);
            if (TlsGrease.Is(suite))
            {
                facts.HasGrease = true;
                continue;
            }

            facts.SuitesOffered++;
            if ((TlsCipherSuite.WeaknessOf(suite) & weak) != 0)
                facts.WeakSuitesOffered++;
        }
    }

    /// <summary>What the connection probably carries: by ALPN, by the server's port, or by a name that says so on a port that is not the web's.</summary>
    private static void JudgeCarried(ushort serverPort, ref TlsFacts facts)
    {
        var protocol = facts.Alpn ?? facts.AlpnOffered;
        if (string.Equals(protocol, "dicom", StringComparison.OrdinalIgnoreCase))
            (facts.Carried, facts.CarriedBy) = (TlsCarried.Dicom, "alpn");
        else if (protocol is not null)
            return;
        else if (DicomPorts.Contains(serverPort))
            (facts.Carried, facts.CarriedBy) = (TlsCarried.Dicom, "port");
        else if (Hl7Ports.Contains(serverPort))
            (facts.Carried, facts.CarriedBy) = (TlsCarried.Hl7, "port");
        else if (serverPort is 443 or 8443)
            return;
        else if (NamesDicom(facts.ServerName) || NamesDicom(facts.SubjectName) || NamesDicom(facts.DnsName))
            (facts.Carried, facts.CarriedBy) = (TlsCarried.Dicom, "name");
        else if (NamesHl7(facts.ServerName) || NamesHl7(facts.SubjectName) || NamesHl7(facts.DnsName))
            (facts.Carried, facts.CarriedBy) = (TlsCarried.Hl7, "name");
    }

    /// <summary>What the handshake says about both devices.</summary>
    private static void Claim(SessionContext context, TlsTransaction transaction)
    {
        ref readonly var facts = ref transaction.Facts;
        transaction.Claim(transaction.Client, ClaimKind.Fingerprint, Prefixed(context, "ja4 "u8, facts.Ja4));
        transaction.Claim(transaction.Server, ClaimKind.Fingerprint, Prefixed(context, "ja4s "u8, facts.Ja4s));
        transaction.Claim(transaction.Server, ClaimKind.Fingerprint, Prefixed(context, "ja3s "u8, facts.Ja3s));
        if (facts.DnsName is { } name && !name.Contains('*', StringComparison.Ordinal))
            transaction.Claim(transaction.Server, ClaimKind.HostName, name);
        else if (facts.SubjectName is { } subject && subject.Contains('.', StringComparison.Ordinal) && !subject.Contains('*', StringComparison.Ordinal) && !subject.Contains(' ', StringComparison.Ordinal))
            transaction.Claim(transaction.Server, ClaimKind.HostName, subject);
    }

    private static bool NamesDicom(string? name) =>
        name is not null && (name.Contains("dicom", StringComparison.OrdinalIgnoreCase) || name.Contains("pacs", StringComparison.OrdinalIgnoreCase));

    private static bool NamesHl7(string? name) =>
        name is not null && (name.Contains("hl7", StringComparison.OrdinalIgnoreCase) || name.Contains("mllp", StringComparison.OrdinalIgnoreCase));
}
