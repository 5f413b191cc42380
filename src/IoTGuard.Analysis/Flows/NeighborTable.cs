using IoTGuard.Wire.Link;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Flows;

/// <summary>
/// Senders of ARP or neighbour discovery told lately: a pair of hardware and protocol address that stays the same is told once per <see cref="RepeatNs"/>. Of
/// <see cref="Entries"/> places a pair has one by its address; another pair on it takes it over, so that a changed binding is told at once.
/// </summary>
internal sealed class NeighborTable
{
    /// <summary>Places in the table.</summary>
    public const int Entries = 4096;

    /// <summary>An unchanged pair is told again after this time, ns of packet time.</summary>
    public const long RepeatNs = 60_000_000_000;

    private Entry[] _entries = [];

    /// <summary>True when the pair must be told.</summary>
    public bool IsNews(MacAddress mac, IpAddress address, ushort vlan, long clock)
    {
        if (_entries.Length == 0)
            _entries = new Entry[Entries];
        var hash = ((address.Low ^ (address.High * 3) ^ ((ulong)vlan << 40)) * 0x9E3779B97F4A7C15) >> 52;
        ref var entry = ref _entries[(int)hash];
        if (entry.Mac == mac && entry.Address == address && entry.Vlan == vlan && clock - entry.Clock < RepeatNs)
            return false;
        entry = new Entry { Mac = mac, Address = address, Vlan = vlan, Clock = clock };
        return true;
    }

    private struct Entry
    {
        public MacAddress Mac;
        public IpAddress Address;
        public long Clock;
        public ushort Vlan;
    }
}
