using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;

namespace IoTGuard.Analysis.Tests.Streams;

/// <summary>What sessions were shown: per direction the bytes, −1 for each byte of a gap, −2 for an interruption of unknown length.</summary>
internal sealed class Recorder
{
    public const int Unknown = -2;

    public List<int>[] Shown { get; } = [[], []];

    public List<string> Happened { get; } = [];

    /// <summary>The reasons that sessions were given for their ends.</summary>
    public List<FlowEndReason> Ends { get; } = [];

    public int Calls { get; set; }

    /// <summary>Decides what a session does with bytes; by default it takes all.</summary>
    public Func<FlowDirection, byte[], StreamProgress> Take { get; set; } = static (_, data) => new StreamProgress(data.Length);

    public Func<FlowDirection, byte[], ProbeResult> Probe { get; set; } = static (_, _) => ProbeResult.Certain;

    public ushort[] HintPorts { get; set; } = [];

    public ProtocolRow[] Rows =>
    [
        new("recorded", (direction, prefix) => Probe(direction, prefix.ToArray()), () => new RecordingSession(this), HintPorts) { ReadsMidStream = true },
    ];

    public string TextOf(FlowDirection direction) =>
        string.Concat(Shown[(int)direction].Select(b => b == Unknown ? "?" : b < 0 ? "-" : ((char)b).ToString()));
}

internal sealed class RecordingSession(Recorder recorder) : StreamSession
{
    public override ApplicationProtocol Protocol => ApplicationProtocol.Hl7;

    public override StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        recorder.Calls++;
        Assert.False(data.IsEmpty);
        var progress = recorder.Take(direction, data.ToArray());
        foreach (var octet in data[..progress.Consumed])
            recorder.Shown[(int)direction].Add(octet);
        context.Flow.Counters.Requests++;
        return progress;
    }

    public override void OnGap(SessionContext context, FlowDirection direction, long bytes)
    {
        if (bytes == 0)
            recorder.Shown[(int)direction].Add(Recorder.Unknown);
        for (var i = 0L; i < Math.Min(bytes, 100_000); i++)
            recorder.Shown[(int)direction].Add(-1);
    }

    public override void OnHalfClose(SessionContext context, FlowDirection direction) => recorder.Happened.Add($"half close {direction}");

    public override void OnEnd(SessionContext context)
    {
        recorder.Happened.Add("end");
        recorder.Ends.Add(context.Flow.End);
    }

    public override void Reset() => recorder.Happened.Add("reset");
}
