using System.Globalization;
using IoTGuard.Outputs;

namespace IoTGuard.Service;

/// <summary>
/// Looks at what the mirror port delivers, every <see cref="Interval"/>: whether anything comes, whether both directions of connections do, whether
/// packets are dropped or missing; whether the clock was set; and whether outputs take what they are given. A condition begins when a look finds it, and ends when it was not found for <see cref="Clear"/> looks.
/// </summary>
internal sealed class SensorWatch
{
    /// <summary>Time between two looks; with two looks for a finding, the sensor speaks well within a minute.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    /// <summary>Looks without a finding after which a condition has ended.</summary>
    public const int Clear = 6;

    /// <summary>Looks without a packet after which the port is taken for silent, and looks that an output fails after which it is a finding.</summary>
    public const int Silence = 3;

    /// <summary>Fewest acknowledged bytes between two looks that say something about directions and losses.</summary>
    private const long LeastBytes = 4096;

    /// <summary>Difference between the machine's clock and the time that went by from which on it was set.</summary>
    private static readonly TimeSpan LeastStep = TimeSpan.FromSeconds(1);

    /// <summary>Share of acknowledged bytes from which on connections with one direction are a finding.</summary>
    private const double OneSided = 0.2;

    /// <summary>Share of bytes missing in streams from which on it is a finding.</summary>
    private const double Missing = 0.01;

    private readonly Dictionary<string, (Condition Condition, int LastFound)> _present = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _failing = new(StringComparer.Ordinal);
    private SensorStatus? _before;
    private int _look;
    private int _silent;

    /// <summary>What is wrong at the moment.</summary>
    public IReadOnlyList<Condition> Present { get; private set; } = [];

    /// <summary>Looks once more. Returns what began and what ended since the last look.</summary>
    /// <param name="now">The sensor now.</param>
    /// <param name="problem">What the rings say about the interface; null when nothing.</param>
    public (IReadOnlyList<Condition> Began, IReadOnlyList<Condition> Ended) Look(SensorStatus now, string? problem)
    {
        _look++;
        var began = new List<Condition>();
        if (_before is { } before)
        {
            foreach (var condition in Find(before, now, problem).Concat(Outputs(now)))
            {
                if (!_present.ContainsKey(condition.Name))
                    began.Add(condition);
                _present[condition.Name] = (condition, _look);
            }
        }

        _before = now;
        var ended = _present.Values.Where(p => _look - p.LastFound >= (p.Condition.Name == NoPackets ? 1 : Clear)).Select(static p => p.Condition).ToList();
        foreach (var condition in ended)
            _present.Remove(condition.Name);
        Present = [.. _present.Values.Select(static p => p.Condition).OrderByDescending(static c => c.Severity)];
        return (began, ended);
    }

    private const string NoPackets = "no-packets";

    private IEnumerable<Condition> Find(SensorStatus before, SensorStatus now, string? problem)
    {
        _silent = now.Packets == before.Packets ? _silent + 1 : 0;
        if (_silent >= Silence)
        {
            yield return new Condition(NoPackets, "Nothing arrives on the mirror port", 7,
                $"No packet has arrived on {now.Interface} for {Seconds(_silent * Interval.TotalSeconds)}{(problem is null ? "" : $": {problem}")}.",
                "Check the cable, the mirror session on the switch and the capture filter; 'ip -s link' shows what the interface receives.");
        }

        var step = now.Time - before.Time - (now.Uptime - before.Uptime);
        if (step.Duration() >= LeastStep)
        {
            var where = step < TimeSpan.Zero ? "back" : "ahead";
            yield return new Condition("clock-set-" + where, $"The clock of the sensor was set {where}", 4,
                $"The clock of this machine went {where} by {step.Duration().TotalSeconds.ToString("#,0.0", CultureInfo.InvariantCulture)} s within {Seconds((now.Uptime - before.Uptime).TotalSeconds)}; packets are stamped by it.",
                "Run a time service that slews the clock (chrony, systemd-timesyncd). Times of alerts before and after the step are apart by so much; after a step back the sensor's own clock goes slower until they agree, or 'systemctl restart iotguard'.");
        }

        var dropped = now.KernelDrops - before.KernelDrops;
        if (dropped > 0)
        {
            var seen = now.Packets - before.Packets;
            yield return new Condition("kernel-drops", "The sensor drops packets", 6,
                $"The kernel dropped {RunSummary.Number(dropped)} packets on {now.Interface} in {Seconds(Interval.TotalSeconds)}, {Percent((double)dropped / (seen + dropped))} of what arrived, because the rings were full.",
                "Give the sensor more workers or larger rings (ring_megabytes), a faster machine, or less traffic (filter).");
        }

        var (was, has) = (before.Counters, now.Counters);
        var acknowledged = has.AcknowledgedBytes - was.AcknowledgedBytes;
        if (acknowledged < LeastBytes)
            yield break;
        var unseen = (double)(has.UnseenBytes - was.UnseenBytes) / acknowledged;
        if (unseen >= OneSided)
        {
            yield return new Condition("one-direction", unseen > 0.8 ? "The mirror port carries only one direction" : "The mirror port carries only one direction of some connections", 7,
                $"Of what TCP receivers acknowledged on {now.Interface} in {Seconds(Interval.TotalSeconds)}, {Percent(unseen)} belongs to connections of which only one direction arrives.",
                "Mirror both directions (rx and tx) of the ports or VLANs, and both ways where routes differ; DICOM and HL7 cannot be judged from one side.");
        }

        var gaps = (double)(has.GapBytes - was.GapBytes) / acknowledged;
        if (gaps >= Missing && dropped == 0)
        {
            yield return new Condition("capture-loss", "Packets are lost before they reach the sensor", 6,
                $"About {Percent(gaps)} of the bytes that TCP receivers acknowledged on {now.Interface} in {Seconds(Interval.TotalSeconds)} did not arrive here, and the sensor itself dropped nothing.",
                "The mirror port is likely oversubscribed: mirror fewer ports, or to a faster one; look at the switch's output drops.");
        }
    }

    private IEnumerable<Condition> Outputs(SensorStatus now)
    {
        foreach (var output in now.Deliveries)
            _failing[output.Name] = output.Failure is null ? 0 : _failing.GetValueOrDefault(output.Name) + 1;
        var failing = now.Deliveries.Where(d => _failing[d.Name] >= Silence).ToList();
        if (failing.Count > 0)
        {
            yield return new Condition("output-fails", "An output takes nothing", 5,
                $"For {Seconds(Silence * Interval.TotalSeconds)} or longer nothing is taken by {string.Join("; ", failing.Select(static f => $"{f.Name}: {f.Failure}, {RunSummary.Number(f.Waiting)} wait"))}.",
                "Check that the receiver runs, its address, certificate and the firewall ('iotguard doctor --config FILE' does), or the disk of a file or site; what waits is sent when it works again.");
        }
    }

    private static string Percent(double share) => (100 * share).ToString(share < 0.1 ? "0.0" : "0", CultureInfo.InvariantCulture) + " %";

    private static string Seconds(double seconds) => seconds.ToString("0", CultureInfo.InvariantCulture) + " s";
}
