using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Baselines;

/// <summary>
/// How much a first-seen thing means. Where new things still appeared often when learning ended (for the device, else for the site's
/// devices on average), one more is no news; where learning had settled, it is.
/// </summary>
internal sealed class Novelty
{
    /// <summary>Loss of meaning per new fact of the kind that is expected of the device in an hour.</summary>
    public const double DiscountPerExpected = 0.1;

    /// <summary>The same for new devices, which a short learning period meets one by one as they start to speak.</summary>
    public const double DiscountPerExpectedDevice = 0.02;

    private readonly Dictionary<(IpAddress, FactKind), double> _late = [];
    private readonly Dictionary<FactKind, double> _perDevice = [];
    private readonly double _newDevicesPerHour;

    public Novelty(Site site)
    {
        _newDevicesPerHour = site.NewDevicesPerHour;
        if (!site.IsLearned)
            return;
        var period = site.Periods[^1];
        var middle = MiddleOf(period);
        var halfHours = Math.Max(period.Hours / 2, 1.0 / 60);
        var holders = new Dictionary<FactKind, HashSet<IpAddress>>();
        foreach (var (fact, history) in site.Facts)
        {
            if (!holders.TryGetValue(fact.Kind, out var devices))
                holders[fact.Kind] = devices = [];
            devices.Add(fact.A);
            if (history.FirstNs < middle || history.FirstNs > period.EndNs)
                continue;
            var key = (fact.A, fact.Kind);
            _late[key] = _late.GetValueOrDefault(key) + (1 / halfHours);
        }

        foreach (var (kind, rate) in site.NewPerHour)
            _perDevice[kind] = rate / Math.Max(1, holders.TryGetValue(kind, out var devices) ? devices.Count : 1);
    }

    /// <summary>Where the last half of a learning period begins, ns.</summary>
    public static long MiddleOf(LearningPeriod period) => period.StartNs + ((period.EndNs - period.StartNs) / 2);

    /// <summary>Confidence in a new fact: what it would mean at a settled site, less what was still new when learning ended.</summary>
    public double Weigh(FactKind kind, IpAddress device, double settled)
    {
        var expected = Math.Max(_late.GetValueOrDefault((device, kind)), _perDevice.GetValueOrDefault(kind));
        return settled / (1 + (DiscountPerExpected * expected));
    }

    /// <summary>Confidence that a new device means something.</summary>
    public double WeighDevice(double settled) => settled / (1 + (DiscountPerExpectedDevice * _newDevicesPerHour));
}
