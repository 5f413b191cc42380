using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// Telnet (RFC 854, RFC 855) up to a log-in that succeeded. What the server says between two inputs of the client is a turn; its end tells whether it asks for a name or a
/// password, and after a password whether it refuses. Of a turn the last <see cref="MaximumTurnBytes"/> are kept, of the client nothing.
/// </summary>
public sealed class TelnetSession : StreamSession
{
    /// <summary>Bytes of a server's turn that are looked at.</summary>
    public const int MaximumTurnBytes = 256;

    /// <summary>Log-ins of one connection that are each told; later ones only count.</summary>
    public const int MaximumLogins = 32;

    private const byte Iac = 255;
    private const byte Sb = 250;
    private const byte Se = 240;
    private const byte FirstNegotiation = 251;
    private const byte Dont = 254;

    private readonly Code[] _codes = new Code[2];
    private readonly byte[] _turn = new byte[MaximumTurnBytes];
    private int _turnLength;
    private Expect _expect;
    private bool _hasText;
    private bool _hasPrompt;
    private bool _clearPassword;
    private int _negotiations;
    private int _logins;
    private int _failed;
    private LoginResult _result;

    /// <summary>Where in a command sequence a direction is.</summary>
    private enum Code : byte
    {
        Text,
        Command,
        Option,
        Subnegotiation,
        SubnegotiationCommand,
    }

    /// <summary>What the client's next input, or the server's next turn, will be.</summary>
    private enum Expect : byte
    {
        Nothing,
        Name,
        PasswordPrompt,
        Password,
        Answer,
    }

    private enum Prompt : byte
    {
        None,
        Name,
        Password,
    }

    public override ApplicationProtocol Protocol => ApplicationProtocol.Telnet;

    /// <summary>Two option negotiations in a row, or a subnegotiation after one, are certain; a single one is likely on the port.</summary>
    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        const byte lastKnownOption = 49;
        var count = 0;
        for (var at = 0; ; at += 3, count++)
        {
            var rest = data[Math.Min(at, data.Length)..];
            if (count == 2)
                return ProbeResult.Certain;
            if (rest.IsEmpty)
                return count == 0 ? ProbeResult.Unsure : ProbeResult.Likely;
            if (rest[0] != Iac)
                return count == 0 ? ProbeResult.NotForUs : ProbeResult.Likely;
            if (rest.Length > 1 && rest[1] == Sb && count > 0)
                return ProbeResult.Certain;
            if (rest.Length > 1 && rest[1] is < FirstNegotiation or > Dont)
                return ProbeResult.NotForUs;
            if (rest.Length > 2 && rest[2] > lastKnownOption)
                return ProbeResult.NotForUs;
            if (rest.Length < 3)
                return ProbeResult.Unsure;
        }
    }

    public override StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (_result == LoginResult.Succeeded)
            return new StreamProgress(data.Length, 0, Everything);
        ref var code = ref _codes[(int)direction];
        foreach (var octet in data)
        {
            switch (code)
            {
                case Code.Text when octet == Iac:
                    code = Code.Command;
                    break;
                case Code.Text:
                    OnText(context, direction, octet);
                    break;
                case Code.Command when octet is >= FirstNegotiation and <= Dont:
                    code = Code.Option;
                    break;
                case Code.Command:
                    code = octet == Sb ? Code.Subnegotiation : Code.Text;
                    break;
                case Code.Option:
                    _negotiations++;
                    code = Code.Text;
                    break;
                case Code.Subnegotiation when octet == Iac:
                    code = Code.SubnegotiationCommand;
                    break;
                case Code.SubnegotiationCommand:
                    code = octet == Se ? Code.Text : Code.Subnegotiation;
                    break;
            }
        }

        return new StreamProgress(data.Length);
    }

    public override void OnGap(SessionContext context, FlowDirection direction, long bytes)
    {
        _codes[(int)direction] = Code.Text;
        if (direction == FlowDirection.FromResponder)
            _turnLength = 0;
    }

    public override void OnEnd(SessionContext context)
    {
        EndTurn(context);
        if (_negotiations == 0 && !_hasText)
            return;
        ref var flow = ref context.Flow;
        var transaction = context.Begin<TelnetTransaction>();
        transaction.Event = TelnetEvent.Session;
        transaction.TimeNs = flow.FirstNs;
        transaction.DurationNs = flow.LastNs - flow.FirstNs;
        transaction.Bytes = flow.FromOriginator.PayloadBytes + flow.FromResponder.PayloadBytes;
        transaction.Login = _result;
        transaction.FailedLogins = Math.Max(0, _failed - MaximumLogins);
        transaction.ClearPassword = _clearPassword;
        transaction.Negotiations = _negotiations;
        transaction.HasPrompt = _hasPrompt;
        context.Emit(transaction);
    }

    public override void Reset()
    {
        Array.Clear(_codes);
        _turnLength = _negotiations = _logins = _failed = 0;
        _expect = Expect.Nothing;
        _hasText = _hasPrompt = _clearPassword = false;
        _result = LoginResult.Unknown;
    }

    private void OnText(SessionContext context, FlowDirection direction, byte octet)
    {
        _hasText = true;
        if (direction == FlowDirection.FromResponder)
        {
            if (_turnLength == MaximumTurnBytes)
            {
                _turnLength /= 2;
                _turn.AsSpan(_turnLength, _turnLength).CopyTo(_turn);
            }

            _turn[_turnLength++] = octet;
            return;
        }

        EndTurn(context);
        if (octet is not ((byte)'\r' or (byte)'\n'))
            return;
        if (_expect == Expect.Name)
        {
            _expect = Expect.PasswordPrompt;
        }
        else if (_expect == Expect.Password)
        {
            _expect = Expect.Answer;
            _clearPassword = true;
        }
    }

    /// <summary>The server has said what it had to say.</summary>
    private void EndTurn(SessionContext context)
    {
        var text = _turn.AsSpan(0, _turnLength).Trim(" \t\r\n\0\a"u8);
        _turnLength = 0;
        if (text.IsEmpty)
            return;
        var prompt = PromptOf(text);
        _hasPrompt |= prompt != Prompt.None;
        if (_expect == Expect.Answer)
        {
            var refused = prompt != Prompt.None || Refuses(text);
            Emit(context, refused);
            _expect = Expect.Nothing;
        }

        if (prompt != Prompt.None)
            _expect = prompt == Prompt.Name ? Expect.Name : Expect.Password;
    }

    private void Emit(SessionContext context, bool refused)
    {
        _result = refused ? LoginResult.Failed : LoginResult.Succeeded;
        context.Flow.Counters.Requests++;
        context.Flow.Counters.Responses++;
        if (refused)
        {
            context.Flow.Counters.Failures++;
            _failed++;
        }

        if (++_logins > MaximumLogins)
            return;
        var transaction = context.Begin<TelnetTransaction>();
        transaction.Event = TelnetEvent.Login;
        transaction.Login = _result;
        transaction.FailedLogins = refused ? 1 : 0;
        transaction.ClearPassword = true;
        context.Emit(transaction);
    }

    private static Prompt PromptOf(ReadOnlySpan<byte> text)
    {
        if (text[^1] is not ((byte)':' or (byte)'?' or (byte)'>'))
            return Prompt.None;
        var end = text[^Math.Min(text.Length, 24)..];
        if (LineSession.Holds(end, "PASSWORD"u8) || LineSession.Holds(end, "PASSCODE"u8))
            return Prompt.Password;
        return LineSession.Holds(end, "LOGIN:"u8) || LineSession.Holds(end, "USERNAME"u8) || LineSession.Holds(end, "USER:"u8) || LineSession.Holds(end, "USER NAME"u8)
            ? Prompt.Name
            : Prompt.None;
    }

    private static bool Refuses(ReadOnlySpan<byte> text) =>
        LineSession.Holds(text, "INCORRECT"u8) || LineSession.Holds(text, "FAIL"u8) || LineSession.Holds(text, "DENIED"u8) || LineSession.Holds(text, "INVALID"u8)
        || LineSession.Holds(text, "WRONG"u8) || LineSession.Holds(text, "BAD PASSWORD"u8);
}
