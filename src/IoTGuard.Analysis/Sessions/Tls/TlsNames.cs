using IoTGuard.Wire.Application.Quic;
using IoTGuard.Wire.Application.Tls;

namespace IoTGuard.Analysis.Sessions;

/// <summary>Names of versions and alerts as they stand in outputs.</summary>
internal static class TlsNames
{
    /// <summary>Name of a version; null for 0.</summary>
    public static string? OfVersion(ushort version) => version switch
    {
        0 => null,
        0x0002 => "SSL 2.0",
        0x0300 => "SSL 3.0",
        0x0301 => "TLS 1.0",
        0x0302 => "TLS 1.1",
        0x0303 => "TLS 1.2",
        0x0304 => "TLS 1.3",
        DtlsRecordHeader.Version10 or DtlsRecordHeader.VersionOld => "DTLS 1.0",
        DtlsRecordHeader.Version12 => "DTLS 1.2",
        DtlsRecordHeader.Version13 => "DTLS 1.3",
        _ => "other",
    };

    /// <summary>Name of a version of QUIC.</summary>
    public static string OfQuicVersion(uint version) => version switch
    {
        QuicVersion.V1 => "1",
        QuicVersion.V2 => "2",
        >= QuicVersion.FirstDraft and <= QuicVersion.LastDraft => Drafts[version - QuicVersion.FirstDraft],
        QuicVersion.Facebook22 => "mvfst-22",
        QuicVersion.Facebook27 => "mvfst-27",
        QuicVersion.FacebookTrial => "mvfst-trial",
        QuicVersion.Google50 => "Q050",
        QuicVersion.GoogleTls50 => "T050",
        QuicVersion.GoogleTls51 => "T051",
        _ when QuicVersion.IsGooglePlain(version) => GooglePlain[(10 * (version >> 8 & 0xF)) + (version & 0xF)],
        _ => "other",
    };

    private static readonly string[] Drafts = [.. Enumerable.Range(22, 13).Select(static n => $"draft-{n}")];
    private static readonly string[] GooglePlain = [.. Enumerable.Range(0, 50).Select(static n => $"Q0{n:00}")];

    /// <summary>Name of an alert (RFC 8446 6, RFC 5246 7.2).</summary>
    public static string? OfAlert(int description) => description switch
    {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        21 => "decryption_failed",
        22 => "record_overflow",
        30 => "decompression_failure",
        40 => "handshake_failure",
        41 => "no_certificate",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        60 => "export_restriction",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        100 => "no_renegotiation",
        109 => "missing_extension",
        110 => "unsupported_extension",
        111 => "certificate_unobtainable",
        112 => "unrecognized_name",
        113 => "bad_certificate_status_response",
        115 => "unknown_psk_identity",
        116 => "certificate_required",
        120 => "no_application_protocol",
        _ => null,
    };
}
