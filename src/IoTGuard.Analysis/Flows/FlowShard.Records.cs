using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Flows;

internal sealed partial class FlowShard
{
    /// <summary>Writes a flow as it stands.</summary>
    /// <param name="counters">What its session counted.</param>
    public void Fill(int index, ref FlowRecord record, ApplicationCounters counters, ApplicationProtocol application)
    {
        ref readonly var head = ref Head(index);
        ref readonly var details = ref Details(index);
        var turned = head.Has(FlowFlags.OriginatorIsB);
        record.Originator = turned ? head.Key.B : head.Key.A;
        record.Responder = turned ? head.Key.A : head.Key.B;
        record.OriginatorPort = turned ? head.Key.PortB : head.Key.PortA;
        record.ResponderPort = turned ? head.Key.PortA : head.Key.PortB;
        record.OriginatorMac = details.OriginatorMac;
        record.ResponderMac = details.ResponderMac;
        record.OriginatorTtl = details.OriginatorTtl;
        record.ResponderTtl = details.ResponderTtl;
        record.IpProtocol = head.Key.Protocol;
        record.Vlan = details.Vlan;
        record.Encapsulation = Encapsulations.Length == 0 ? default : Encapsulations[index];
        record.State = head.State;
        record.Application = application;
        record.FirstFrame = details.FirstFrame;
        record.FirstNs = details.FirstNs;
        record.LastNs = head.LastNs;
        record.MirrorCopies = details.MirrorCopies;
        record.IdlePeriods = details.IdlePeriods;
        record.IdleSeconds = details.IdleNs / 1e9;
        record.Counters = counters;
        Fill(ref record.FromOriginator, Direction(index, FlowDirection.FromOriginator), DetailsOf(index, FlowDirection.FromOriginator));
        Fill(ref record.FromResponder, Direction(index, FlowDirection.FromResponder), DetailsOf(index, FlowDirection.FromResponder));
    }

    private static void Fill(ref DirectionCounters counters, in DirectionState state, in DirectionDetails details)
    {
        counters.Packets = state.Packets;
        counters.Bytes = state.Bytes;
        counters.PayloadBytes = state.PayloadBytes;
        counters.PayloadPackets = state.PayloadPackets;
        counters.FirstNs = state.FirstNs;
        counters.LastNs = state.LastNs;
        counters.Size = new Moments
        {
            Count = state.Packets,
            Sum = state.Bytes,
            SumOfSquares = state.SizeSquares,
            Minimum = state.SizeMinimum,
            Maximum = state.SizeMaximum,
        };
        counters.InterArrival = new Moments
        {
            Count = Math.Max(0, state.Packets - 1),
            Sum = (state.LastNs - state.FirstNs) / 1e9,
            SumOfSquares = state.IntervalSquares,
            Minimum = state.IntervalMinimumNs / 1e9,
            Maximum = state.IntervalMaximumNs / 1e9,
        };
        counters.Syn = details.Syn;
        counters.Fin = details.Fin;
        counters.Rst = details.Rst;
        counters.Psh = state.Psh;
        counters.Urg = details.Urg;
        counters.Retransmissions = details.Retransmissions;
        counters.OutOfOrder = details.OutOfOrder;
        counters.GapBytes = details.GapBytes;
        counters.ZeroWindows = details.ZeroWindows;
        counters.ConflictingBytes = details.ConflictingBytes;
        counters.Entropy = details.Entropy;
        counters.Printable = details.Printable;
    }
}
