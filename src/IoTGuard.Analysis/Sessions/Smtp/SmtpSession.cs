using System.Buffers.Text;
using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// SMTP (RFC 5321) with pipelining. The contents of a message are passed over: after 354 the client's bytes are not looked at until the server replies again.
/// Hands over to TLS after STARTTLS (RFC 3207).
/// </summary>
public sealed class SmtpSession : LineSession
{
    /// <summary>Commands that wait for their replies; the reply to a further one counts for the first of them.</summary>
    public const int MaximumWaiting = 16;

    /// <summary>Log-ins of one connection that are each told; later ones only count.</summary>
    public const int MaximumLogins = 32;

    private readonly SmtpTransaction _totals = new();
    private readonly Command[] _waiting = new Command[MaximumWaiting];
    private int _waitingCount;
    private FlowDirection _server = FlowDirection.FromResponder;
    private bool _inContents;
    private bool _inAuth;
    private int _logins;
    private long _startNs;
    private long _lastNs;

    private enum Command : byte
    {
        Other,
        Auth,
        StartTls,
        Recipient,
        Data,

        /// <summary>The contents after DATA, or the last chunk of BDAT.</summary>
        Contents,
    }

    public override ApplicationProtocol Protocol => ApplicationProtocol.Smtp;

    /// <summary>A greeting that names SMTP, or EHLO; a greeting that names nothing is likely on its ports.</summary>
    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty)
            return ProbeResult.Unsure;
        if (data[0] == '2')
        {
            var answer = ProbeGreeting(data, out var line);
            if (answer != ProbeResult.Likely)
                return answer;
            return Holds(line, "SMTP"u8) ? ProbeResult.Certain : Holds(line, "FTP"u8) ? ProbeResult.NotForUs : ProbeResult.Likely;
        }

        var length = Math.Min(5, data.Length);
        if (!Is(data[..length], "EHLO "u8[..length]) && !Is(data[..length], "HELO "u8[..length]))
            return ProbeResult.NotForUs;
        return data.Length < 5 ? ProbeResult.Unsure : ProbeResult.Certain;
    }

    public override StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (_startNs == 0)
            _startNs = context.TimeNs;
        _lastNs = context.TimeNs;
        var progress = base.OnData(context, direction, data);
        _totals.Bytes += progress.Consumed;
        return progress;
    }

    public override void OnEnd(SessionContext context)
    {
        if (_startNs == 0)
            return;
        var transaction = context.Begin<SmtpTransaction>(Client);
        transaction.CopyFrom(_totals);
        transaction.TimeNs = _startNs;
        transaction.DurationNs = _lastNs - _startNs;
        transaction.FailedLogins = Math.Max(0, _totals.FailedLogins - MaximumLogins);
        transaction.Claim(transaction.Server, ClaimKind.HostName, _totals.ServerName);
        transaction.Claim(transaction.Server, ClaimKind.Software, _totals.Software);
        if (_totals.ClientName is { } name && !name.StartsWith('['))
            transaction.Claim(transaction.Client, ClaimKind.HostName, name);
        context.Emit(transaction);
    }

    public override void Reset()
    {
        base.Reset();
        _totals.Reset();
        _totals.Bytes = 0;
        _waitingCount = _logins = 0;
        _server = FlowDirection.FromResponder;
        _inContents = _inAuth = false;
        _startNs = _lastNs = 0;
    }

    protected override bool IsRaw(FlowDirection direction) => direction != _server && _inContents;

    protected override LineOutcome OnLine(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> line)
    {
        if (_totals.ServerName is null && _waitingCount == 0 && ReplyCode(line) == 220)
        {
            _server = direction;
            _totals.ServerName = context.Texts.Of(FirstWord(line[Math.Min(4, line.Length)..]));
            _totals.Software = context.Texts.Of(AfterFirstWord(line[Math.Min(4, line.Length)..]));
            return LineOutcome.GoOn;
        }

        if (direction == _server)
            return OnReply(context, line);
        if (_inAuth)
            return LineOutcome.GoOn;
        OnCommand(context, line);
        return LineOutcome.GoOn;
    }

    private FlowDirection Client => (FlowDirection)(1 - (int)_server);

    private void OnCommand(SessionContext context, ReadOnlySpan<byte> line)
    {
        context.Flow.Counters.Requests++;
        var word = FirstWord(line);
        var command = Command.Other;
        if (Is(word, "EHLO"u8) || Is(word, "HELO"u8))
        {
            _totals.ClientName = context.Texts.Of(FirstWord(AfterFirstWord(line)));
        }
        else if (Is(word, "AUTH"u8))
        {
            command = Command.Auth;
            _inAuth = true;
            _totals.Mechanism = Mechanism(FirstWord(AfterFirstWord(line)));
            _totals.ClearPassword |= _totals.Mechanism is "plain" or "login";
        }
        else if (Is(word, "STARTTLS"u8))
        {
            command = Command.StartTls;
        }
        else if (Is(word, "RCPT"u8))
        {
            command = Command.Recipient;
        }
        else if (Is(word, "DATA"u8))
        {
            command = Command.Data;
        }
        else if (Is(word, "BDAT"u8))
        {
            var rest = AfterFirstWord(line);
            if (Utf8Parser.TryParse(rest, out int size, out _) && size > 0)
                Passing = size;
            if (Holds(rest, "LAST"u8))
                command = Command.Contents;
        }

        if (_waitingCount < MaximumWaiting)
            _waiting[_waitingCount++] = command;
    }

    /// <summary>Mechanisms by name; others might be anything that a client writes.</summary>
    private static string Mechanism(ReadOnlySpan<byte> word) =>
        Is(word, "PLAIN"u8) ? "plain" : Is(word, "LOGIN"u8) ? "login" : Is(word, "CRAM-MD5"u8) ? "cram-md5" : Is(word, "NTLM"u8) ? "ntlm"
        : Is(word, "GSSAPI"u8) ? "gssapi" : Is(word, "XOAUTH2"u8) ? "xoauth2" : Is(word, "DIGEST-MD5"u8) ? "digest-md5" : "other";

    private LineOutcome OnReply(SessionContext context, ReadOnlySpan<byte> line)
    {
        var code = ReplyCode(line);
        if (code < 0 || (line.Length > 3 && line[3] == '-'))
            return LineOutcome.GoOn;
        const int continueAuth = 334;
        const int startContents = 354;
        if (code == continueAuth)
            return LineOutcome.GoOn;
        context.Flow.Counters.Responses++;
        if (code >= 400)
        {
            context.Flow.Counters.Failures++;
            _totals.Refused++;
        }

        var command = _inContents ? Command.Contents : Take();
        _inContents = false;
        var isGood = code is >= 200 and < 300;
        switch (command)
        {
            case Command.Data when code == startContents:
                _inContents = true;
                break;
            case Command.Contents when isGood:
                _totals.Messages++;
                context.Flow.Counters.Objects++;
                break;
            case Command.Recipient when isGood:
                _totals.Recipients++;
                break;
            case Command.Auth:
                OnLogin(context, code);
                break;
            case Command.StartTls when isGood:
                _totals.StartsTls = true;
                return LineOutcome.HandOver;
        }

        return LineOutcome.GoOn;
    }

    private Command Take()
    {
        if (_waitingCount == 0)
            return Command.Other;
        var first = _waiting[0];
        _waiting.AsSpan(1, --_waitingCount).CopyTo(_waiting);
        return first;
    }

    private void OnLogin(SessionContext context, int code)
    {
        _inAuth = false;
        var failed = code >= 400;
        _totals.Login = failed ? LoginResult.Failed : LoginResult.Succeeded;
        if (failed)
            _totals.FailedLogins++;
        if (++_logins > MaximumLogins)
            return;
        var transaction = context.Begin<SmtpTransaction>(Client);
        transaction.Event = SmtpEvent.Login;
        transaction.Login = _totals.Login;
        transaction.FailedLogins = failed ? 1 : 0;
        transaction.Mechanism = _totals.Mechanism;
        transaction.ClearPassword = _totals.Mechanism is "plain" or "login";
        transaction.ReplyCode = code;
        context.Emit(transaction);
    }
}
