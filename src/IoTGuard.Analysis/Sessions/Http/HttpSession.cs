using System.Numerics;
using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// HTTP/1.0 and HTTP/1.1 (RFC 9110, RFC 9112). A request is emitted with its response: when the response is complete, or when its body needs no more looking at; without one
/// when <see cref="MaximumOutstanding"/> others wait, and when the connection ends. Bodies are skipped but for their first bytes, the beginnings of their parts, and HL7.
/// </summary>
/// <remarks>Faults are emitted when they are found: each kind the first <see cref="FaultsInFull"/> times per connection, then at every doubling.</remarks>
public sealed class HttpSession : StreamSession
{
    /// <summary>Longest line of a head in bytes; a longer one is a fault and passed over.</summary>
    public const int MaximumLineBytes = 16 * 1024;

    /// <summary>Bytes of a head that are read; the rest of its fields is passed over.</summary>
    public const long MaximumHeadBytes = 128 * 1024;

    /// <summary>Requests that wait for their response; the oldest is told without one for one more.</summary>
    public const int MaximumOutstanding = 32;

    /// <summary>Time after which a head that is not complete is a fault, ns of packet time.</summary>
    public const long SlowHeadNs = 10_000_000_000;

    /// <summary>Faults of one kind and connection that are all emitted; of later ones only the 2ⁿth.</summary>
    public const int FaultsInFull = 4;

    private readonly HttpReader[] _readers;
    private readonly HttpExchanges _exchanges = new();
    private readonly int[] _faults = new int[(int)HttpFault.BadCompression + 1];
    private readonly Claims _claims = new();
    private Hl7Session? _hl7;
    private bool _hasHl7;
    private bool _isStale;
    private bool _sawOrthanc;
    private FlowDirection _client;

    public HttpSession() => _readers = [new(this, FlowDirection.FromOriginator), new(this, FlowDirection.FromResponder)];

    public override ApplicationProtocol Protocol => ApplicationProtocol.Http;

    /// <summary>True once the connection is another protocol's.</summary>
    internal bool IsHandedOver { get; private set; }

    /// <summary>Tells from the first bytes of a direction whether it is HTTP/1.</summary>
    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data) => HttpProbe.Probe(data);

    public override StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data) => _readers[(int)direction].OnData(context, data);

    public override void OnGap(SessionContext context, FlowDirection direction, long bytes) => _readers[(int)direction].OnGap(context, bytes);

    public override void OnHalfClose(SessionContext context, FlowDirection direction) => _readers[(int)direction].OnEnd(context);

    public override void OnEnd(SessionContext context)
    {
        foreach (var reader in _readers)
            reader.OnEnd(context);
        while (_exchanges.Count > 0)
            Emit(context, _exchanges[0]);
        if (_hasHl7)
            _hl7!.OnEnd(context);
    }

    public override void Reset()
    {
        foreach (var reader in _readers)
            reader.Reset();
        _exchanges.Clear();
        Array.Clear(_faults);
        _claims.Reset();
        if (_hasHl7)
            _hl7!.Reset();
        _hasHl7 = _isStale = _sawOrthanc = IsHandedOver = false;
        _client = FlowDirection.FromOriginator;
    }

    internal HttpExchange BeginRequest(SessionContext context, FlowDirection direction, byte version, long timeNs)
    {
        _client = direction;
        if (_isStale)
        {
            // Responses were lost: these will not be had any more.
            while (_exchanges.Count > 0)
                Emit(context, _exchanges[0]);
            _isStale = false;
        }

        if (_exchanges.IsFull)
            Emit(context, _exchanges[0]);
        context.Flow.Counters.Requests++;
        return _exchanges.Add(timeNs, version);
    }

    internal HttpExchange? BeginResponse(SessionContext context, FlowDirection direction, short status, byte version, long timeNs, bool isInterim)
    {
        if (isInterim)
        {
            context.Flow.Counters.Interim++;
            return null;
        }

        context.Flow.Counters.Responses++;
        if (status >= 400)
            context.Flow.Counters.Failures++;
        if (_exchanges.Count == 0)
        {
            _client = Opposite(direction);
            var lone = _exchanges.Add(timeNs, version);
            lone.Facts.IsPartial = true;
        }

        _exchanges[0].Facts.Status = status;
        _isStale = false;
        return _exchanges[0];
    }

    /// <summary>False when there is no body whatever the head says. The exchange is null when it was told already.</summary>
    internal bool EndRequestHead(SessionContext context, HttpExchange? exchange, ReadOnlySpan<byte> target, ref HttpHints hints)
    {
        if (exchange is null)
            return true;
        hints.Orthanc |= _sawOrthanc || PortOf(context) == HttpServices.OrthancPort;
        HttpHeaders.OfTarget(context, target, in hints, ref exchange.Facts);
        _sawOrthanc |= exchange.Facts.Service == HttpService.Orthanc;
        return true;
    }

    /// <summary>False when there is no body whatever the head says (RFC 9112 6.3).</summary>
    internal bool EndResponseHead(SessionContext context, HttpExchange? exchange)
    {
        if (exchange is null)
            return true;
        ref readonly var facts = ref exchange.Facts;
        if (facts.Method is not null)
            exchange.DurationNs = context.TimeNs - exchange.TimeNs;
        if (facts.Status == 101 || (facts.Method == "CONNECT" && facts.Status is >= 200 and < 300))
        {
            // A web socket's frames are nobody's; what else follows the probes may know.
            if (facts.Status == 101 && facts.Upgrade is { } upgrade && upgrade.Contains("websocket", StringComparison.OrdinalIgnoreCase))
            {
                _readers[0].IsDone = _readers[1].IsDone = true;
            }
            else
            {
                IsHandedOver = true;
                context.HandOver();
            }

            return false;
        }

        return facts.Method != "HEAD" && facts.Status is not (204 or 304);
    }

    /// <summary>The response of an exchange is complete.</summary>
    internal void EndResponse(SessionContext context, HttpExchange exchange) => Emit(context, exchange);

    /// <summary>Bytes were lost where a message may have begun or ended.</summary>
    internal void OnLost() => _isStale = true;

    /// <summary>Counts a fault and emits it unless its kind floods.</summary>
    internal void OnFault(SessionContext context, FlowDirection direction, HttpFault fault, HttpExchange? about)
    {
        context.Flow.Counters.Faults++;
        if (about is not null && about.Facts.Fault == HttpFault.None)
            about.Facts.Fault = fault;
        var occurrence = ++_faults[(int)fault];
        if (occurrence > FaultsInFull && !BitOperations.IsPow2(occurrence))
            return;
        var transaction = context.Begin<HttpTransaction>(_client);
        if (about is not null)
            (transaction.Facts.Method, transaction.Facts.Host, transaction.Facts.Version) = (about.Facts.Method, about.Facts.Host, about.Facts.Version);
        transaction.Event = HttpEvent.Fault;
        transaction.Facts.Fault = fault;
        transaction.Facts.SentByServer = direction != _client;
        context.Emit(transaction);
    }

    /// <summary>Bytes of an HL7 message that is a body.</summary>
    internal void OnHl7(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> bytes)
    {
        var (requests, responses) = (context.Flow.Counters.Requests, context.Flow.Counters.Responses);
        _hasHl7 = true;
        (_hl7 ??= new Hl7Session()).OnData(context, direction, bytes);
        AfterHl7(context, requests, responses);
    }

    internal void OnHl7End(SessionContext context, FlowDirection direction)
    {
        var (requests, responses) = (context.Flow.Counters.Requests, context.Flow.Counters.Responses);
        _hl7?.EndMessage(context, direction);
        AfterHl7(context, requests, responses);
    }

    private static void AfterHl7(SessionContext context, int requests, int responses)
    {
        ref var flow = ref context.Flow;
        (flow.Counters.Requests, flow.Counters.Responses, flow.Application) = (requests, responses, ApplicationProtocol.Http);
    }

    private void Emit(SessionContext context, HttpExchange exchange)
    {
        var transaction = context.Begin<HttpTransaction>(_client);
        (transaction.TimeNs, transaction.DurationNs, transaction.Facts) = (exchange.TimeNs, exchange.DurationNs, exchange.Facts);
        transaction.Bytes = Math.Max(0, exchange.Facts.RequestBytes) + Math.Max(0, exchange.Facts.ResponseBytes);
        context.Flow.Counters.ObjectBytes += transaction.Bytes;
        _claims.Add(context, transaction);
        _exchanges.RemoveAt(_exchanges.IndexOf(exchange));
        context.Emit(transaction);
    }

    private ushort PortOf(SessionContext context) => _client == FlowDirection.FromOriginator ? context.Flow.ResponderPort : context.Flow.OriginatorPort;

    private static FlowDirection Opposite(FlowDirection direction) => (FlowDirection)(1 - (int)direction);

    /// <summary>Programs are named once per connection and when they change.</summary>
    internal sealed class Claims
    {
        private string? _agent;
        private string? _server;

        public void Add(SessionContext context, HttpTransaction transaction)
        {
            ref readonly var facts = ref transaction.Facts;
            if (facts.UserAgent == _agent && facts.Server == _server)
                return;
            (_agent, _server) = (facts.UserAgent ?? _agent, facts.Server ?? _server);
            HttpHeaders.Claim(context, transaction);
        }

        public void Reset() => _agent = _server = null;
    }
}
