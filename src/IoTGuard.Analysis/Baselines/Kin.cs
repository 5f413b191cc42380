using IoTGuard.Analysis.Inventory;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Baselines;

/// <summary>
/// What the like of a device did while the site was learned: those of its network, and those of its role. A known device that is the last of
/// them to do so is no news: learning may have been too short to see each of them at work.
/// </summary>
internal sealed class Kin
{
    /// <summary>Share of the known devices of a network that did something, from which on it is what that network does.</summary>
    private const double LeastShare = 0.25;

    /// <summary>What news about a device weighs that its like did: too little to be told, but of a site that is hardly known.</summary>
    public const double Factor = 0.35;

    /// <summary>Devices of a medical role that did something, from which on it is what that role does.</summary>
    private const int LeastOfRole = 2;

    private readonly Dictionary<IpAddress, DeviceRole> _roles = [];
    private readonly Dictionary<IpAddress, int> _devices = [];
    private readonly Dictionary<Fact, int> _ofNetwork = [];
    private readonly Dictionary<(Fact, DeviceRole), int> _ofRole = [];

    public Kin(Site site)
    {
        foreach (var device in site.Devices)
        {
            foreach (var address in device.Addresses)
                _roles[address] = device.Role.Role;
            Count(_devices, NetworkOf(device.Address));
        }

        foreach (var fact in site.Facts.Keys)
        {
            if (fact.Kind is not (FactKind.Peer or FactKind.SopClass or FactKind.DicomOperation or FactKind.Hl7Type))
                continue;
            Count(_ofNetwork, OfNetwork(fact));
            if (_roles.TryGetValue(fact.A, out var role) && RoleJudgement.IsMedical(role))
                Count(_ofRole, (OfRole(fact), role));
        }
    }

    /// <summary>True when the like of the known device A did the same. Of a device that the site does not know nothing is expected.</summary>
    /// <param name="fact">The fact; A and B are devices by their first addresses.</param>
    public bool Expects(in Fact fact)
    {
        if (!_roles.TryGetValue(fact.A, out var role))
            return false;
        return _ofNetwork.GetValueOrDefault(OfNetwork(fact)) >= LeastShare * _devices.GetValueOrDefault(NetworkOf(fact.A))
            || _ofRole.GetValueOrDefault((OfRole(fact), role)) >= LeastOfRole;
    }

    /// <summary>The part of the site's network that an address lies in: /24, /64.</summary>
    public static IpAddress NetworkOf(IpAddress address) => address.IsIpv4 ? AddressScope.NetworkOf(address) : new IpAddress(address.High, 0);

    private static Fact OfNetwork(in Fact fact) => fact with { A = NetworkOf(fact.A) };

    private static Fact OfRole(in Fact fact) => fact with { A = default };

    private static void Count<T>(Dictionary<T, int> counts, T key)
        where T : notnull => counts[key] = counts.GetValueOrDefault(key) + 1;
}
