using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Sessions;

/// <summary>The control connection of FTP (RFC 959). Hands over to TLS after AUTH (RFC 4217).</summary>
public sealed class FtpSession : LineSession
{
    /// <summary>Log-ins of one connection that are each told; later ones only count.</summary>
    public const int MaximumLogins = 32;

    private readonly FtpTransaction _totals = new();
    private FlowDirection _server = FlowDirection.FromResponder;
    private Command _command;
    private bool _userIsAnonymous;
    private bool _passwordSent;
    private int _multiline;
    private int _logins;
    private long _startNs;
    private long _lastNs;

    private enum Command : byte
    {
        None,
        User,
        Password,
        Auth,
        Store,
        Retrieve,
        Delete,
        Rename,
        List,
        Other,
    }

    public override ApplicationProtocol Protocol => ApplicationProtocol.Ftp;

    /// <summary>A greeting that names FTP, or a command that only FTP has; a greeting that names nothing is likely on its port.</summary>
    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty)
            return ProbeResult.Unsure;
        if (data[0] == '2')
        {
            var answer = ProbeGreeting(data, out var line);
            if (answer != ProbeResult.Likely)
                return answer;
            return Holds(line, "SMTP"u8) ? ProbeResult.NotForUs : Holds(line, "FTP"u8) ? ProbeResult.Certain : ProbeResult.Likely;
        }

        if (data[0] is not ((byte)'A' or (byte)'a' or (byte)'U' or (byte)'u'))
            return ProbeResult.NotForUs;
        if (data.Length < 9)
            return IsStart("AUTH TLS"u8, data) || IsStart("AUTH SSL"u8, data) || IsStart("USER "u8, data) ? ProbeResult.Unsure : ProbeResult.NotForUs;
        return IsStart("AUTH TLS"u8, data) || IsStart("AUTH SSL"u8, data) || IsStart("USER "u8, data) ? ProbeResult.Likely : ProbeResult.NotForUs;
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
        var transaction = context.Begin<FtpTransaction>(Client);
        transaction.CopyFrom(_totals);
        transaction.Event = FtpEvent.Session;
        transaction.TimeNs = _startNs;
        transaction.DurationNs = _lastNs - _startNs;
        transaction.FailedLogins = Math.Max(0, _totals.FailedLogins - MaximumLogins);
        transaction.Claim(transaction.Server, ClaimKind.Software, transaction.Software);
        context.Emit(transaction);
    }

    public override void Reset()
    {
        base.Reset();
        _totals.Reset();
        _totals.Bytes = 0;
        _server = FlowDirection.FromResponder;
        _command = Command.None;
        _userIsAnonymous = _passwordSent = false;
        _multiline = _logins = 0;
        _startNs = _lastNs = 0;
    }

    protected override LineOutcome OnLine(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> line)
    {
        if (_totals.Software is null && _totals.Commands == 0 && ReplyCode(line) == 220)
            _server = direction;
        if (direction != _server)
        {
            OnCommand(context, line);
            return LineOutcome.GoOn;
        }

        var code = ReplyCode(line);
        if (_multiline > 0 && (code != _multiline || line.Length < 4 || line[3] != ' '))
            return LineOutcome.GoOn;
        _multiline = _multiline == 0 && line.Length > 3 && line[3] == '-' ? code : 0;
        if (code == 220 && _command == Command.None)
            _totals.Software ??= context.Texts.Of(line[Math.Min(4, line.Length)..]);
        return _multiline > 0 || code < 0 ? LineOutcome.GoOn : OnReply(context, code);
    }

    private FlowDirection Client => (FlowDirection)(1 - (int)_server);

    private static bool IsStart(ReadOnlySpan<byte> word, ReadOnlySpan<byte> data)
    {
        var length = Math.Min(word.Length, data.Length);
        return Is(word[..length], data[..length]);
    }

    private void OnCommand(SessionContext context, ReadOnlySpan<byte> line)
    {
        context.Flow.Counters.Requests++;
        _totals.Commands++;
        Span<byte> upper = stackalloc byte[4];
        var word = FirstWord(line);
        if (word.Length is 0 or > 4)
        {
            _command = Command.Other;
            return;
        }

        System.Text.Ascii.ToUpper(word, upper, out var length);
        _command = CommandOf(upper[..length]);
        switch (_command)
        {
            case Command.User:
                _userIsAnonymous = Is(AfterFirstWord(line), "anonymous"u8) || Is(AfterFirstWord(line), "ftp"u8);
                _passwordSent = false;
                break;
            case Command.Password:
                _passwordSent = true;
                _totals.ClearPassword |= !_userIsAnonymous;
                break;
        }
    }

    private static Command CommandOf(ReadOnlySpan<byte> word) => word switch
    {
        _ when word.SequenceEqual("USER"u8) => Command.User,
        _ when word.SequenceEqual("PASS"u8) => Command.Password,
        _ when word.SequenceEqual("AUTH"u8) => Command.Auth,
        _ when word.SequenceEqual("STOR"u8) || word.SequenceEqual("STOU"u8) || word.SequenceEqual("APPE"u8) => Command.Store,
        _ when word.SequenceEqual("RETR"u8) => Command.Retrieve,
        _ when word.SequenceEqual("DELE"u8) => Command.Delete,
        _ when word.SequenceEqual("RNTO"u8) => Command.Rename,
        _ when word.SequenceEqual("LIST"u8) || word.SequenceEqual("NLST"u8) || word.SequenceEqual("MLSD"u8) => Command.List,
        _ => Command.Other,
    };

    private LineOutcome OnReply(SessionContext context, int code)
    {
        if (code < 200)
            return LineOutcome.GoOn;
        var command = _command;
        context.Flow.Counters.Responses++;
        if (code >= 400)
        {
            context.Flow.Counters.Failures++;
            _totals.Refused++;
        }

        if (command is Command.User or Command.Password && code is < 300 or >= 400)
            OnLogin(context, code);
        if (code is < 200 or >= 300)
            return LineOutcome.GoOn;
        _command = Command.None;
        switch (command)
        {
            case Command.Auth when code == 234:
                _totals.StartsTls = true;
                return LineOutcome.HandOver;
            case Command.Store:
                _totals.Stored++;
                break;
            case Command.Retrieve:
                _totals.Retrieved++;
                break;
            case Command.Delete:
                _totals.Deleted++;
                break;
            case Command.Rename:
                _totals.Renamed++;
                break;
            case Command.List:
                _totals.Listed++;
                break;
        }

        return LineOutcome.GoOn;
    }

    private void OnLogin(SessionContext context, int code)
    {
        var failed = code >= 400;
        _totals.Login = failed ? LoginResult.Failed : LoginResult.Succeeded;
        _totals.IsAnonymous |= _userIsAnonymous && !failed;
        if (failed)
            _totals.FailedLogins++;
        if (++_logins > MaximumLogins)
            return;
        var transaction = context.Begin<FtpTransaction>(Client);
        transaction.Event = FtpEvent.Login;
        transaction.Login = _totals.Login;
        transaction.FailedLogins = failed ? 1 : 0;
        transaction.IsAnonymous = _userIsAnonymous;
        transaction.ClearPassword = _passwordSent && !_userIsAnonymous;
        transaction.ReplyCode = code;
        context.Emit(transaction);
    }
}
