using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Sessions;

/// <summary>A command to a line printer daemon (RFC 1179 5), with the bytes that its connection carried. Queue, job and user names are not kept.</summary>
public sealed class LpdTransaction : Transaction
{
    private static readonly string[] Commands = ["", "print_waiting", "receive_job", "queue_short", "queue_long", "remove_jobs"];

    /// <summary>Command code, 1 to 5.</summary>
    public int Command { get; set; }

    public override string Protocol => "lpd";

    public override string EventName => "command";

    public override void Reset() => Command = 0;

    public override void WriteFields<TWriter>(ref TWriter writer) => writer.Text("command", Commands[Command]);
}

/// <summary>LPD: the command is read, the job passed over.</summary>
public sealed class LpdSession : StreamSession
{
    private int _command;
    private long _timeNs;
    private FlowDirection _client;

    public override ApplicationProtocol Protocol => ApplicationProtocol.Lpd;

    /// <summary>A command byte, a queue's name, a line feed: believed on port 515.</summary>
    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        const int LongestLine = 256;
        if (data.IsEmpty)
            return ProbeResult.Unsure;
        if (data[0] is 0 or > 5)
            return ProbeResult.NotForUs;
        var end = data.IndexOf((byte)'\n');
        var line = data[1..(end < 0 ? data.Length : end)];
        if (line.Length > LongestLine || line.ContainsAnyExceptInRange((byte)' ', (byte)'~'))
            return ProbeResult.NotForUs;
        return end < 0 ? ProbeResult.Unsure : line.IsEmpty ? ProbeResult.NotForUs : ProbeResult.Likely;
    }

    public override StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (_command == 0 && direction == FlowDirection.FromOriginator && data[0] is > 0 and <= 5)
        {
            _command = data[0];
            _timeNs = context.TimeNs;
            _client = direction;
            context.Flow.Counters.Requests++;
        }

        return new StreamProgress(data.Length, 0, Everything);
    }

    public override void OnGap(SessionContext context, FlowDirection direction, long bytes)
    {
    }

    public override void OnEnd(SessionContext context)
    {
        if (_command == 0)
            return;
        var transaction = context.Begin<LpdTransaction>(_client);
        transaction.TimeNs = _timeNs;
        transaction.DurationNs = context.TimeNs - _timeNs;
        transaction.Bytes = context.Flow.FromOriginator.PayloadBytes;
        transaction.Command = _command;
        context.Emit(transaction);
        _command = 0;
    }

    public override void Reset()
    {
        _command = 0;
        _timeNs = 0;
        _client = FlowDirection.FromOriginator;
    }
}
