using IoTGuard.Analysis.Features;
using IoTGuard.Analysis.Flows;
using IoTGuard.Evaluation;

namespace IoTGuard.Outputs.Tables;

/// <summary>
/// Names of labelled scenarios for rows of a table. A row belongs to the scenario that it shares most time with among those whose parties it is
/// about, the first of these when they share the same; a row of none is benign.
/// </summary>
internal sealed class RowLabels(IReadOnlyList<Label> labels)
{
    /// <summary>Label of rows that belong to no scenario.</summary>
    public const string Benign = "benign";

    private readonly Scenario[] _scenarios =
    [
        .. labels.Select(static l => new Scenario(
            l.Name, l.Start, l.End, l.Attackers.ToHashSet(StringComparer.Ordinal), l.Victims.ToHashSet(StringComparer.Ordinal), l.Ports)),
    ];

    private sealed record Scenario(string Name, double Start, double End, HashSet<string> Attackers, HashSet<string> Victims, IReadOnlyList<int> Ports)
    {
        /// <summary>An attacker and, when victims are named, one of them; without attackers a victim, at one of the ports when these are named.</summary>
        public bool IsBetween(string one, string other, int port)
        {
            if (Attackers.Count == 0)
                return (Victims.Contains(one) || Victims.Contains(other)) && (Ports.Count == 0 || Ports.Contains(port));
            return (Attackers.Contains(one) && IsVictim(other)) || (Attackers.Contains(other) && IsVictim(one));
        }

        public bool IsAbout(string device) => Attackers.Contains(device) || Victims.Contains(device);

        private bool IsVictim(string address) => Victims.Count == 0 || Victims.Contains(address);
    }

    /// <summary>Reads labels; the form is in docs/evaluation.md.</summary>
    public static RowLabels Load(string path) => new(EvaluationFiles.ReadLabels(path));

    /// <summary>Label of a flow: a scenario's parties are its two sides.</summary>
    public string Of(FlowRecord flow)
    {
        string? one = null, other = null;
        return Of(flow.FirstNs, flow.LastNs, scenario => scenario.IsBetween(one ??= flow.Originator.ToString(), other ??= flow.Responder.ToString(), flow.ResponderPort));
    }

    /// <summary>Label of a window: its device is a party of the scenario.</summary>
    public string Of(DeviceWindow window)
    {
        string? device = null;
        return Of(window.StartNs, window.EndNs, scenario => scenario.IsAbout(device ??= window.Address.ToString()));
    }

    private string Of(long firstNs, long lastNs, Predicate<Scenario> isParty)
    {
        var (best, longest) = (Benign, double.NegativeInfinity);
        foreach (var scenario in _scenarios)
        {
            var overlap = Math.Min(lastNs / 1e9, scenario.End) - Math.Max(firstNs / 1e9, scenario.Start);
            if (overlap >= 0 && overlap > longest && isParty(scenario))
                (best, longest) = (scenario.Name, overlap);
        }

        return best;
    }
}
