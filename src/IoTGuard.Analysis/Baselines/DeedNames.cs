using IoTGuard.Analysis.Inventory;

namespace IoTGuard.Analysis.Baselines;

/// <summary>The counters of <see cref="Deeds"/> by the names they have in site files.</summary>
internal static class DeedNames
{
    private delegate ref int Counter(ref Deeds deeds);

    private static readonly (string Name, Counter Counter)[] Table =
    [
        ("stores_sent", static (ref d) => ref d.StoresSent), ("stores_accepted", static (ref d) => ref d.StoresAccepted),
        ("queries_asked", static (ref d) => ref d.QueriesAsked), ("queries_answered", static (ref d) => ref d.QueriesAnswered),
        ("retrieves_asked", static (ref d) => ref d.RetrievesAsked), ("retrieves_answered", static (ref d) => ref d.RetrievesAnswered),
        ("worklist_asked", static (ref d) => ref d.WorklistAsked), ("worklist_answered", static (ref d) => ref d.WorklistAnswered),
        ("steps_reported", static (ref d) => ref d.StepsReported), ("steps_accepted", static (ref d) => ref d.StepsAccepted),
        ("echoes_sent", static (ref d) => ref d.EchoesSent), ("adt_sent", static (ref d) => ref d.AdtSent),
        ("orders_sent", static (ref d) => ref d.OrdersSent), ("results_sent", static (ref d) => ref d.ResultsSent),
        ("other_hl7_sent", static (ref d) => ref d.OtherHl7Sent), ("hl7_received", static (ref d) => ref d.Hl7Received),
        ("adt_received", static (ref d) => ref d.AdtReceived), ("orders_received", static (ref d) => ref d.OrdersReceived),
        ("results_received", static (ref d) => ref d.ResultsReceived), ("samples_sent", static (ref d) => ref d.SamplesSent),
        ("samples_received", static (ref d) => ref d.SamplesReceived), ("vitals_shown", static (ref d) => ref d.VitalsShown),
        ("infrastructure_answers", static (ref d) => ref d.InfrastructureAnswers),
    ];

    public static IEnumerable<(string Name, int Count)> Of(Deeds deeds) => Table.Select(row => (row.Name, Read(row.Counter, deeds)));

    public static bool TrySet(ref Deeds deeds, string name, int count)
    {
        foreach (var row in Table)
        {
            if (row.Name != name)
                continue;
            row.Counter(ref deeds) = count;
            return true;
        }

        return false;
    }

    private static int Read(Counter counter, Deeds deeds) => counter(ref deeds);
}
