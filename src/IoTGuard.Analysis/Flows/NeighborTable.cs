using IoTGuard.Wire.Link;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Flows;

/// <summary>
/// Senders of ARP or neighbour discovery told lately: who asks for the same address, or says that it has one, is told once per <see cref="RepeatNs"/>. Of
/// <see cref="Entries"/> places an address and what it asks for have one; another sender on it takes it over, so that a changed binding is told at once, and
/// again per <see cref="ContestedRepeatNs"/> for <see cref="ContestedNs"/>.
/// </summary>
internal sealed class NeighborTable
{
    /// <summary>Places in the table.</summary>
    public const int Entries = 4096;

    /// <summary>The same is told again after this time, ns of packet time.</summary>
    public const long RepeatNs = 60_000_000_000;

    /// <summary>The same for an address that another hardware address had before, ns.</summary>
    public const long ContestedRepeatNs = 1_000_000_000;

    /// <summary>How long after the last change an address counts as contested, ns.</summary>
    public const long ContestedNs = 300_000_000_000;

    private Entry[] _entries = [];

    /// <summary>True when it must be told that the sender asks for the target, or says that it has the address.</summary>
    /// <param name="mac">Hardware address of the sender.</param>
    /// <param name="address">Protocol address of the sender.</param>
    /// <param name="target">What a request asks for; of a reply, the address itself.</param>
    /// <param name="vlan">VLAN identifier.</param>
    /// <param name="clock">Packet time, ns.</param>
    public bool IsNews(MacAddress mac, IpAddress address, IpAddress target, ushort vlan, long clock)
    {
        if (_entries.Length == 0)
            _entries = new Entry[Entries];
        var hash = ((address.Low ^ (address.High * 3) ^ ((target.Low ^ target.High) * 5) ^ ((ulong)vlan << 40)) * 0x9E3779B97F4A7C15) >> 52;
        ref var entry = ref _entries[(int)hash];
        var isSame = entry.Address == address && entry.Target == target && entry.Vlan == vlan && !entry.Mac.IsNone;
        var contestedUntil = !isSame ? 0 : entry.Mac == mac ? entry.ContestedUntil : clock + ContestedNs;
        if (isSame && entry.Mac == mac && clock - entry.Clock < (clock < contestedUntil ? ContestedRepeatNs : RepeatNs))
            return false;
        entry = new Entry { Mac = mac, Address = address, Target = target, Vlan = vlan, Clock = clock, ContestedUntil = contestedUntil };
        return true;
    }

    private struct Entry
    {
        public MacAddress Mac;
        public IpAddress Address;
        public IpAddress Target;
        public long Clock;
        public long ContestedUntil;
        public ushort Vlan;
    }
}
