using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Sessions;

/// <summary>POP3 (RFC 1939, RFC 2595) or IMAP (RFC 9051) up to a log-in that succeeds; then nothing is read. Hands over to TLS after STLS and STARTTLS.</summary>
public sealed class MailboxSession(bool isImap) : LineSession
{
    private const int MaximumTagBytes = 32;

    private readonly byte[] _tag = new byte[MaximumTagBytes];
    private int _tagLength;
    private Command _command;
    private FlowDirection _server;
    private string? _software;
    private bool _clearPassword;
    private bool _startsTls;
    private int _failed;
    private LoginResult _login;
    private long _startNs;
    private long _bytes;

    private enum Command : byte
    {
        Other,
        Login,
        StartTls,
    }

    public override ApplicationProtocol Protocol => isImap ? ApplicationProtocol.Imap : ApplicationProtocol.Pop3;

    /// <summary>A greeting +OK; certain when it names the protocol.</summary>
    public static ProbeResult ProbePop3(FlowDirection direction, ReadOnlySpan<byte> data) => Probe(data, "+OK"u8, "POP3"u8);

    /// <summary>A greeting * OK; certain when it names the protocol.</summary>
    public static ProbeResult ProbeImap(FlowDirection direction, ReadOnlySpan<byte> data) => Probe(data, "* OK"u8, "IMAP"u8);

    public override StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (_startNs == 0)
        {
            _startNs = context.TimeNs;
            _server = data[0] == (isImap ? '*' : '+') ? direction : FlowDirection.FromResponder;
        }

        if (_login == LoginResult.Succeeded)
            return new StreamProgress(data.Length, 0, Everything);
        var progress = base.OnData(context, direction, data);
        if (_login != LoginResult.Succeeded)
            _bytes += progress.Consumed;
        return progress;
    }

    public override void OnEnd(SessionContext context)
    {
        if (_startNs == 0)
            return;
        var transaction = context.Begin<MailboxTransaction>((FlowDirection)(1 - (int)_server));
        transaction.IsImap = isImap;
        transaction.TimeNs = _startNs;
        transaction.Bytes = _bytes;
        transaction.Software = _software;
        transaction.Login = _login;
        transaction.FailedLogins = _failed;
        transaction.ClearPassword = _clearPassword;
        transaction.StartsTls = _startsTls;
        transaction.Claim(transaction.Server, ClaimKind.Software, _software);
        context.Emit(transaction);
    }

    public override void Reset()
    {
        base.Reset();
        _tagLength = 0;
        _command = Command.Other;
        _server = FlowDirection.FromResponder;
        _software = null;
        _clearPassword = _startsTls = false;
        _failed = 0;
        _login = LoginResult.Unknown;
        _startNs = _bytes = 0;
    }

    protected override LineOutcome OnLine(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> line)
    {
        if (direction != _server)
        {
            context.Flow.Counters.Requests++;
            OnCommand(line);
            return LineOutcome.GoOn;
        }

        if (_software is null)
        {
            _software = context.Texts.Of(line[Math.Min(line.Length, isImap ? 5 : 4)..]);
            return LineOutcome.GoOn;
        }

        return _command == Command.Other || Answer(line) is not { } good ? LineOutcome.GoOn : OnAnswer(context, good);
    }

    private static ProbeResult Probe(ReadOnlySpan<byte> data, ReadOnlySpan<byte> greeting, ReadOnlySpan<byte> name)
    {
        if (!greeting.StartsWith(data[..Math.Min(greeting.Length, data.Length)]))
            return ProbeResult.NotForUs;
        if (data.Length <= greeting.Length)
            return ProbeResult.Unsure;
        if (data[greeting.Length] is not ((byte)' ' or (byte)'\r'))
            return ProbeResult.NotForUs;
        var end = data.IndexOf((byte)'\n');
        if (end < 0 && data.Length < MaximumLineBytes)
            return ProbeResult.Unsure;
        return Holds(end < 0 ? data : data[..end], name) ? ProbeResult.Certain : ProbeResult.Likely;
    }

    private void OnCommand(ReadOnlySpan<byte> line)
    {
        var word = FirstWord(line);
        if (isImap)
        {
            if (word.Length > MaximumTagBytes || word.IsEmpty || AfterFirstWord(line).IsEmpty)
                return;
            word.CopyTo(_tag);
            _tagLength = word.Length;
            word = FirstWord(AfterFirstWord(line));
            _command = Is(word, "LOGIN"u8) || Is(word, "AUTHENTICATE"u8) ? Command.Login : Is(word, "STARTTLS"u8) ? Command.StartTls : Command.Other;
            _clearPassword |= Is(word, "LOGIN"u8) || Is(FirstWord(AfterFirstWord(AfterFirstWord(line))), "PLAIN"u8);
            return;
        }

        _command = Is(word, "PASS"u8) || Is(word, "APOP"u8) || Is(word, "AUTH"u8) ? Command.Login : Is(word, "STLS"u8) ? Command.StartTls
            : _command == Command.Login && AfterFirstWord(line).IsEmpty ? _command : Command.Other;
        _clearPassword |= Is(word, "PASS"u8) || (Is(word, "AUTH"u8) && Is(FirstWord(AfterFirstWord(line)), "PLAIN"u8));
    }

    /// <summary>True or false for the answer to the command; null for other lines.</summary>
    private bool? Answer(ReadOnlySpan<byte> line)
    {
        if (!isImap)
            return line.StartsWith("+OK"u8) ? true : line.StartsWith("-ERR"u8) ? false : null;
        if (!FirstWord(line).SequenceEqual(_tag.AsSpan(0, _tagLength)))
            return null;
        return Is(FirstWord(AfterFirstWord(line)), "OK"u8);
    }

    private LineOutcome OnAnswer(SessionContext context, bool good)
    {
        var command = _command;
        _command = Command.Other;
        context.Flow.Counters.Responses++;
        if (!good)
            context.Flow.Counters.Failures++;
        if (command == Command.StartTls)
        {
            _startsTls = good;
            return good ? LineOutcome.HandOver : LineOutcome.GoOn;
        }

        _login = good ? LoginResult.Succeeded : LoginResult.Failed;
        if (!good)
            _failed++;
        return good ? LineOutcome.Stop : LineOutcome.GoOn;
    }
}
