using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Flows;

namespace IoTGuard.Outputs.Packets;

/// <summary>
/// Which frames of a <see cref="FrameHistory"/> belong to which flow, so that an alert finds its flows without a look at every frame. It grows as frames are
/// followed and shrinks as they are dropped, and so holds no more than the history does. Used by one thread.
/// </summary>
internal sealed class FlowIndex(FrameFlows flows)
{
    private readonly Dictionary<ulong, Entry> _byNumber = [];
    private readonly Dictionary<string, List<Entry>> _byCommunityId = new(StringComparer.Ordinal);

    /// <summary>A flow with frames in the history.</summary>
    internal sealed class Entry(ulong number)
    {
        public ulong Number { get; } = number;

        /// <summary>Null as long as no frame told.</summary>
        public FrameFlow? Flow { get; set; }

        /// <summary>Both addresses as alerts name them.</summary>
        public (string A, string B) Addresses { get; set; }

        /// <summary>Indices of its frames, oldest first.</summary>
        public Queue<long> Frames { get; } = [];
    }

    /// <summary>A frame was followed, in the order of indices.</summary>
    public void Add(long index, in KeptFrame frame)
    {
        if (frame.Flow == 0)
            return;
        if (!_byNumber.TryGetValue(frame.Flow, out var entry))
            _byNumber.Add(frame.Flow, entry = new Entry(frame.Flow));
        entry.Frames.Enqueue(index);
        if (entry.Flow is not null || flows.FlowOf(frame.Header with { Offset = 0 }, frame.Bytes) is not { } flow)
            return;
        entry.Flow = flow;
        entry.Addresses = (flow.A.ToString(), flow.B.ToString());
        foreach (var id in IdsOf(flow))
        {
            if (!_byCommunityId.TryGetValue(id, out var entries))
                _byCommunityId.Add(id, entries = []);
            entries.Add(entry);
        }
    }

    /// <summary>The oldest frame of the history is dropped.</summary>
    public void Remove(in KeptFrame frame)
    {
        if (frame.Flow == 0)
            return;
        var entry = _byNumber[frame.Flow];
        entry.Frames.Dequeue();
        if (entry.Frames.Count > 0)
            return;
        _byNumber.Remove(frame.Flow);
        if (entry.Flow is null)
            return;
        foreach (var id in IdsOf(entry.Flow))
        {
            var entries = _byCommunityId[id];
            entries.Remove(entry);
            if (entries.Count == 0)
                _byCommunityId.Remove(id);
        }
    }

    /// <summary>Indices of a flow's frames, oldest first.</summary>
    public IEnumerable<long> FramesOf(ulong number) => _byNumber.TryGetValue(number, out var entry) ? entry.Frames : [];

    /// <summary>Flows that an alert names, those between its device and its peer when it names none; by their first frames.</summary>
    public IReadOnlyList<Entry> Of(Alert alert)
    {
        var found = alert.CommunityIds.Count > 0
            ? alert.CommunityIds.SelectMany(id => _byCommunityId.GetValueOrDefault(id, [])).Distinct()
            : _byNumber.Values.Where(e => e.Flow is not null && AreBetween(e.Addresses, alert));
        return [.. found.OrderBy(static e => e.Frames.Peek())];
    }

    private static bool AreBetween((string A, string B) flow, Alert alert) =>
        (Is(alert.Device.Ip, flow.A) && Is(alert.Peer?.Ip ?? flow.B, flow.B)) || (Is(alert.Device.Ip, flow.B) && Is(alert.Peer?.Ip ?? flow.A, flow.A));

    private static bool Is(string? wanted, string address) => string.Equals(wanted, address, StringComparison.Ordinal);

    private static IEnumerable<string> IdsOf(FrameFlow flow) => flow.CommunityId == flow.ReverseCommunityId ? [flow.CommunityId] : [flow.CommunityId, flow.ReverseCommunityId];
}
