using IoTGuard.Analysis.Inventory;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Baselines;

/// <summary>
/// How much a first-seen thing means. Where new things still appeared often when learning ended, for the device or for devices of its role, one more is
/// no news; where learning had settled, it is. After a short learning period even no new thing at all promises little.
/// </summary>
internal sealed class Novelty
{
    /// <summary>Loss of meaning per new fact of the kind that is expected of the device in an hour.</summary>
    public const double DiscountPerExpected = 0.1;

    /// <summary>The same for new devices, which a short learning period meets one by one as they start to speak.</summary>
    public const double DiscountPerExpectedDevice = 0.02;

    /// <summary>What counts for a role or device of which nothing new was seen at the end, facts.</summary>
    private const double Unseen = 0.5;

    private readonly Dictionary<(IpAddress, FactKind, bool), double> _late = [];
    private readonly Dictionary<(DeviceRole, FactKind, bool), double> _perDevice = [];
    private readonly Dictionary<IpAddress, DeviceRole> _roles = [];
    private readonly Dictionary<DeviceRole, int> _devices = [];
    private readonly double _halfHours;
    private readonly double _newDevicesPerHour;

    public Novelty(Site site)
    {
        _newDevicesPerHour = site.NewDevicesPerHour;
        if (!site.IsLearned)
            return;
        var period = site.Periods[^1];
        var middle = MiddleOf(period);
        _halfHours = Math.Max(period.Hours / 2, 1.0 / 60);
        foreach (var device in site.Devices)
        {
            var role = GroupOf(device.Role.Role);
            foreach (var address in device.Addresses)
                _roles[address] = role;
            _devices[role] = _devices.GetValueOrDefault(role) + 1;
        }

        foreach (var (fact, history) in site.Facts)
        {
            if (history.FirstNs < middle || history.FirstNs > period.EndNs)
                continue;
            var isAdministration = IsAdministration(fact);
            _late[(fact.A, fact.Kind, isAdministration)] = _late.GetValueOrDefault((fact.A, fact.Kind, isAdministration)) + 1;
            var group = (RoleOf(fact.A), fact.Kind, isAdministration);
            _perDevice[group] = _perDevice.GetValueOrDefault(group) + 1;
        }
    }

    /// <summary>Ports by which devices are administered, and by which intruders move on.</summary>
    public static IReadOnlySet<ushort> AdministrationPorts { get; } = new HashSet<ushort> { 21, 22, 23, 135, 139, 445, 512, 513, 514, 2049, 3389, 5900, 5901, 5985, 5986 };

    /// <summary>Where the last half of a learning period begins, ns.</summary>
    public static long MiddleOf(LearningPeriod period) => period.StartNs + ((period.EndNs - period.StartNs) / 2);

    /// <summary>Confidence in a new fact: what it would mean at a settled site, less what was still new when learning ended.</summary>
    /// <param name="fact">The fact; A is the device.</param>
    /// <param name="settled">What it would mean at a settled site.</param>
    public double Weigh(in Fact fact, double settled)
    {
        if (_halfHours == 0)
            return settled;
        var isAdministration = IsAdministration(fact);
        var role = RoleOf(fact.A);
        var ofRole = (_perDevice.GetValueOrDefault((role, fact.Kind, isAdministration)) + Unseen) / (Math.Max(1, _devices.GetValueOrDefault(role)) * _halfHours);
        var own = _late.GetValueOrDefault((fact.A, fact.Kind, isAdministration)) / _halfHours;

        // As much is held of the role as of the device: what happens to its like will happen to it.
        return settled / (1 + (DiscountPerExpected * (own + ofRole) / 2));
    }

    /// <summary>Confidence that a new device means something.</summary>
    public double WeighDevice(double settled) => settled / (1 + (DiscountPerExpectedDevice * _newDevicesPerHour));

    private static bool IsAdministration(in Fact fact) =>
        fact.Kind is FactKind.Peer or FactKind.Service && AdministrationPorts.Contains((ushort)fact.Number);

    /// <summary>Roles that behave alike in what is new about them.</summary>
    private static DeviceRole GroupOf(DeviceRole role) => role is DeviceRole.Unknown ? DeviceRole.Client : role;

    private DeviceRole RoleOf(IpAddress address) => _roles.GetValueOrDefault(address, DeviceRole.Client);
}
