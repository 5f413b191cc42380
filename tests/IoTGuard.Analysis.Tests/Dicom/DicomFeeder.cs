using System.Text;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;

namespace IoTGuard.Analysis.Tests.Dicom;

/// <summary>Plays the stream to a session: keeps what it does not consume, honours what it needs and skips.</summary>
internal sealed class DicomFeeder
{
    public static readonly byte[] Key = new byte[32];

    private readonly FlowRecord[] _flows = new FlowRecord[1];
    private readonly Direction[] _directions = [new(), new()];
    private int _frame;

    public DicomFeeder(bool beginningSeen = true)
    {
        _flows[0].IpProtocol = 6;
        _flows[0].OriginatorPort = 40000;
        _flows[0].ResponderPort = 104;
        _flows[0].FromOriginator.Syn = beginningSeen ? 1 : 0;
        _flows[0].FromOriginator.Packets = _flows[0].FromResponder.Packets = 1;
    }

    public DicomSession Session { get; } = new();

    public SessionContext Context { get; } = new(new Pseudonymizer(Key));

    public EventBatch Output { get; } = new();

    public ref FlowRecord Flow => ref _flows[0];

    public long TimeNs { get; set; } = 1_000;

    /// <summary>Bytes that the session never was shown.</summary>
    public long Skipped { get; private set; }

    /// <summary>Most bytes kept between calls.</summary>
    public int LargestPending { get; private set; }

    public IReadOnlyList<DicomTransaction> Transactions => [.. Events()];

    public void Client(params byte[][] bytes) => Send(FlowDirection.FromOriginator, DicomBytes.Join(bytes));

    public void Server(params byte[][] bytes) => Send(FlowDirection.FromResponder, DicomBytes.Join(bytes));

    public void Send(FlowDirection direction, ReadOnlySpan<byte> bytes)
    {
        var state = _directions[(int)direction];
        var skipped = (int)Math.Min(state.Skip, bytes.Length);
        state.Skip -= skipped;
        Skipped += skipped;
        bytes = bytes[skipped..];
        if (bytes.IsEmpty)
            return;
        state.Append(bytes);
        while (state.Count >= Math.Max(1, state.Needed))
        {
            AtFrame();
            var progress = Session.OnData(Context, direction, state.Bytes);
            Assert.True(progress.Consumed >= 0 && progress.Consumed <= state.Count);
            Assert.True(progress.Needed is >= 0 and <= StreamSession.MaximumPendingBytes && progress.Skip >= 0);
            state.Take(progress.Consumed);
            state.Needed = progress.Needed;
            skipped = (int)Math.Min(progress.Skip, state.Count);
            state.Take(skipped);
            state.Skip = progress.Skip - skipped;
            Skipped += skipped;
            LargestPending = Math.Max(LargestPending, state.Count);
            if (progress.Consumed == 0 && progress.Skip == 0)
            {
                Assert.True(progress.Needed > state.Count || progress.Needed <= 1, "asked again for what is there");
                state.Needed = Math.Max(progress.Needed, state.Count + 1);
                break;
            }
        }
    }

    public void Gap(FlowDirection direction, long bytes)
    {
        var state = _directions[(int)direction];
        var skipped = Math.Min(state.Skip, bytes);
        state.Skip -= skipped;
        if (bytes == skipped)
            return;
        state.Take(state.Count);
        state.Needed = 0;
        AtFrame();
        Session.OnGap(Context, direction, bytes - skipped);
    }

    public void End()
    {
        AtFrame();
        Session.OnEnd(Context);
    }

    /// <summary>All transactions as text, one a line.</summary>
    public string Describe()
    {
        var text = new StringBuilder();
        foreach (var transaction in Events())
            text.AppendLine(TextFieldWriter.Describe(transaction));
        return text.ToString();
    }

    private void AtFrame()
    {
        Context.AtFrame(TimeNs, _frame++, Output);
        Context.AtFlow(_flows, 0);
    }

    private List<DicomTransaction> Events()
    {
        var list = new List<DicomTransaction>();
        foreach (var e in Output.Events)
        {
            if (e.Kind == SensorEventKind.Transaction)
                list.Add((DicomTransaction)Output.Transaction(e.Index));
        }

        return list;
    }

    private sealed class Direction
    {
        private byte[] _bytes = new byte[1024];

        public int Count { get; private set; }

        public int Needed { get; set; }

        public long Skip { get; set; }

        public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, Count);

        public void Append(ReadOnlySpan<byte> bytes)
        {
            if (Count + bytes.Length > _bytes.Length)
                Array.Resize(ref _bytes, (Count + bytes.Length) * 2);
            bytes.CopyTo(_bytes.AsSpan(Count));
            Count += bytes.Length;
        }

        public void Take(int count)
        {
            _bytes.AsSpan(count, Count - count).CopyTo(_bytes);
            Count -= count;
        }
    }
}
