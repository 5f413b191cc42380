using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.Ntlm;
using IoTGuard.Wire.Application.Smb;

namespace IoTGuard.Analysis.Sessions;

public sealed partial class SmbSession
{
    private string? _dialects;
    private bool _clientRequiresSigning;
    private SmbMechanism _mechanism;
    private string? _domain;
    private string? _workstation;
    private string? _serverName;
    private string? _serverDomain;
    private string? _clientSystem;
    private string? _serverSystem;
    private Pseudonym _user;
    private bool _isAnonymous;
    private bool _isLoggingOn;
    private long _logOnNs;

    // Object identifier 1.2.840.113554.1.2.2 (RFC 4121), and the one that Windows wrote once (1.2.840.48018.1.2.2).
    private static ReadOnlySpan<byte> Kerberos => [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x12, 0x01, 0x02, 0x02];

    private static ReadOnlySpan<byte> MicrosoftKerberos => [0x2A, 0x86, 0x48, 0x82, 0xF7, 0x12, 0x01, 0x02, 0x02];

    private void ForgetLogOn()
    {
        _dialects = _domain = _workstation = _serverName = _serverDomain = _clientSystem = _serverSystem = null;
        _clientRequiresSigning = _isAnonymous = _isLoggingOn = false;
        _mechanism = SmbMechanism.Unknown;
        _user = default;
        _logOnNs = 0;
        _version = 0;
    }

    private void Negotiated(SessionContext context, FlowDirection client, string? dialect, bool serverRequiresSigning, bool encrypts, long durationNs, int bytes)
    {
        var transaction = context.Begin<SmbTransaction>(client);
        transaction.Event = SmbEvent.Negotiate;
        transaction.Version = _version;
        transaction.TimeNs = context.TimeNs - durationNs;
        transaction.DurationNs = durationNs;
        transaction.Bytes = bytes;
        transaction.Dialect = dialect;
        transaction.Dialects = _dialects;
        transaction.ClientSigningRequired = _clientRequiresSigning;
        transaction.ServerSigningRequired = serverRequiresSigning;
        transaction.Encryption = encrypts;
        if (_dialects is not null)
            transaction.Claim(transaction.Client, ClaimKind.Fingerprint, FingerprintOf(context, _dialects));
        context.Emit(transaction);
    }

    private static string? FingerprintOf(SessionContext context, string dialects)
    {
        Span<byte> text = stackalloc byte[TextInterner.MaximumTextBytes];
        System.Text.Unicode.Utf8.TryWrite(text, $"smb {dialects}", out var written);
        return written > 0 ? context.Texts.Of(text[..written]) : null;
    }

    /// <summary>A token of the client or the server, in SESSION_SETUP.</summary>
    private void OnToken(SessionContext context, ReadOnlySpan<byte> token, bool isServer)
    {
        if (!isServer && !_isLoggingOn)
        {
            _isLoggingOn = true;
            _logOnNs = context.TimeNs;
        }

        if (!NtlmMessage.TryFind(token, out var ntlm))
        {
            if (_mechanism == SmbMechanism.Unknown && (token.IndexOf(Kerberos) >= 0 || token.IndexOf(MicrosoftKerberos) >= 0))
                _mechanism = SmbMechanism.Kerberos;
            return;
        }

        _mechanism = SmbMechanism.Ntlm;
        if (isServer)
        {
            if (ntlm.Type != NtlmMessageType.Challenge)
                return;
            _serverName = SmbText.Of(context, ntlm.Attribute(NtlmAttribute.DnsComputerName), isUnicode: true) ?? SmbText.Of(context, ntlm.Attribute(NtlmAttribute.NetBiosComputerName), isUnicode: true);
            _serverDomain = SmbText.Of(context, ntlm.Attribute(NtlmAttribute.DnsDomainName), isUnicode: true) ?? SmbText.Of(context, ntlm.Attribute(NtlmAttribute.NetBiosDomainName), isUnicode: true);
            _serverSystem = SmbText.Windows(context, ntlm.Version);
        }
        else if (ntlm.Type == NtlmMessageType.Authenticate)
        {
            _domain = SmbText.Of(context, ntlm.Domain, ntlm.IsUnicode);
            _workstation = SmbText.Of(context, ntlm.Workstation, ntlm.IsUnicode);
            _user = context.Pseudonyms.Of(PseudonymKind.User, ntlm.User);
            _isAnonymous = ntlm.IsAnonymous;
            _clientSystem = SmbText.Windows(context, ntlm.Version) ?? _clientSystem;
        }
        else if (ntlm.Type == NtlmMessageType.Negotiate)
        {
            _clientSystem = SmbText.Windows(context, ntlm.Version);
        }
    }

    private void LoggedOn(SessionContext context, FlowDirection client, long status, bool isGuest, bool isNull, bool encrypts, int bytes)
    {
        var transaction = context.Begin<SmbTransaction>(client);
        transaction.Event = SmbEvent.Session;
        transaction.Version = _version;
        transaction.TimeNs = _logOnNs != 0 ? _logOnNs : context.TimeNs;
        transaction.DurationNs = status >= 0 && _logOnNs != 0 ? context.TimeNs - _logOnNs : -1;
        transaction.Bytes = bytes;
        transaction.Status = status;
        transaction.Mechanism = _mechanism;
        transaction.Domain = _domain;
        transaction.Workstation = _workstation;
        transaction.ServerName = _serverName;
        transaction.ServerDomain = _serverDomain;
        transaction.User = _user;
        transaction.IsGuest = isGuest;
        transaction.IsAnonymous = _isAnonymous || isNull;
        transaction.Encryption = encrypts;
        transaction.Claim(transaction.Server, ClaimKind.HostName, _serverName);
        transaction.Claim(transaction.Server, ClaimKind.Software, _serverSystem);
        transaction.Claim(transaction.Client, ClaimKind.HostName, _workstation);
        transaction.Claim(transaction.Client, ClaimKind.Software, _clientSystem);
        if (status >= 0 && !NtStatus.IsFailure((uint)status))
            context.Flow.Counters.Associations++;
        context.Emit(transaction);
        _isLoggingOn = false;
        _logOnNs = 0;
        _mechanism = SmbMechanism.Unknown;
        _user = default;
        _isAnonymous = false;
    }

    /// <summary>A log-on that was never answered.</summary>
    private void EndLogOn(SessionContext context)
    {
        if (_isLoggingOn)
            LoggedOn(context, _client, -1, isGuest: false, isNull: false, encrypts: false, 0);
    }
}
