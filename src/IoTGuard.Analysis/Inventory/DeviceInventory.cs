using IoTGuard.Analysis.Baselines;
using IoTGuard.Wire.Link;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Inventory;

/// <summary>
/// The devices of the site, by address and hardware address. A hardware address with many IPv4 addresses, or with outside ones, is a
/// router's: the devices behind it are told apart by address alone.
/// </summary>
public sealed class DeviceInventory(AddressScope scope, int maximumDevices)
{
    /// <summary>IPv4 addresses of one hardware address from which on it is taken for a router's.</summary>
    public const int RouterAddresses = 5;

    /// <summary>Most hardware addresses watched.</summary>
    public const int MaximumMacs = 100_000;

    /// <summary>Most devices that were heard but neither answered nor were answered; a flood of invented senders stops here.</summary>
    public const int MaximumUnconfirmed = 4096;

    /// <summary>Answers remembered, a power of two: 640 KB, of which a site of the usual size touches a part.</summary>
    private const int RememberedAnswers = 16_384;

    private readonly Dictionary<IpAddress, Device> _byAddress = [];
    private AddressScope _scope = scope;

    // Every event asks for its two devices, some many times over: answers by the hash of the address, which hold in their epoch.
    private readonly Answer[] _answers = new Answer[RememberedAnswers];
    private int _epoch = 1;
    private readonly Dictionary<MacAddress, MacEntry> _byMac = [];
    private readonly List<Device> _devices = [];
    private int _unconfirmed;

    /// <summary>Raised when a device that was found by an address may be another one from now on, or stand for other addresses.</summary>
    public int Version { get; private set; }

    /// <param name="Noted">The hardware address that was noted last with the address; noting it again changes nothing.</param>
    private record struct Answer(IpAddress Address, Device? Device, int Epoch, MacAddress Noted);

    private sealed class MacEntry
    {
        public readonly List<IpAddress> Addresses = new(1);
        public Device? Device;
        public bool IsRouter;
    }

    /// <summary>Devices in the order they were first seen.</summary>
    public IReadOnlyList<Device> Devices => _devices;

    /// <summary>Sightings that found the inventory full.</summary>
    public long Overflows { get; private set; }

    /// <summary>The device that has an address, or null.</summary>
    public Device? Find(IpAddress address)
    {
        ref var answer = ref AnswerFor(address);
        if (answer.Address != address || answer.Epoch != _epoch)
            answer = new Answer(address, _byAddress.GetValueOrDefault(address), _epoch, default);
        return answer.Device;
    }

    /// <summary>The device with a hardware address that is its own, or null.</summary>
    public Device? Find(MacAddress mac) => _byMac.TryGetValue(mac, out var entry) && !entry.IsRouter ? entry.Device : null;

    public bool IsRouter(MacAddress mac) => _byMac.TryGetValue(mac, out var entry) && entry.IsRouter;

    /// <summary>Notes a sender; null when the address is no inside host's, or the inventory is full.</summary>
    /// <param name="address">Its address.</param>
    /// <param name="mac">The hardware address of the frame; a router's when it came from another network.</param>
    /// <param name="timeNs">Packet time, ns.</param>
    /// <param name="confirmed">True when traffic went both ways, or ARP said so.</param>
    /// <param name="known">The device with that address, when it is known already.</param>
    public Device? Observe(IpAddress address, MacAddress mac, long timeNs, bool confirmed, Device? known = null)
    {
        var device = known ?? Find(address);
        if (device is null)
        {
            if (!AddressScope.IsHost(address))
                return null;
            if (!_scope.IsInside(address))
            {
                if (confirmed)
                    NoteMac(address, mac, isOutside: true);
                return null;
            }

            device = Add(address, mac, timeNs, confirmed);
            if (device is null)
                return null;
        }

        device.Hear(timeNs);
        if (confirmed && !device.IsConfirmed)
        {
            device.IsConfirmed = true;
            _unconfirmed--;
        }

        if (confirmed && !mac.IsNone && mac != device.Mac && !IsNoted(address, mac))
        {
            NoteMac(address, mac, isOutside: false);
            ref var answer = ref AnswerFor(address);
            if (answer.Address == address)
                answer.Noted = mac;
        }

        return device;
    }

    /// <summary>Notes that a hardware address claims an address in ARP.</summary>
    public Device? ObserveClaim(IpAddress address, MacAddress mac, long timeNs)
    {
        var device = Observe(address, mac, timeNs, confirmed: true);
        if (device is null)
            return null;
        device.Mac = mac;
        device.MacFromArp = true;
        if (_byMac.TryGetValue(mac, out var entry))
        {
            device.IsRouter |= entry.IsRouter;
            entry.Device ??= device;
            if (!entry.IsRouter && address.IsIpv4 && entry.Addresses.Count > 1)
                Join(device, entry);
        }

        return device;
    }

    /// <summary>Takes a device of a learned site in.</summary>
    internal void Restore(Device device)
    {
        if (_devices.Count >= maximumDevices || _byAddress.ContainsKey(device.Address))
            return;
        device.Restored();
        _devices.Add(device);
        foreach (var address in device.Addresses)
            _byAddress.TryAdd(address, device);
        Forget();
        if (device.Mac.IsNone || _byMac.Count >= MaximumMacs || _byMac.ContainsKey(device.Mac))
            return;
        var entry = new MacEntry { Device = device, IsRouter = device.IsRouter };
        entry.Addresses.Add(device.Address);
        _byMac.Add(device.Mac, entry);
    }

    /// <summary>Takes what a site says now: which addresses are inside, and which devices it knows.</summary>
    internal void Relearn(AddressScope inside, IEnumerable<Device> learned)
    {
        _scope = inside;
        foreach (var device in learned)
        {
            if (_byAddress.TryGetValue(device.Address, out var known))
                known.IsLearned = true;
            else
                Restore(device.Copy());
        }
    }

    private Device? Add(IpAddress address, MacAddress mac, long timeNs, bool confirmed)
    {

        // An address that was only heard may be invented: it makes nobody a router.
        var entry = confirmed ? NoteMac(address, mac, isOutside: false) : _byMac.GetValueOrDefault(mac);
        var own = entry is null || entry.IsRouter ? default : mac;

        // The IPv6 address of a dual-stack host. A router's hardware address never qualifies: it is soon seen with more than one IPv4 address.
        if (!address.IsIpv4 && entry is { IsRouter: false, Device: { MacFromArp: true } known } && entry.Addresses.Count(static a => a.IsIpv4) == 1
            && known.AddAddress(address))
        {
            _byAddress.Add(address, known);
            Forget(address);
            return known;
        }

        if (_devices.Count >= maximumDevices || (!confirmed && _unconfirmed >= MaximumUnconfirmed))
        {
            Overflows++;
            return null;
        }

        var device = new Device(address, own, timeNs) { IsConfirmed = confirmed };
        if (!confirmed)
            _unconfirmed++;
        _byAddress.Add(address, device);
        Forget(address);
        _devices.Add(device);
        if (confirmed && entry is { IsRouter: false })
            entry.Device ??= device;
        return device;
    }

    /// <summary>Joins what was seen under IPv6 addresses of the same hardware address before the host was known by ARP.</summary>
    private void Join(Device device, MacEntry entry)
    {
        if (entry.Addresses.Count(static a => a.IsIpv4) != 1)
            return;
        foreach (var address in entry.Addresses)
        {
            if (address.IsIpv4 || !_byAddress.TryGetValue(address, out var other) || other == device || other.IsLearned || !device.AddAddress(address))
                continue;
            _byAddress[address] = device;
            if (other.Addresses.Count > 1)
            {
                other.RemoveAddress(address);
                continue;
            }

            device.Absorb(other);
            _devices.Remove(other);
        }

        entry.Device = device;
        Version++;
        Forget();
    }

    private void Forget() => _epoch++;

    private void Forget(IpAddress address) => AnswerFor(address) = default;

    private ref Answer AnswerFor(IpAddress address)
    {
        const ulong Factor = 0x9E3779B97F4A7C15;
        return ref _answers[(int)(((address.Low ^ (address.High * Factor)) * Factor) >> 40) & (RememberedAnswers - 1)];
    }

    private bool IsNoted(IpAddress address, MacAddress mac)
    {
        ref readonly var answer = ref AnswerFor(address);
        return answer.Noted == mac && answer.Address == address && answer.Epoch == _epoch;
    }

    private MacEntry? NoteMac(IpAddress address, MacAddress mac, bool isOutside)
    {
        if (mac.IsNone || mac.IsGroup)
            return null;
        if (!_byMac.TryGetValue(mac, out var entry))
        {
            if (_byMac.Count >= MaximumMacs)
                return null;
            _byMac.Add(mac, entry = new MacEntry());
        }

        if (entry.IsRouter)
            return entry;
        if (isOutside)
        {
            BecomeRouter(entry, mac);
        }
        else if (!entry.Addresses.Contains(address))
        {
            entry.Addresses.Add(address);
            var v4 = 0;
            foreach (var held in entry.Addresses)
                v4 += held.IsIpv4 ? 1 : 0;
            if (v4 >= RouterAddresses || entry.Addresses.Count >= Device.MaximumListed)
                BecomeRouter(entry, mac);
        }

        return entry;
    }

    /// <summary>Takes a router's hardware address away from the devices behind it; only those that claimed it in ARP keep it.</summary>
    private void BecomeRouter(MacEntry entry, MacAddress mac)
    {
        entry.IsRouter = true;
        entry.Device = null;
        foreach (var address in entry.Addresses)
        {
            if (!_byAddress.TryGetValue(address, out var device) || device.Mac != mac)
                continue;
            if (device.MacFromArp && address.IsIpv4)
            {
                device.IsRouter = true;
            }
            else if (device.MacFromArp)
            {
                device.RemoveAddress(address);
                _byAddress.Remove(address);
            }
            else
            {
                device.Mac = default;
                if (device.Address != address)
                {
                    device.RemoveAddress(address);
                    _byAddress.Remove(address);
                }
            }
        }

        Version++;
        Forget();
        entry.Addresses.Clear();
    }
}
