using IoTGuard.Wire.Application.Tls;
using IoTGuard.Wire.Application.X509;

namespace IoTGuard.Analysis.Sessions;

/// <summary>What happened on a TLS, DTLS or QUIC connection.</summary>
public enum TlsEvent : byte
{
    /// <summary>A handshake, complete or not.</summary>
    Handshake,

    /// <summary>An alert in the clear: a handshake that failed.</summary>
    Alert,
    Fault,
}

/// <summary>What TLS carries, and how that was judged.</summary>
public enum TlsCarried : byte
{
    Unknown,
    Dicom,
    Hl7,
}

/// <summary>What a handshake says. Texts are interned; null = not seen.</summary>
public struct TlsFacts
{
    /// <summary>True when both sides finished, as far as that can be seen from outside.</summary>
    public bool IsComplete;

    /// <summary>Highest version that the client offers, and the one chosen; 0 = not seen.</summary>
    public ushort OfferedVersion;
    public ushort Version;

    /// <summary>Chosen cipher suite; meaningful when <see cref="Version"/> is.</summary>
    public ushort Suite;

    /// <summary>Suites offered without GREASE, and those of them that are export, null, anonymous or RC4.</summary>
    public int SuitesOffered;
    public int WeakSuitesOffered;
    public string? ServerName;

    /// <summary>First protocol that the client offers, and the one that the server chose in the clear.</summary>
    public string? AlpnOffered;
    public string? Alpn;
    public bool HasGrease;
    public bool HasEncryptedHello;
    public string? Ja3;
    public string? Ja3s;
    public string? Ja4;
    public string? Ja4s;

    /// <summary>"session_id", "ticket" or "psk" when the server took an earlier session up.</summary>
    public string? Resumed;
    public bool IsRetried;
    public bool ClientCertificateRequested;
    public bool ClientCertificateSent;

    /// <summary>Bits of the prime of a Diffie-Hellman exchange over a prime field; 0 = none seen.</summary>
    public int ExchangeBits;

    // The server's own certificate, the first of its chain. Since TLS 1.3 nobody outside sees it.
    public bool HasCertificate;
    public string? SubjectName;
    public string? SubjectOrganization;
    public string? IssuerName;
    public string? IssuerOrganization;
    public string? CertificateHash;
    public string? DnsName;
    public int DnsNames;
    public long NotBeforeSeconds;
    public long NotAfterSeconds;
    public bool IsSelfIssued;
    public bool HasWeakSignature;
    public PublicKeyKind KeyKind;
    public int KeyBits;

    public TlsCarried Carried;

    /// <summary>"port", "alpn", "name" or "baseline".</summary>
    public string? CarriedBy;

    /// <summary>True for DTLS.</summary>
    public bool IsDatagrams;

    /// <summary>Version of QUIC; 0 for TLS.</summary>
    public uint QuicVersion;
}

/// <summary>One event of TLS, of DTLS, or of TLS inside QUIC. Duration runs from the ClientHello to the client's last message of the handshake; bytes are those of the handshake's records.</summary>
public sealed class TlsTransaction : Transaction
{
    private static readonly string[] EventNames = ["handshake", "alert", "fault"];
    private static readonly string?[] CarriedNames = [null, "dicom", "hl7"];
    private static readonly string?[] KeyNames = [null, "rsa", "dsa", "ec", "eddsa"];

    private TlsFacts _facts;

    public TlsEvent Event { get; set; }

    public ref TlsFacts Facts => ref _facts;

    /// <summary>AlertDescription (RFC 8446 6) of an alert, -1 otherwise.</summary>
    public int Alert { get; set; }

    public bool IsFatal { get; set; }

    /// <summary>Of an alert or a fault, true when the server sent it.</summary>
    public bool SentByServer { get; set; }

    /// <summary>Of a fault, what is wrong.</summary>
    public string? FaultText { get; set; }

    public override string Protocol => _facts.QuicVersion != 0 ? "quic" : _facts.IsDatagrams ? "dtls" : "tls";

    public override string EventName => EventNames[(int)Event];

    public override void Reset()
    {
        Event = TlsEvent.Handshake;
        _facts = default;
        Alert = -1;
        IsFatal = false;
        SentByServer = false;
        FaultText = null;
    }

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        if (Event == TlsEvent.Handshake)
            writer.Flag("complete", _facts.IsComplete);
        if (_facts.QuicVersion != 0)
            writer.Text("quic_version", TlsNames.OfQuicVersion(_facts.QuicVersion));
        writer.Text("version", TlsNames.OfVersion(_facts.Version));
        writer.Text("offered_version", TlsNames.OfVersion(_facts.OfferedVersion));
        if (_facts.Version != 0)
        {
            writer.Text("cipher_suite", TlsCipherSuite.NameOf(_facts.Suite));
            writer.Number("cipher_suite_code", _facts.Suite);
        }

        WriteCount(ref writer, "suites_offered", _facts.SuitesOffered);
        WriteCount(ref writer, "weak_suites_offered", _facts.WeakSuitesOffered);
        writer.Text("server_name", _facts.ServerName);
        writer.Text("alpn_offered", _facts.AlpnOffered);
        writer.Text("alpn", _facts.Alpn);
        WriteFlag(ref writer, "grease", _facts.HasGrease);
        WriteFlag(ref writer, "encrypted_hello", _facts.HasEncryptedHello);
        writer.Text("ja3", _facts.Ja3);
        writer.Text("ja3s", _facts.Ja3s);
        writer.Text("ja4", _facts.Ja4);
        writer.Text("ja4s", _facts.Ja4s);
        writer.Text("resumed", _facts.Resumed);
        WriteFlag(ref writer, "retried", _facts.IsRetried);
        WriteFlag(ref writer, "client_certificate_requested", _facts.ClientCertificateRequested);
        WriteFlag(ref writer, "client_certificate_sent", _facts.ClientCertificateSent);
        WriteCount(ref writer, "exchange_bits", _facts.ExchangeBits);
        WriteCertificate(ref writer);
        writer.Text("carries", CarriedNames[(int)_facts.Carried]);
        writer.Text("carries_by", _facts.CarriedBy);
        if (Event == TlsEvent.Handshake)
            return;
        writer.Text("sent_by", SentByServer ? "server" : "client");
        if (Event == TlsEvent.Alert)
        {
            writer.Text("alert", TlsNames.OfAlert(Alert));
            writer.Number("alert_code", Alert);
            writer.Flag("fatal", IsFatal);
        }

        writer.Text("fault", FaultText);
    }

    private void WriteCertificate<TWriter>(ref TWriter writer)
        where TWriter : IFieldWriter, allows ref struct
    {
        if (!_facts.HasCertificate)
            return;
        writer.BeginObject("certificate");
        writer.Text("subject_cn", _facts.SubjectName);
        writer.Text("subject_o", _facts.SubjectOrganization);
        writer.Text("issuer_cn", _facts.IssuerName);
        writer.Text("issuer_o", _facts.IssuerOrganization);
        writer.Text("dns_name", _facts.DnsName);
        WriteCount(ref writer, "dns_names", _facts.DnsNames);
        writer.Number("not_before", _facts.NotBeforeSeconds);
        writer.Number("not_after", _facts.NotAfterSeconds);
        writer.Flag("self_signed", _facts.IsSelfIssued);
        WriteFlag(ref writer, "weak_signature", _facts.HasWeakSignature);
        writer.Text("key_type", KeyNames[(int)_facts.KeyKind]);
        WriteCount(ref writer, "key_bits", _facts.KeyBits);
        writer.Text("sha256", _facts.CertificateHash);
        writer.EndObject();
    }

    private static void WriteCount<TWriter>(ref TWriter writer, string name, int value)
        where TWriter : IFieldWriter, allows ref struct
    {
        if (value > 0)
            writer.Number(name, value);
    }

    private static void WriteFlag<TWriter>(ref TWriter writer, string name, bool value)
        where TWriter : IFieldWriter, allows ref struct
    {
        if (value)
            writer.Flag(name, true);
    }
}
