using System.Globalization;
using IoTGuard.Analysis;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Flows;
using IoTGuard.Wire;

namespace IoTGuard.Outputs.Packets;

/// <summary>
/// Keeps the packets behind alerts: recent frames of all flows lie in a ring in memory; when an alert opens, those of its flows go into its file, and
/// further ones follow until it closes. Frames are taken on the threads that read them; alerts and the clock come on one other thread. Over a capture the
/// outcome depends on its packets only.
/// </summary>
internal sealed class EvidenceCollector : IDisposable
{
    /// <summary>Alerts whose packets are followed at once; alerts beyond it get no file, counted.</summary>
    public const int MaximumOpen = 1024;

    /// <summary>Flows of one alert; further ones are left out, counted in its file's size only.</summary>
    public const int MaximumFlows = 256;

    private readonly EvidenceSettings _settings;
    private readonly Source[] _sources;
    private readonly EvidenceFolder _folder;
    private readonly Dictionary<string, EvidenceFile> _open = new(StringComparer.Ordinal);
    private readonly Dictionary<ulong, List<EvidenceFile>> _watched = [];
    private readonly KeptFrame[] _read = new KeptFrame[1024];
    private long _refused;

    /// <summary>Frames of one reading thread.</summary>
    private sealed class Source(SensorOptions options)
    {
        public FrameHistory History { get; } = new();

        public FrameFlows Flows { get; } = new(options);

        /// <summary>Flows of the frames that were followed; used by the thread that alerts come on.</summary>
        public FlowIndex Index { get; } = new(new FrameFlows(options));

        public ulong[] Numbers { get; } = new ulong[FrameBatch.Capacity];

        /// <summary>Index of the first frame that was not followed yet.</summary>
        public long Next { get; set; }
    }

    /// <param name="settings">With a folder.</param>
    /// <param name="options">Of the sensors: which flows are one flow.</param>
    /// <param name="sources">Threads that read frames.</param>
    /// <param name="isLive">A slow disk may then hold nothing up: what it does not take is lost, counted.</param>
    public EvidenceCollector(EvidenceSettings settings, SensorOptions options, int sources, bool isLive)
    {
        _settings = settings;
        _sources = [.. Enumerable.Range(0, sources).Select(_ => new Source(options))];
        _folder = new EvidenceFolder(settings, isLive);
    }

    /// <summary>Files begun so far.</summary>
    public long Files { get; private set; }

    /// <summary>Packets and alerts that were left out because a limit was reached or the disk took nothing.</summary>
    public long Lost => _refused + _folder.Lost;

    /// <summary>Copies the frames of a batch, before it is released. One thread for each source.</summary>
    public void Take(int source, FrameBatch batch)
    {
        var of = _sources[source];
        var bytes = batch.Memory.Span;
        var frames = batch.Frames;
        for (var i = 0; i < frames.Length; i++)
            of.Numbers[i] = of.Flows.NumberOf(frames[i], bytes.Slice(frames[i].Offset, frames[i].Length));
        of.History.Add(batch, of.Numbers, _settings.SnapBytes);
    }

    /// <summary>An alert opens, changes or closes at a time of the run's clock, ns.</summary>
    public void OnAlert(Alert alert, AlertPhase phase, long clockNs)
    {
        Follow(clockNs);
        if (!_open.TryGetValue(alert.Id, out var file))
        {
            if (_open.Count >= MaximumOpen)
            {
                _refused++;
                return;
            }

            file = new EvidenceFile(alert, _settings, _folder);
            _open.Add(alert.Id, file);
            Files++;
        }

        foreach (var source in _sources)
            TakeUp(file, alert, source);
        if (phase == AlertPhase.Closed)
            Close(file);
    }

    /// <summary>The clock of the run: frames up to it are followed, and old ones dropped.</summary>
    public void OnClock(long clockNs)
    {
        Follow(clockNs);
        foreach (var file in _open.Values)
            file.FlushIfDue(clockNs);
    }

    /// <summary>Ends all files; returns one line when something was lost.</summary>
    public string? Complete()
    {
        Follow(long.MaxValue);
        foreach (var file in _open.Values.ToList())
            Close(file);
        _folder.Complete();
        return Lost == 0 ? null : string.Create(
            CultureInfo.InvariantCulture,
            $"evidence in {_settings.Directory}: {_folder.Lost:N0} blocks of packets and {_refused:N0} alerts were left out: {_folder.Failure ?? "more alerts were open than evidence is kept of"}");
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>Adds the frames up to a clock to the files that follow their flows, and drops what the ring has no room for.</summary>
    private void Follow(long clockNs)
    {
        foreach (var source in _sources)
        {
            while (true)
            {
                var count = source.History.Read(source.Next, _read);
                var taken = 0;
                while (taken < count && _read[taken].ClockNs <= clockNs)
                {
                    source.Index.Add(source.Next + taken, _read[taken]);
                    ref readonly var frame = ref _read[taken++];
                    if (_watched.Count > 0 && frame.Flow != 0 && _watched.TryGetValue(frame.Flow, out var files))
                    {
                        foreach (var file in files)
                            file.Add(frame);
                    }
                }

                source.Next += taken;
                if (taken < _read.Length)
                    break;
            }

            Drop(source, FirstInWindow(source));
        }
    }

    /// <summary>Drops the frames before an index.</summary>
    private void Drop(Source source, long before)
    {
        for (var at = source.History.First; at < before;)
        {
            var count = Math.Min(source.History.Read(at, _read), before - at);
            for (var i = 0; i < count; i++)
                source.Index.Remove(_read[i]);
            at += count;
        }

        source.History.DropBefore(before);
    }

    /// <summary>Index of the first frame within the ring's budget behind the frames followed.</summary>
    private long FirstInWindow(Source source)
    {
        var (low, high) = (source.History.First, source.Next);
        if (low >= high || source.History.Read(high - 1, _read.AsSpan(0, 1)) == 0)
            return low;
        var budget = ((long)_settings.RingMegabytes << 20) / _sources.Length;
        var end = _read[0].BytesBefore + _read[0].Header.Length;
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            source.History.Read(middle, _read.AsSpan(0, 1));
            if (end - _read[0].BytesBefore > budget)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }

    /// <summary>Looks for flows of an alert that its file does not follow yet, and adds what the ring holds of them.</summary>
    private void TakeUp(EvidenceFile file, Alert alert, Source source)
    {
        var frames = new List<long>();
        foreach (var entry in source.Index.Of(alert))
        {
            ulong[] numbers = entry.Flow is { } flow ? [entry.Number, flow.FragmentsNumber] : [entry.Number];
            foreach (var number in numbers)
            {
                if (!file.Follow(number, entry.Name))
                    continue;
                frames.AddRange(source.Index.FramesOf(number));
                if (!_watched.TryGetValue(number, out var files))
                    _watched.Add(number, files = []);
                files.Add(file);
            }
        }

        frames.Sort();
        foreach (var index in frames)
        {
            source.History.Read(index, _read.AsSpan(0, 1));
            file.Add(_read[0]);
        }
    }

    private void Close(EvidenceFile file)
    {
        _open.Remove(file.AlertId);
        foreach (var flow in file.Flows)
        {
            if (!_watched.TryGetValue(flow, out var files))
                continue;
            files.Remove(file);
            if (files.Count == 0)
                _watched.Remove(flow);
        }

        file.Close();
    }
}
