namespace IoTGuard.Analysis.Rules;

/// <summary>Rules about encryption, and about services that people log in to.</summary>
internal static class SecureRules
{
    public static readonly Rule WeakTls = new()
    {
        Id = "tls-weak",
        Title = "Weak encryption",
        Category = "misconfiguration",
        Severity = 4,
        Attack = Techniques.Of("T1040", "T1557"),
        Condition = "A server of the site completes a handshake with SSL, TLS 1.0 or 1.1, with an export, null, anonymous, RC4, DES or 3DES suite, or with a Diffie-Hellman prime below the threshold.",
        Template = "{device} lets {peer} connect with {weakness} on {services}.",
        Recommendation = "Switch the old versions and suites off at the server; where a device cannot do better, let it through a gateway that can.",
        FalsePositives = "None about the fact.",
        Traits = RuleTraits.Standing,
        Thresholds = [new("prime_bits", 2048, "bits")],
        QuietSeconds = double.PositiveInfinity,
    };

    public static readonly Rule BadCertificate = new()
    {
        Id = "tls-certificate",
        Title = "A certificate that proves nothing",
        Category = "misconfiguration",
        Severity = 3,
        Attack = Techniques.Of("T1557"),
        Condition = "A server of the site shows a certificate that has expired or is not yet valid (by packet time), has a short key or a signature over MD5 or SHA-1, or, where DICOM or HL7 "
            + "is carried, is signed by itself.",
        Template = "The certificate of {device} on {services}, {subject}: {problem}.",
        Recommendation = "Give the server a certificate of the site's own authority, and renew it in time.",
        FalsePositives = "TLS 1.3 hides certificates: there nothing can be said. A self-signed certificate that the other side has pinned.",
        Traits = RuleTraits.Standing,
        Thresholds = [new("rsa_bits", 2048, "bits"), new("ec_bits", 224, "bits")],
        QuietSeconds = double.PositiveInfinity,
    };

    public static readonly Rule CertificateChanged = new()
    {
        Id = "tls-certificate-changed",
        Title = "A server shows another certificate",
        Category = "interception",
        Severity = 6,
        Attack = Techniques.Of("T1557", "T0830"),
        Condition = "A server of the site shows a certificate whose subject or issuer is none of those seen on that port while the site was learned.",
        Template = "{device} shows a certificate of {subject} by {issuer} on {services}; until now it was {before}.",
        Recommendation = "Ask who changed the certificate; if nobody did, somebody sits in between.",
        FalsePositives = "A certificate bought elsewhere; a server that was moved. Renewal under the same names is not told.",
        Traits = RuleTraits.Baseline,
        QuietSeconds = 3600,
        Thresholds = [new("confidence", 0.35, "1")],
    };

    public static readonly Rule Downgrade = new()
    {
        Id = "tls-downgrade",
        Title = "Encryption is weaker than before",
        Category = "interception",
        Severity = 6,
        Attack = Techniques.Of("T1557", "T1040"),
        Condition = "Two devices that used TLS 1.2 or better on a port, this time or while the site was learned, now complete a handshake below TLS 1.2 or with a weak suite.",
        Template = "{device} and {peer} now use {now} on {services}; before it was {before}.",
        Recommendation = "Find out what changed on either side; look for a device in between.",
        FalsePositives = "A second, older program on the same client.",
        Traits = RuleTraits.PerPeer,
        QuietSeconds = 3600,
    };

    public static readonly Rule ClearWhereTls = new()
    {
        Id = "cleartext-where-tls",
        Title = "Medical data in the clear where it was encrypted",
        Category = "interception",
        Severity = 6,
        Attack = Techniques.Of("T1557", "T1040"),
        Condition = "DICOM or HL7 in the clear between two devices that exchanged the same over TLS, this time or while the site was learned, and never in the clear before.",
        Template = "{device} now sends {what} to {peer} in the clear on {services}; before it was encrypted.",
        Recommendation = "Restore the encrypted link; find out who changed the configuration.",
        FalsePositives = "Tests of service engineers.",
        Traits = RuleTraits.PerPeer,
        QuietSeconds = 3600,
    };

    public static readonly Rule KnownBad = new()
    {
        Id = "known-bad-fingerprint",
        Title = "A program with a known bad fingerprint",
        Category = "command-and-control",
        Severity = 8,
        Attack = Techniques.Of("T1071", "T1573"),
        Condition = "JA3, JA3S, JA4, JA4S or HASSH of a connection stands in the site's list of indicators.",
        Template = "{device} connects to {peer} with the fingerprint {fingerprint}, which the site's list names.",
        Recommendation = "Isolate the device and find the program; see where else the fingerprint appears.",
        FalsePositives = "Fingerprints are of libraries: harmless programs built with the same one share them.",
        Traits = RuleTraits.Hostile | RuleTraits.PerPeer,
    };

    public static readonly Rule OpenScreen = new()
    {
        Id = "vnc-no-authentication",
        Title = "A screen that is open to everybody",
        Category = "misconfiguration",
        Severity = 6,
        Attack = Techniques.Of("T1021", "T1133"),
        Condition = "A VNC server of the site lets a client in without authentication.",
        Template = "{device} lets {peer} see and use its screen without a password on {services}.",
        Recommendation = "Set a password at least; better let VNC be reached through SSH or a gateway only.",
        FalsePositives = "None about the fact.",
        Traits = RuleTraits.Standing,
        QuietSeconds = double.PositiveInfinity,
    };

    public static readonly Rule AnonymousFtp = new()
    {
        Id = "ftp-anonymous",
        Title = "Files for everybody",
        Category = "misconfiguration",
        Severity = 3,
        Attack = Techniques.Of("T1078.001", "T1048.003"),
        Condition = "An FTP server of the site lets the user \"anonymous\" or \"ftp\" in.",
        Template = "{device} lets {peer} in by FTP without a password on {services}.",
        Recommendation = "Switch anonymous FTP off, or make sure that nothing of patients can be read or written there.",
        FalsePositives = "Servers of public files.",
        Traits = RuleTraits.Standing,
        QuietSeconds = double.PositiveInfinity,
    };

    public static readonly IReadOnlyList<Rule> All = [WeakTls, BadCertificate, CertificateChanged, Downgrade, ClearWhereTls, KnownBad, OpenScreen, AnonymousFtp];
}
