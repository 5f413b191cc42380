using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.Socks;

namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// SOCKS 5 (RFC 1928, RFC 1929) and SOCKS 4 up to the proxy's reply, and hands the connection over to what is relayed. Names of users and passwords are passed over.
/// </summary>
public sealed class SocksSession : StreamSession
{
    /// <summary>Methods that a client may offer in a greeting that is recognised.</summary>
    public const int MaximumMethods = 9;

    /// <summary>Bytes that a client may send before the reply and that the next protocol sees; after more of them nothing is read.</summary>
    public const int MaximumEarlyBytes = 16 * 1024;

    private const byte Version4 = 4;
    private const byte Version5 = 5;
    private const byte LoginVersion = 1;
    private const byte PasswordMethod = 2;
    private const byte Refused = 0xFF;
    private const byte LastCommand = 3;

    private readonly SocksTransaction _facts = new();
    private Step _client;
    private Step _server;
    private bool _emitted;
    private long _startNs;

    private enum Step : byte
    {
        Greeting,
        Request,
        Done,
    }

    public override ApplicationProtocol Protocol => ApplicationProtocol.Socks;

    /// <summary>
    /// A greeting that is the whole of what the client sends, with methods that are registered, each once; or a request of SOCKS 4 with a printable user. The client waits for
    /// the answer, so that more than that is something else.
    /// </summary>
    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (direction != FlowDirection.FromOriginator || data.IsEmpty)
            return direction == FlowDirection.FromOriginator ? ProbeResult.Unsure : ProbeResult.NotForUs;
        if (data[0] == Version5)
            return ProbeGreeting(data);
        if (data[0] != Version4 || (data.Length > 1 && data[1] is not (1 or 2)))
            return ProbeResult.NotForUs;
        var read = SocksMessage.ReadRequest(data, out var request);
        if (read == SocksRead.NeedsMore)
            return data.Length > 8 && data[8..].ContainsAnyExceptInRange((byte)' ', (byte)'~') ? ProbeResult.NotForUs : ProbeResult.Unsure;
        return read == SocksRead.Done && request.Length == data.Length && request.Port != 0 && data[8] is 0 or (>= (byte)' ' and <= (byte)'~') ? ProbeResult.Certain : ProbeResult.NotForUs;
    }

    public override StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (_startNs == 0)
            _startNs = context.TimeNs;
        var consumed = direction == FlowDirection.FromOriginator ? OnClient(context, data, out var needed) : OnServer(context, data, out needed);

        // What the client sends before the reply is for whom it asked for.
        if (direction == FlowDirection.FromOriginator && _client == Step.Done && _server != Step.Done)
        {
            if (data.Length - consumed <= MaximumEarlyBytes)
                return new StreamProgress(consumed, data.Length - consumed + 1);
            End(context);
        }

        return _server == Step.Done && !_facts.IsGranted ? new StreamProgress(data.Length, 0, Everything) : new StreamProgress(consumed, consumed > 0 ? 0 : needed);
    }

    public override void OnGap(SessionContext context, FlowDirection direction, long bytes)
    {
        if (bytes > 0)
            End(context);
    }

    public override void OnEnd(SessionContext context)
    {
        if (_startNs != 0)
            Emit(context, isAnswered: false);
    }

    public override void Reset()
    {
        _facts.Reset();
        _client = _server = Step.Greeting;
        _emitted = false;
        _startNs = 0;
    }

    private static ProbeResult ProbeGreeting(ReadOnlySpan<byte> data)
    {
        const byte lastMethod = 9;
        const byte firstPrivate = 0x80;
        if (data.Length < 2)
            return ProbeResult.Unsure;
        int count = data[1];
        if (count is 0 or > MaximumMethods || data.Length > 2 + count)
            return ProbeResult.NotForUs;
        var methods = data[2..];
        for (var i = 0; i < methods.Length; i++)
        {
            if (methods[i] is (> lastMethod and < firstPrivate) or Refused || methods[..i].Contains(methods[i]))
                return ProbeResult.NotForUs;
        }

        return methods.Length < count ? ProbeResult.Unsure : ProbeResult.Certain;
    }

    private int OnClient(SessionContext context, ReadOnlySpan<byte> data, out int needed)
    {
        needed = 0;
        switch (_client)
        {
            case Step.Greeting when data[0] == Version5:
                needed = data.Length < 2 ? 2 : 2 + data[1];
                if (data.Length < needed)
                    return 0;
                _facts.Version = Version5;
                _client = Step.Request;
                return needed;

            // RFC 1929: version, name, password.
            case Step.Request when data[0] == LoginVersion:
                needed = data.Length < 2 ? 2 : 3 + data[1];
                if (data.Length < needed)
                    return 0;
                needed += data[needed - 1];
                return data.Length < needed ? 0 : needed;
            case Step.Greeting or Step.Request:
                return OnRequest(context, data, out needed);
            default:
                return 0;
        }
    }

    private int OnRequest(SessionContext context, ReadOnlySpan<byte> data, out int needed)
    {
        needed = data.Length + 1;
        var read = SocksMessage.ReadRequest(data, out var request);
        if (read == SocksRead.NeedsMore)
            return 0;
        if (read == SocksRead.Invalid || request.Code is 0 or > LastCommand)
        {
            End(context);
            return data.Length;
        }

        context.Flow.Counters.Requests++;
        _client = Step.Done;
        (_facts.Version, _facts.Command, _facts.HasUser) = (request.Version, request.Code, request.HasUser);
        (_facts.TargetAddress, _facts.TargetName, _facts.TargetPort) = (request.Address, context.Texts.Of(request.Name), request.Port);
        if (request.Version == Version4)
            _server = Step.Request;
        return request.Length;
    }

    private int OnServer(SessionContext context, ReadOnlySpan<byte> data, out int needed)
    {
        needed = 2;
        if (data.Length < needed || _server == Step.Done)
            return 0;
        if (_server == Step.Greeting && data[0] == Version5)
        {
            _facts.Method = data[1];
            _server = Step.Request;
            if (data[1] == Refused)
                Refuse(context);
            return needed;
        }

        if (_server == Step.Request && data[0] == LoginVersion && _facts.Method == PasswordMethod)
        {
            _facts.IsLoginRefused = data[1] != 0;
            if (_facts.IsLoginRefused)
                Refuse(context);
            return needed;
        }

        needed = data.Length + 1;
        var read = SocksMessage.ReadReply(data, out var reply);
        if (read == SocksRead.NeedsMore)
            return 0;
        if (read == SocksRead.Invalid || _client != Step.Done)
        {
            End(context);
            return data.Length;
        }

        context.Flow.Counters.Responses++;
        _facts.Reply = reply.Code;
        _server = Step.Done;
        Emit(context, isAnswered: true);
        if (_facts.IsGranted)
            context.HandOver();
        else
            context.Flow.Counters.Failures++;
        return reply.Length;
    }

    private void Refuse(SessionContext context)
    {
        context.Flow.Counters.Failures++;
        End(context);
    }

    private void End(SessionContext context)
    {
        Emit(context, isAnswered: false);
        _client = _server = Step.Done;
    }

    private void Emit(SessionContext context, bool isAnswered)
    {
        if (_emitted || _facts.Version == 0)
            return;
        _emitted = true;
        var transaction = context.Begin<SocksTransaction>();
        transaction.CopyFrom(_facts);
        transaction.TimeNs = _startNs;
        transaction.DurationNs = isAnswered ? context.TimeNs - _startNs : -1;
        context.Emit(transaction);
    }
}
