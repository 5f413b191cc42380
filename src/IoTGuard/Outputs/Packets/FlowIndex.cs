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

    /// <summary>A flow, or the ARP of one sender, with frames in the history.</summary>
    internal sealed class Entry(ulong number)
    {
        public ulong Number { get; } = number;

        /// <summary>Null as long as no frame told, and of ARP.</summary>
        public FrameFlow? Flow { get; set; }

        /// <summary>Both addresses of the flow as alerts name them.</summary>
        public (string A, string B) Addresses { get; set; }

        /// <summary>Who speaks in ARP and neighbour discovery; null in all else.</summary>
        public FrameNeighbor? Neighbor { get; set; }

        /// <summary>Address and hardware address of the neighbour as alerts name them.</summary>
        public (string Address, string Mac) Sender { get; set; }

        /// <summary>What the comment of a packet says of it.</summary>
        public string Name => Flow is not null ? $"flow {Flow.CommunityId}" : $"{Neighbor?.Protocol} {Sender.Address} {Sender.Mac}";

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
        if (entry.Flow is not null || entry.Neighbor is not null)
            return;
        if (flows.NeighborOf(frame.Header with { Offset = 0 }, frame.Bytes) is { } neighbor)
        {
            entry.Neighbor = neighbor;
            entry.Sender = (neighbor.Address.ToString(), neighbor.Mac.ToString());
        }

        if (flows.FlowOf(frame.Header with { Offset = 0 }, frame.Bytes) is not { } flow)
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

    /// <summary>
    /// Flows that an alert names, by their first frames. When it names none: first what its device and its peer said by ARP and neighbour discovery, then the flows
    /// between both.
    /// </summary>
    public IReadOnlyList<Entry> Of(Alert alert)
    {
        if (alert.CommunityIds.Count > 0)
            return [.. alert.CommunityIds.SelectMany(id => _byCommunityId.GetValueOrDefault(id, [])).Distinct().OrderBy(static e => e.Frames.Peek())];
        return
        [
            .. _byNumber.Values.Where(e => e.Neighbor is not null && IsParty(e.Sender, alert)).OrderBy(static e => e.Frames.Peek()),
            .. _byNumber.Values.Where(e => e.Flow is not null && AreBetween(e.Addresses, alert)).OrderBy(static e => e.Frames.Peek()),
        ];
    }

    /// <summary>By the addresses of both sides, and the hardware addresses that the alert tells as evidence: of two that claim an address one has no other.</summary>
    private static bool IsParty((string Address, string Mac) sender, Alert alert) =>
        Is(alert.Device.Ip, sender.Address) || Is(alert.Device.Mac, sender.Mac) || Is(alert.Peer?.Ip, sender.Address) || Is(alert.Peer?.Mac, sender.Mac)
        || alert.Evidence.Any(e => Is(e.Observed, sender.Mac));

    private static bool AreBetween((string A, string B) flow, Alert alert) =>
        (Is(alert.Device.Ip, flow.A) && Is(alert.Peer?.Ip ?? flow.B, flow.B)) || (Is(alert.Device.Ip, flow.B) && Is(alert.Peer?.Ip ?? flow.A, flow.A));

    private static bool Is(string? wanted, string address) => string.Equals(wanted, address, StringComparison.Ordinal);

    private static IEnumerable<string> IdsOf(FrameFlow flow) => flow.CommunityId == flow.ReverseCommunityId ? [flow.CommunityId] : [flow.CommunityId, flow.ReverseCommunityId];
}
