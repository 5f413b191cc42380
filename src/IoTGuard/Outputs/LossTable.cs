using IoTGuard.Analysis;
using IoTGuard.Wire;

namespace IoTGuard.Outputs;

/// <summary>One counted fact of a run.</summary>
/// <param name="IsLoss">True when traffic that was captured could not be analysed in full because a limit of the program was reached.</param>
internal readonly record struct CountedFact(long Count, string Text, bool IsLoss);

/// <summary>What sensors count, in words. The one list that summaries, exit statuses and statistics share.</summary>
internal static class LossTable
{
    public static IEnumerable<CountedFact> Of(SensorCounters counters)
    {
        yield return new(counters.FlowsEvicted, "flows ended early because the flow table was full", true);
        yield return new(counters.SessionsRefused, "connections not reassembled because the limit of sessions was reached", true);
        yield return new(counters.OutOfOrderDropped, "segments not buffered because the out-of-order limit was reached", true);
        yield return new(counters.PendingOverflows, "times that a session's buffer overflowed", true);
        yield return new(counters.MirrorCopies, "second copies of packets from the mirror (used once)", false);
        yield return new(counters.GapBytes, "bytes missing from streams", false);
        yield return new(counters.CutBytes, "payload bytes cut off by the capture's snapshot length", false);
        yield return new(counters.ConflictingBytes, "bytes whose second copy differed", false);
        yield return new(counters.Retransmissions, "retransmissions", false);
        yield return new(counters.OutOfOrder, "segments out of order", false);
        yield return new(counters.FragmentsDropped, "IP fragments dropped because a limit of their reassembly was reached", true);
        yield return new(counters.Fragments, "IP fragments", false);
        yield return new(counters.Datagrams, "datagrams made of fragments", false);
        yield return new(counters.FragmentCopies, "second copies of fragments", false);
        yield return new(counters.FragmentsUnused, "fragments of datagrams that were never whole or were at fault", false);
        for (var layer = Layer.Link; layer <= Layer.Transport; layer++)
        {
            for (var kind = FaultKind.None + 1; (int)kind < FaultCounts.Kinds; kind++)
            {
                if (kind == FaultKind.Fragment)
                    continue;
                var count = counters.Faults.Of(kind, layer);
                yield return new(count, $"frames with a {layer.ToString().ToLowerInvariant()} fault: {Words(kind)}", false);
            }
        }
    }

    private static string Words(FaultKind kind) => kind switch
    {
        FaultKind.Truncated => "truncated",
        FaultKind.BadLength => "wrong length",
        FaultKind.BadValue => "unknown value",
        FaultKind.Unsupported => "not a protocol that is decoded",
        FaultKind.Tunnel => "a tunnel that is not followed",
        FaultKind.FragmentOverlap => "overlapping fragments",
        FaultKind.TinyFragment => "a fragment too small for the header in it",
        FaultKind.TooDeep => "headers nested too deep",
        _ => kind.ToString(),
    };
}
