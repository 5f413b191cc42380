using IoTGuard.Analysis.Alerts;
using IoTGuard.Wire.Link;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Rules;

/// <summary>ARP and neighbour discovery: sweeps over addresses that nobody has, and addresses claimed by a second device.</summary>
internal sealed class NeighborDetection(DetectionContext context)
{
    /// <summary>Most askers, and most bindings, watched at once.</summary>
    public const int MaximumAskers = 8192;
    public const int MaximumBindings = 65_536;

    /// <summary>Targets remembered per asker.</summary>
    public const int MaximumTargets = 256;

    /// <summary>VRRP and HSRP: addresses that move between routers on purpose.</summary>
    private static readonly ulong[] FailoverPrefixes = [0x00005E0001, 0x00005E0002, 0x00000C07AC, 0x00000C9FF0];

    private readonly Rule _sweep = context.Of(NetworkRules.ArpSweep);
    private readonly Rule _spoof = context.Of(NetworkRules.ArpSpoofing);
    private readonly KeyedState<MacAddress, Asker> _askers = new(MaximumAskers, 120_000_000_000);
    private readonly Dictionary<(IpAddress Address, ushort Vlan), Binding> _bindings = [];

    private sealed class Asker
    {
        public readonly Queue<(IpAddress Target, long TimeNs)> Targets = [];
        public readonly HashSet<IpAddress> Distinct = [];
    }

    private sealed class Binding
    {
        public MacAddress Owner;
        public long OwnerNs;
        public MacAddress Rival;
        public int RivalClaims;
        public long RivalFirstNs;
    }

    /// <summary>True when the sender claims an address that nobody else claims now.</summary>
    public bool OnNeighbor(in Neighbor neighbor, long timeNs)
    {
        if (neighbor.Mac.IsNone || neighbor.Mac.IsGroup)
            return false;
        var isClaim = AddressScope.IsHost(neighbor.Address) && !Claim(in neighbor, timeNs);
        if (isClaim && IsKnown(in neighbor))
            context.Devices.ObserveClaim(neighbor.Address, neighbor.Mac, timeNs);
        if (!neighbor.IsReply && neighbor.Target != neighbor.Address)
            Ask(in neighbor, timeNs);
        return isClaim;
    }

    /// <summary>A host tells its IPv6 addresses before it has an IPv4 one: they alone make no device, which would then be met a second time.</summary>
    private bool IsKnown(in Neighbor neighbor) =>
        neighbor.Address.IsIpv4 || context.Devices.Find(neighbor.Address) is not null || context.Devices.Find(neighbor.Mac) is not null;

    /// <summary>True when the claim contradicts the owner's.</summary>
    private bool Claim(in Neighbor neighbor, long timeNs)
    {
        if (IsFailover(neighbor.Mac))
            return false;
        var key = (neighbor.Address, neighbor.Vlan);
        if (!_bindings.TryGetValue(key, out var binding))
        {
            // Who speaks for another, or in damaged frames, makes nobody an owner.
            if (_bindings.Count < MaximumBindings && !neighbor.IsIndirect)
                _bindings.Add(key, new Binding { Owner = neighbor.Mac, OwnerNs = timeNs });
            return false;
        }

        if (binding.Owner == neighbor.Mac)
        {
            binding.OwnerNs = timeNs;
            return false;
        }

        var ownerIsActive = timeNs - binding.OwnerNs <= DetectionContext.Ns(_spoof["active_within"]);
        if (binding.Rival != neighbor.Mac)
            (binding.Rival, binding.RivalClaims, binding.RivalFirstNs) = (neighbor.Mac, 0, timeNs);
        binding.RivalClaims++;
        var rivalHasOwn = context.Devices.Find(neighbor.Mac) is { } rival && !rival.Addresses.Contains(neighbor.Address);
        if (!ownerIsActive && !rivalHasOwn)
        {
            (binding.Owner, binding.OwnerNs) = (neighbor.Mac, timeNs);
            return false;
        }

        if (binding.RivalClaims >= _spoof["claims"])
            Report(in neighbor, binding, rivalHasOwn, timeNs);
        return true;
    }

    private void Report(in Neighbor neighbor, Binding binding, bool rivalHasOwn, long timeNs)
    {
        var claimed = neighbor.Address;
        var own = context.Devices.Find(neighbor.Mac)?.Addresses.FirstOrDefault(a => a.IsIpv4 == claimed.IsIpv4 && a != claimed) ?? default;

        // Who has no other address has taken this one's place.
        var device = new Party(own == default ? claimed : own, neighbor.Mac);
        var open = context.Observe(_spoof, device, new Party(neighbor.Address, binding.Owner), binding.RivalFirstNs, timeNs, rivalHasOwn ? 0.9 : 0.6);
        if (open is null)
            return;
        open.Alert.Protocol = neighbor.Address.IsIpv4 ? "arp" : "ndp";
        open.Include("address", neighbor.Address.ToString()).Text("claimant", neighbor.Mac.ToString()).Text("owner", binding.Owner.ToString()).Number("claims", open.Alert.Count, "claims", "0");
        context.Alerts.Emit(open);
    }

    private void Ask(in Neighbor neighbor, long timeNs)
    {
        if (context.Devices.Find(neighbor.Target) is not null || context.Devices.IsRouter(neighbor.Mac)
            || context.Devices.Find(neighbor.Address) is { IsRouter: true } || IsFailover(neighbor.Mac))
            return;
        if (_askers.Touch(neighbor.Mac, timeNs, static () => new Asker()) is not { } asker)
            return;
        var window = DetectionContext.Ns(_sweep["window"]);
        while (asker.Targets.TryPeek(out var oldest) && (timeNs - oldest.TimeNs > window || asker.Targets.Count >= MaximumTargets))
            asker.Distinct.Remove(asker.Targets.Dequeue().Target);
        if (!asker.Distinct.Add(neighbor.Target))
            return;
        asker.Targets.Enqueue((neighbor.Target, timeNs));
        if (asker.Targets.Count < _sweep["addresses"])
            return;

        // Targets that were unknown when they were asked for may have answered since.
        var unknown = 0;
        foreach (var (target, _) in asker.Targets)
            unknown += context.Devices.Find(target) is null ? 1 : 0;
        if (unknown < _sweep["addresses"])
            return;
        var open = context.Observe(_sweep, new Party(AddressScope.IsHost(neighbor.Address) ? neighbor.Address : default, neighbor.Mac), default,
            asker.Targets.Peek().TimeNs, timeNs, 0.9);
        if (open is null)
            return;
        open.Alert.Protocol = neighbor.Address.IsIpv4 ? "arp" : "ndp";
        open.Number("addresses", Math.Max(open.Alert.Count + _sweep["addresses"] - 1, unknown), "addresses", $"fewer than {_sweep["addresses"]}");
        context.Alerts.Emit(open);
    }

    /// <summary>True for the hardware address of a pair of routers.</summary>
    public static bool IsFailover(MacAddress mac) => Array.IndexOf(FailoverPrefixes, mac.Value >> 8) >= 0;
}
