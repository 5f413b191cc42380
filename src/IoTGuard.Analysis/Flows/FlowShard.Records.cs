using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Flows;

internal sealed partial class FlowShard
{
    private static readonly FlowOddities NoOddities;

    /// <summary>Writes a flow as it stands.</summary>
    /// <param name="counters">What its session counted.</param>
    public void Fill(int index, ref FlowRecord record, ApplicationCounters counters, ApplicationProtocol application)
    {
        ref readonly var head = ref Head(index);
        ref readonly var details = ref Details(index);
        ref readonly var oddities = ref details.Oddities == 0 ? ref NoOddities : ref Oddities(details.Oddities - 1);
        var turned = head.Has(FlowFlags.OriginatorIsB);
        record.Originator = turned ? head.Key.B : head.Key.A;
        record.Responder = turned ? head.Key.A : head.Key.B;
        record.OriginatorPort = turned ? head.Key.PortB : head.Key.PortA;
        record.ResponderPort = turned ? head.Key.PortA : head.Key.PortB;
        record.OriginatorMac = details.Senders[0].Mac;
        record.ResponderMac = details.Senders[1].Mac;
        record.OriginatorTtl = details.Senders[0].Ttl;
        record.ResponderTtl = details.Senders[1].Ttl;
        record.IpProtocol = head.Key.Protocol;
        record.Vlan = details.Vlan;
        record.Encapsulation = Encapsulations.Length == 0 ? default : Encapsulations[index];
        record.State = head.State;
        record.Application = application;
        record.FirstFrame = FirstFrame(index);
        record.FirstNs = details.FirstNs;
        record.LastNs = head.LastNs;
        record.MirrorCopies = oddities.MirrorCopies;
        record.IdlePeriods = details.IdlePeriods;
        record.IdleSeconds = details.IdleNs / 1e9;
        record.Counters = counters;
        Fill(ref record.FromOriginator, Direction(index, FlowDirection.FromOriginator), details.Senders[0], details.Controls[0], oddities.Directions[0]);
        Fill(ref record.FromResponder, Direction(index, FlowDirection.FromResponder), details.Senders[1], details.Controls[1], oddities.Directions[1]);
    }

    private static void Fill(
        ref DirectionCounters counters, in DirectionState state, in SenderDetails sender, in ControlCounts controls, in DirectionOddities oddities)
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
            Maximum = state.SizeMaximum,
        };
        counters.InterArrival = new Moments
        {
            Count = Math.Max(0, state.Packets - 1),
            Sum = (state.LastNs - state.FirstNs) / 1e9,
            SumOfSquares = state.IntervalSquares,
            Maximum = state.IntervalMaximum,
        };
        counters.Syn = controls.Syn + oddities.Syn;
        counters.Fin = controls.Fin + oddities.Fin;
        counters.Rst = controls.Rst + oddities.Rst;
        counters.Psh = state.Psh;
        counters.Urg = oddities.Urg;
        counters.Retransmissions = oddities.Retransmissions;
        counters.OutOfOrder = oddities.OutOfOrder;
        counters.GapBytes = oddities.GapBytes;
        counters.ZeroWindows = oddities.ZeroWindows;
        counters.ConflictingBytes = oddities.ConflictingBytes;
        counters.Entropy = sender.Entropy;
        counters.Printable = sender.Printable;
    }
}
