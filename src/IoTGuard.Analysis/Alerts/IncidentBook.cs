using System.Security.Cryptography;
using System.Text;
using IoTGuard.Analysis.Rules;
using IoTGuard.Wire.Link;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Alerts;

/// <summary>Alerts that belong together. The id comes from the alert that it began with.</summary>
internal sealed class Incident(string firstAlert)
{
    public string Id { get; } = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes("incident\n" + firstAlert)).AsSpan(0, 8));

    /// <summary>Packet time of the last opening or hostile observation, ns.</summary>
    public long LastNs { get; set; }
}

/// <summary>
/// Puts alerts into incidents: those about one device, against one victim, and of a victim that attacks others in turn, each within a time
/// of the last one. Bounded: beyond <see cref="MaximumParties"/> parties, an alert whose parties find no place is an incident of its own.
/// </summary>
internal sealed class IncidentBook(long windowNs)
{
    /// <summary>Most devices and most victims remembered.</summary>
    public const int MaximumParties = 65_536;

    private readonly KeyedState<Key, Link> _actors = new(MaximumParties, windowNs);
    private readonly KeyedState<Key, Link> _victims = new(MaximumParties, windowNs);

    private readonly record struct Key(IpAddress Address, MacAddress Mac);

    private sealed class Link
    {
        public Incident? Incident;
        public bool IsHostile;
    }

    /// <summary>The incident of an alert that opens.</summary>
    /// <param name="rule">Its rule.</param>
    /// <param name="device">The device that it is about, by its first address.</param>
    /// <param name="peer">The other side; default = none.</param>
    /// <param name="alert">Its id.</param>
    /// <param name="timeNs">Packet time, ns.</param>
    public Incident Join(Rule rule, in Party device, in Party peer, string alert, long timeNs)
    {
        var hostile = rule.Has(RuleTraits.Hostile);
        var incident = Find(_actors, device, timeNs, hostileOnly: false) ?? Find(_actors, peer, timeNs, hostileOnly: true);
        if (incident is null && hostile)
            incident = Find(_victims, device, timeNs, hostileOnly: true) ?? Find(_victims, peer, timeNs, hostileOnly: true);
        incident ??= new Incident(alert);
        incident.LastNs = Math.Max(incident.LastNs, timeNs);
        Note(_actors, device, incident, hostile, timeNs);
        if (hostile)
            Note(_victims, peer, incident, hostile, timeNs);
        return incident;
    }

    private Incident? Find(KeyedState<Key, Link> links, in Party party, long timeNs, bool hostileOnly)
    {
        return Fresh(links, new Key(party.Address, default)) ?? Fresh(links, new Key(default, party.Mac));

        Incident? Fresh(KeyedState<Key, Link> table, Key key) =>
            key != default && table.Find(key) is { Incident: { } incident } link && (link.IsHostile || !hostileOnly) && timeNs - incident.LastNs <= windowNs
                ? incident
                : null;
    }

    private static void Note(KeyedState<Key, Link> links, in Party party, Incident incident, bool hostile, long timeNs)
    {
        Put(new Key(party.Address, default));
        Put(new Key(default, party.Mac));

        void Put(Key key)
        {
            if (key == default || links.Touch(key, timeNs, static () => new Link()) is not { } link)
                return;
            link.IsHostile = hostile || (link.IsHostile && link.Incident == incident);
            link.Incident = incident;
        }
    }
}
