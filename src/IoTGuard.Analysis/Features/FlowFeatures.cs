using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Features;

/// <summary>The features of a flow. A changed row changes the hash: retrain the shipped model.</summary>
public static class FlowFeatures
{
    /// <summary>The table.</summary>
    public static FeatureSchema<FlowRecord> Schema { get; } = new("flows",
    [
        new("duration", "s", "time from first to last packet", static (in f) => (float)f.DurationSeconds),
        new("packets_out", "packets", "packets of the originator", static (in f) => f.FromOriginator.Packets),
        new("packets_in", "packets", "packets of the responder", static (in f) => f.FromResponder.Packets),
        new("bytes_out", "bytes", "IP bytes of the originator", static (in f) => f.FromOriginator.Bytes),
        new("bytes_in", "bytes", "IP bytes of the responder", static (in f) => f.FromResponder.Bytes),
        new("payload_out", "bytes", "payload bytes of the originator", static (in f) => f.FromOriginator.PayloadBytes),
        new("payload_in", "bytes", "payload bytes of the responder", static (in f) => f.FromResponder.PayloadBytes),
        new("payload_packets_out", "packets", "originator's packets with payload", static (in f) => f.FromOriginator.PayloadPackets),
        new("payload_packets_in", "packets", "responder's packets with payload", static (in f) => f.FromResponder.PayloadPackets),
        new("byte_balance", "1", "share of bytes from the originator", static (in f) => Share(f.FromOriginator.Bytes, f.FromResponder.Bytes)),
        new("packet_balance", "1", "share of packets from the originator", static (in f) => Share(f.FromOriginator.Packets, f.FromResponder.Packets)),
        new("packet_rate", "packets/s", "packets of both sides per second, over at least one second", static (in f) => PerSecond(in f, f.FromOriginator.Packets + f.FromResponder.Packets)),
        new("byte_rate", "bytes/s", "bytes of both sides per second, over at least one second", static (in f) => PerSecond(in f, f.FromOriginator.Bytes + f.FromResponder.Bytes)),
        new("size_mean_out", "bytes", "mean IP packet size of the originator", static (in f) => (float)f.FromOriginator.Size.Mean),
        new("size_mean_in", "bytes", "mean IP packet size of the responder", static (in f) => (float)f.FromResponder.Size.Mean),
        new("size_deviation_out", "bytes", "standard deviation of the originator's packet sizes", static (in f) => (float)f.FromOriginator.Size.StandardDeviation),
        new("size_deviation_in", "bytes", "standard deviation of the responder's packet sizes", static (in f) => (float)f.FromResponder.Size.StandardDeviation),
        new("size_maximum_out", "bytes", "largest packet of the originator", static (in f) => (float)f.FromOriginator.Size.Maximum),
        new("size_maximum_in", "bytes", "largest packet of the responder", static (in f) => (float)f.FromResponder.Size.Maximum),
        new("gap_mean_out", "s", "mean time between the originator's packets", static (in f) => (float)f.FromOriginator.InterArrival.Mean),
        new("gap_mean_in", "s", "mean time between the responder's packets", static (in f) => (float)f.FromResponder.InterArrival.Mean),
        new("gap_deviation_out", "s", "standard deviation of the times between the originator's packets", static (in f) => (float)f.FromOriginator.InterArrival.StandardDeviation),
        new("gap_deviation_in", "s", "standard deviation of the times between the responder's packets", static (in f) => (float)f.FromResponder.InterArrival.StandardDeviation),
        new("gap_maximum_out", "s", "longest time between the originator's packets", static (in f) => (float)f.FromOriginator.InterArrival.Maximum),
        new("gap_maximum_in", "s", "longest time between the responder's packets", static (in f) => (float)f.FromResponder.InterArrival.Maximum),
        new("gap_variation_out", "1", "coefficient of variation of the originator's times between packets; near 0 for a clockwork", static (in f) => Variation(in f.FromOriginator.InterArrival)),
        new("answer_delay", "s", "time from the first packet to the responder's first", static (in f) => AnswerDelay(in f)),
        new("idle_periods", "periods", "pauses longer than one second", static (in f) => f.IdlePeriods),
        new("idle_time", "s", "time in pauses longer than one second", static (in f) => (float)f.IdleSeconds),
        new("active_time", "s", "time outside of such pauses", static (in f) => (float)Math.Max(0, f.DurationSeconds - f.IdleSeconds)),
        new("syn", "packets", "SYN of both sides", static (in f) => f.FromOriginator.Syn + f.FromResponder.Syn),
        new("fin", "packets", "FIN of both sides", static (in f) => f.FromOriginator.Fin + f.FromResponder.Fin),
        new("rst_out", "packets", "RST of the originator", static (in f) => f.FromOriginator.Rst),
        new("rst_in", "packets", "RST of the responder", static (in f) => f.FromResponder.Rst),
        new("psh_out", "packets", "PSH of the originator", static (in f) => f.FromOriginator.Psh),
        new("psh_in", "packets", "PSH of the responder", static (in f) => f.FromResponder.Psh),
        new("urg", "packets", "URG of both sides", static (in f) => f.FromOriginator.Urg + f.FromResponder.Urg),
        new("retransmission_share", "1", "segments sent again, per packet", static (in f) => PerPacket(in f, f.FromOriginator.Retransmissions + f.FromResponder.Retransmissions)),
        new("zero_windows", "packets", "segments with a closed window", static (in f) => f.FromOriginator.ZeroWindows + f.FromResponder.ZeroWindows),
        new("entropy_out", "bits/byte", "entropy of the originator's first payload bytes; -1 without payload", static (in f) => OrMissing(f.FromOriginator.Entropy)),
        new("entropy_in", "bits/byte", "entropy of the responder's first payload bytes; -1 without payload", static (in f) => OrMissing(f.FromResponder.Entropy)),
        new("printable_out", "1", "share of printable ASCII in the originator's first payload bytes; -1 without payload", static (in f) => OrMissing(f.FromOriginator.Printable)),
        new("printable_in", "1", "share of printable ASCII in the responder's first payload bytes; -1 without payload", static (in f) => OrMissing(f.FromResponder.Printable)),
        new("requests", "messages", "requests, or messages that ask for an acknowledgement, of the application protocol", static (in f) => f.Counters.Requests),
        new("failures", "messages", "responses that say failure", static (in f) => f.Counters.Failures),
        new("interim_per_request", "messages", "interim responses per request (query results)", static (in f) => f.Counters.Interim / (float)Math.Max(1, f.Counters.Requests)),
        new("objects", "objects", "objects carried: DICOM instances, HL7 messages, files, records", static (in f) => f.Counters.Objects),
        new("object_size", "bytes", "mean size of the objects carried", static (in f) => f.Counters.ObjectBytes / (float)Math.Max(1, f.Counters.Objects)),
        new("associations", "associations", "DICOM associations in the flow", static (in f) => f.Counters.Associations),
        new("protocol_faults", "faults", "faults that the protocol session met", static (in f) => f.Counters.Faults),
    ]);

    private static float Share(long mine, long other) => mine + other == 0 ? 0 : (float)(mine / (double)(mine + other));

    private static float PerSecond(in FlowRecord flow, long amount) => (float)(amount / Math.Max(1, flow.DurationSeconds));

    private static float PerPacket(in FlowRecord flow, long amount) =>
        amount / (float)Math.Max(1, flow.FromOriginator.Packets + flow.FromResponder.Packets);

    private static float Variation(in Moments series) => series.Count < 2 || series.Mean <= 0 ? 0 : (float)(series.StandardDeviation / series.Mean);

    private static float AnswerDelay(in FlowRecord flow) =>
        flow.FromResponder.Packets == 0 ? FeatureSchema.Missing : (float)(Math.Max(0, flow.FromResponder.FirstNs - flow.FirstNs) / 1e9);

    private static float OrMissing(float value) => float.IsFinite(value) ? value : FeatureSchema.Missing;
}
