using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Analysis.Tests.Dicom;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Tests.Sessions;

/// <summary>Bytes that one side sends at a time, in seconds from the start of the conversation.</summary>
internal sealed record Turn(FlowDirection Direction, byte[] Bytes, double Seconds = 0)
{
    public static Turn Client(byte[] bytes, double seconds = 0) => new(FlowDirection.FromOriginator, bytes, seconds);

    public static Turn Client(string text, double seconds = 0) => Client(System.Text.Encoding.Latin1.GetBytes(text), seconds);

    public static Turn Server(byte[] bytes, double seconds = 0) => new(FlowDirection.FromResponder, bytes, seconds);

    public static Turn Server(string text, double seconds = 0) => Server(System.Text.Encoding.Latin1.GetBytes(text), seconds);
}

/// <summary>Plays a conversation to one session as the streams (or the datagrams) do, and keeps what it emits as text.</summary>
internal sealed class SessionPlayer
{
    public const ushort ClientPort = 40_000;
    public const long StartNs = 1_700_000_000_000_000_000;

    private readonly FlowRecord[] _flows = new FlowRecord[1];
    private readonly EventBatch _batch = new();
    private readonly SessionContext _context = new(new Pseudonymizer(new byte[32]));
    private readonly ProtocolSession _session;
    private readonly ushort _serverPort;
    private readonly Side[] _sides = [new(), new()];
    private long _frame;

    private sealed class Side
    {
        public byte[] Pending = new byte[1 << 16];
        public int Count;
        public int Needed;
        public long Skip;
    }

    public SessionPlayer(ProtocolSession session, ushort serverPort = 0)
    {
        _session = session;
        _serverPort = serverPort;
        Restart();
    }

    /// <summary>Emitted transactions as text, in order; faults as their kind.</summary>
    public List<string> Log { get; } = [];

    /// <summary>Events emitted since the start.</summary>
    public int Events { get; private set; }

    /// <summary>True when the session handed the connection over.</summary>
    public bool IsHandedOver { get; private set; }

    /// <summary>What the session had not consumed of a direction when it handed over.</summary>
    public ReadOnlySpan<byte> LeftOf(FlowDirection direction) => _sides[(int)direction].Pending.AsSpan(0, _sides[(int)direction].Count);

    public ref FlowRecord Flow => ref _flows[0];

    public long TimeNs { get; set; }

    /// <summary>False: transactions are counted but not written down, so that nothing is allocated.</summary>
    public bool Writes { get; init; } = true;

    /// <summary>Called with every emitted transaction.</summary>
    public Action<Transaction>? Inspect { get; init; }

    public void Restart()
    {
        _session.Reset();
        _flows[0] = new FlowRecord
        {
            Originator = IpAddress.FromIpv4(0x0A000001),
            Responder = IpAddress.FromIpv4(0x0A000002),
            OriginatorPort = ClientPort,
            ResponderPort = _serverPort,
            IpProtocol = _session is DatagramSession ? IpProtocol.Udp : IpProtocol.Tcp,
            State = ConnectionState.Established,
            Application = _session.Protocol,
        };
        _flows[0].FromOriginator.Syn = 1;
        TimeNs = StartNs;
        IsHandedOver = false;
        foreach (var side in _sides)
            (side.Count, side.Needed, side.Skip) = (0, 0, 0);
    }

    public SessionPlayer Play(IEnumerable<Turn> turns)
    {
        foreach (var turn in turns)
            Send(turn);
        return this;
    }

    public void Send(Turn turn)
    {
        TimeNs = StartNs + (long)(turn.Seconds * 1e9);
        Send(turn.Direction, turn.Bytes);
    }

    public void Send(FlowDirection direction, ReadOnlySpan<byte> bytes)
    {
        if (IsHandedOver || bytes.IsEmpty)
            return;
        if (_session is DatagramSession datagrams)
        {
            datagrams.OnDatagram(Next(), direction, bytes, 0);
            Drain();
            return;
        }

        var side = _sides[(int)direction];
        var skipped = (int)Math.Min(side.Skip, bytes.Length);
        side.Skip -= skipped;
        bytes = bytes[skipped..];
        if (side.Count + bytes.Length > side.Pending.Length)
            Array.Resize(ref side.Pending, 2 * (side.Count + bytes.Length));
        bytes.CopyTo(side.Pending.AsSpan(side.Count));
        side.Count += bytes.Length;
        while (side.Count > 0 && side.Count >= side.Needed && !IsHandedOver)
        {
            var progress = ((StreamSession)_session).OnData(Next(), direction, side.Pending.AsSpan(0, side.Count));
            if (progress.Consumed < 0 || progress.Consumed > side.Count || progress.Needed > StreamSession.MaximumPendingBytes || progress.Needed < 0 || progress.Skip < 0)
                Assert.Fail($"{side.Count} bytes shown, {progress}");
            IsHandedOver = _context.TakeHandOver();
            var gone = (int)Math.Min(side.Count, progress.Consumed + progress.Skip);
            side.Skip = progress.Consumed + progress.Skip - gone;
            side.Pending.AsSpan(gone, side.Count - gone).CopyTo(side.Pending);
            side.Count -= gone;
            side.Needed = progress.Skip > 0 ? 0 : progress.Needed;
            if (IsHandedOver)
                _session.OnEnd(Next());
            Drain();
            if (gone == 0)
                break;
        }

        if (side.Count > StreamSession.MaximumPendingBytes)
            Assert.Fail($"{side.Count} bytes are neither consumed nor skipped");
    }

    public void Gap(FlowDirection direction, long bytes)
    {
        var side = _sides[(int)direction];
        if (IsHandedOver || side.Skip > 0)
        {
            side.Skip = Math.Max(0, side.Skip - bytes);
            return;
        }

        (side.Count, side.Needed) = (0, 0);
        ((StreamSession)_session).OnGap(Next(), direction, bytes);
        Drain();
    }

    public void HalfClose(FlowDirection direction)
    {
        if (!IsHandedOver && _session is StreamSession stream)
            stream.OnHalfClose(Next(), direction);
        Drain();
    }

    public SessionPlayer End(FlowEndReason reason = FlowEndReason.Finished)
    {
        _flows[0].End = reason;
        if (!IsHandedOver)
            _session.OnEnd(Next());
        Drain();
        return this;
    }

    private SessionContext Next()
    {
        _context.AtFrame(TimeNs, _frame++, _batch);
        _context.AtFlow(_flows, 0);
        return _context;
    }

    private void Drain()
    {
        foreach (ref readonly var e in _batch.Events)
        {
            Events++;
            if (e.Kind == SensorEventKind.Transaction)
                Inspect?.Invoke(_batch.Transaction(e.Index));
            if (Writes)
                Log.Add(e.Kind == SensorEventKind.Transaction ? TextFieldWriter.Describe(_batch.Transaction(e.Index)) : _batch.Fault(e.Index).Fault.ToString());
        }

        _batch.Clear();
    }
}
