using System.Globalization;
using System.Text;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Tests.Hl7;

/// <summary>Drives a session as the stream does, and keeps what it emits as text.</summary>
internal sealed class Conversation
{
    public const long Second = 1_000_000_000;

    private readonly FlowRecord[] _flows = new FlowRecord[1];
    private readonly EventBatch _batch = new();
    private readonly SessionContext _context = new(new Pseudonymizer(new byte[32]));
    private readonly Hl7Session _session = new();
    private long _frame;

    public Conversation(ConnectionState state = ConnectionState.Established) => Restart(state);

    public long TimeNs { get; set; }

    /// <summary>What was emitted, in order, one line each.</summary>
    public List<string> Log { get; } = [];

    public ref FlowRecord Flow => ref _flows[0];

    public void Restart(ConnectionState state = ConnectionState.Established)
    {
        _session.Reset();
        var originator = IpAddress.FromIpv4(0x0A000001);
        var responder = IpAddress.FromIpv4(0x0A000002);
        _flows[0] = new FlowRecord
        {
            Originator = originator,
            Responder = responder,
            OriginatorPort = 50000,
            ResponderPort = 2575,
            IpProtocol = 6,
            State = state,
        };
        TimeNs = 100 * Second;
    }

    public Conversation Send(string text) => Show(FlowDirection.FromOriginator, Encoding.Latin1.GetBytes(text));

    public Conversation Answer(string text) => Show(FlowDirection.FromResponder, Encoding.Latin1.GetBytes(text));

    public Conversation Show(FlowDirection direction, ReadOnlySpan<byte> bytes)
    {
        Feed(direction, bytes);
        Drain();
        return this;
    }

    public Conversation Gap(FlowDirection direction, long bytes)
    {
        _session.OnGap(Next(), direction, bytes);
        Drain();
        return this;
    }

    public Conversation HalfClose(FlowDirection direction)
    {
        _session.OnHalfClose(Next(), direction);
        Drain();
        return this;
    }

    public Conversation End(FlowEndReason reason = FlowEndReason.Finished)
    {
        _flows[0].End = reason;
        _session.OnEnd(Next());
        Drain();
        return this;
    }

    /// <summary>Shows bytes in pieces of the given size.</summary>
    public Conversation InPieces(FlowDirection direction, ReadOnlySpan<byte> bytes, int size)
    {
        for (; !bytes.IsEmpty; bytes = bytes[Math.Min(size, bytes.Length)..])
            Feed(direction, bytes[..Math.Min(size, bytes.Length)]);
        Drain();
        return this;
    }

    /// <summary>Shows bytes and drops what is emitted, without allocating of its own.</summary>
    public int FeedOnly(FlowDirection direction, ReadOnlySpan<byte> bytes)
    {
        Feed(direction, bytes);
        var events = _batch.Events.Length;
        _batch.Clear();
        return events;
    }

    private void Feed(FlowDirection direction, ReadOnlySpan<byte> bytes)
    {
        var progress = _session.OnData(Next(), direction, bytes);
        if (progress != new StreamProgress(bytes.Length)) // Assert.Equal would allocate
            Assert.Fail($"{bytes.Length} bytes shown, {progress}");
    }

    private SessionContext Next()
    {
        _context.AtFrame(TimeNs, _frame++, _batch);
        _context.AtFlow(_flows, 0);
        return _context;
    }

    private void Drain()
    {
        foreach (var e in _batch.Events)
        {
            var transaction = (Hl7Transaction)_batch.Transaction(e.Index);
            var writer = new LineWriter(transaction.EventName);
            writer.Text("from", transaction.ClientPort == 50000 ? "originator" : "responder");
            writer.Number("bytes", transaction.Bytes);
            if (transaction.DurationNs >= 0)
                writer.Number("duration", transaction.DurationNs);
            transaction.WriteFields(ref writer);
            Log.Add(writer.ToString());
        }

        _batch.Clear();
    }

    private readonly struct LineWriter(string start) : IFieldWriter
    {
        private readonly StringBuilder _line = new(start);

        public void Text(string name, string? value)
        {
            if (value is not null)
                _line.Append(' ').Append(name).Append('=').Append(value);
        }

        public void Text(string name, ReadOnlySpan<byte> value) => Text(name, Encoding.Latin1.GetString(value));

        public void Number(string name, long value) => Text(name, value.ToString(CultureInfo.InvariantCulture));

        public void Real(string name, double value) => Text(name, value.ToString(CultureInfo.InvariantCulture));

        public void Flag(string name, bool value) => Text(name, value ? "yes" : "no");

        public void Pseudonym(string name, Pseudonym value) => Text(name, value.ToString());

        public void List(string name, ReadOnlySpan<string> values) => Text(name, string.Join(',', values.ToArray()));

        public void BeginObject(string name) => _line.Append(' ').Append(name).Append('{');

        public void EndObject() => _line.Append('}');

        public override string ToString() => _line.ToString();
    }
}
