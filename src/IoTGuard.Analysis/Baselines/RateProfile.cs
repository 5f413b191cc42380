using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Baselines;

/// <summary>Amounts that are counted per device and window.</summary>
public enum RateKind : byte
{
    /// <summary>C-FIND requests.</summary>
    Queries,

    /// <summary>Results of C-FIND without a specific key.</summary>
    BroadResults,

    /// <summary>Distinct studies asked for with C-MOVE or C-GET.</summary>
    Retrievals,

    /// <summary>C-STORE operations sent.</summary>
    Stores,

    /// <summary>HL7 messages sent.</summary>
    Hl7Messages,

    /// <summary>Payload bytes sent to addresses outside of the site.</summary>
    OutsideBytes,
}

/// <summary>
/// The largest window totals of one amount of one device. What is usual is the second largest, so that a single bad window in the
/// learning period teaches little.
/// </summary>
public readonly record struct RateProfile(double Largest, double Second, long Windows)
{
    /// <summary>Upper end of what is usual.</summary>
    public double Usual => Windows > 1 ? Second : Largest;

    public RateProfile With(double total) =>
        total >= Largest ? new RateProfile(total, Largest, Windows + 1)
        : new RateProfile(Largest, Math.Max(Second, total), Windows + 1);

    public RateProfile With(RateProfile other) => new(
        Math.Max(Largest, other.Largest),
        Math.Max(Math.Min(Largest, other.Largest), Math.Max(Second, other.Second)),
        Windows + other.Windows);
}

/// <summary>A device and an amount.</summary>
public readonly record struct RateKey(IpAddress Device, RateKind Kind);

/// <summary>Counts amounts in windows of packet time; bounded by <see cref="MaximumKeys"/>, beyond which new devices are not profiled.</summary>
internal sealed class RateBook(IReadOnlyDictionary<RateKey, RateProfile> known, Func<IpAddress, IpAddress> identity)
{
    /// <summary>Most pairs of device and amount.</summary>
    public const int MaximumKeys = 200_000;

    private readonly Dictionary<RateKey, Window> _windows = [];

    /// <summary>What was usual when the site was learned.</summary>
    public IReadOnlyDictionary<RateKey, RateProfile> Known { get; set; } = known;

    /// <summary>One amount of one device. Who adds to it again and again keeps this instead of searching for it.</summary>
    internal sealed class Window(long lengthNs)
    {
        private bool _started;
        private long _index;
        private double _total;
        private RateProfile _closed;

        /// <summary>All windows, the open one included.</summary>
        public RateProfile Profile => _closed.With(_total);

        /// <summary>The result says nothing.</summary>
        public long Touch() => _index;

        /// <summary>Adds an amount at a time.</summary>
        public void Add(double amount, long timeNs)
        {
            var index = timeNs / lengthNs;
            if (!_started)
            {
                _started = true;
                _index = index;
            }
            else if (index > _index)
            {
                _closed = _closed.With(_total);
                _total = 0;
                _index = index;
            }

            _total += amount;
        }
    }

    /// <summary>Length of the windows of an amount, ns of packet time.</summary>
    public static long WindowNs(RateKind kind) => kind switch
    {
        RateKind.Hl7Messages => 10_000_000_000,
        RateKind.OutsideBytes => 600_000_000_000,
        _ => 120_000_000_000,
    };

    /// <summary>Adds an amount at a time.</summary>
    public void Add(IpAddress device, RateKind kind, double amount, long timeNs) => Of(device, kind)?.Add(amount, timeNs);

    /// <summary>The windows of an amount of a device; null when the book is full.</summary>
    public Window? Of(IpAddress device, RateKind kind)
    {
        var key = new RateKey(identity(device), kind);
        if (!_windows.TryGetValue(key, out var window) && _windows.Count < MaximumKeys)
            _windows.Add(key, window = new Window(WindowNs(kind)));
        return window;
    }

    /// <summary>Upper end of what was usual for the device when the site was learned; 0 when nothing is known.</summary>
    public double UsualOf(IpAddress device, RateKind kind) => Known.TryGetValue(new RateKey(identity(device), kind), out var profile) ? profile.Usual : 0;

    /// <summary>Profiles of this run, open windows included.</summary>
    public Dictionary<RateKey, RateProfile> Profiles()
    {
        var profiles = new Dictionary<RateKey, RateProfile>(_windows.Count);
        foreach (var (key, window) in _windows)
            profiles.Add(key, window.Profile);
        return profiles;
    }
}
