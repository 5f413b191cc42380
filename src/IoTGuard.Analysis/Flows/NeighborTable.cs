using IoTGuard.Wire.Link;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Flows;

/// <summary>
/// Senders of ARP or neighbour discovery told lately: a pair of hardware and protocol address that stays the same, and asks for the same, is told once per
/// <see cref="RepeatNs"/>. Of <see cref="Entries"/> places a pair has one by its address and what it asks for; another pair on it takes it over, so that a changed binding is told at once, and again
/// per <see cref="ContestedRepeatNs"/> for <see cref="ContestedNs"/>.
/// </summary>
internal sealed class NeighborTable
{
    /// <summary>Places in the table.</summary>
    public const int Entries = 4096;

    /// <summary>An unchanged pair is told again after this time, ns of packet time.</summary>
    public const long RepeatNs = 60_000_000_000;

    /// <summary>The same for an address that another hardware address had before, ns.</summary>
    public const long ContestedRepeatNs = 1_000_000_000;

    /// <summary>How long after the last change an address counts as contested, ns.</summary>
    public const long ContestedNs = 300_000_000_000;

    private Entry[] _entries = [];

    /// <summary>True when the pair must be told.</summary>
    /// <param name="mac">The sender's hardware address.</param>
    /// <param name="address">Its protocol address.</param>
    /// <param name="asked">The address that it asks for; default in what it tells of itself.</param>
    /// <param name="vlan">The VLAN.</param>
    /// <param name="clock">The run's clock, ns.</param>
    public bool IsNews(MacAddress mac, IpAddress address, IpAddress asked, ushort vlan, long clock)
    {
        if (_entries.Length == 0)
            _entries = new Entry[Entries];
        var hash = ((address.Low ^ (address.High * 3) ^ (asked.Low * 5) ^ (asked.High * 7) ^ ((ulong)vlan << 40)) * 0x9E3779B97F4A7C15) >> 52;
        ref var entry = ref _entries[(int)hash];
        var isSame = entry.Address == address && entry.Asked == asked && entry.Vlan == vlan && !entry.Mac.IsNone;
        var contestedUntil = !isSame ? 0 : entry.Mac == mac ? entry.ContestedUntil : clock + ContestedNs;
        if (isSame && entry.Mac == mac && clock - entry.Clock < (clock < contestedUntil ? ContestedRepeatNs : RepeatNs))
            return false;
        entry = new Entry { Mac = mac, Address = address, Asked = asked, Vlan = vlan, Clock = clock, ContestedUntil = contestedUntil };
        return true;
    }

    private struct Entry
    {
        public MacAddress Mac;
        public IpAddress Address;
        public IpAddress Asked;
        public long Clock;
        public long ContestedUntil;
        public ushort Vlan;
    }
}
