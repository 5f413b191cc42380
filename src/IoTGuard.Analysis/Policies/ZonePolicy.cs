using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Policies;

/// <summary>A named part of the site's network.</summary>
public sealed record Zone(string Name, IReadOnlyList<AddressPrefix> Networks);

/// <summary>A service in a policy: a range of ports, or an application protocol on any port.</summary>
public readonly record struct ZoneService(byte IpProtocol, ushort FirstPort, ushort LastPort, ApplicationProtocol Application)
{
    public override string ToString() => Application != ApplicationProtocol.Unknown
        ? ApplicationProtocols.NameOf(Application)
        : $"{(IpProtocol == Wire.Network.IpProtocol.Tcp ? "tcp" : "udp")}/{FirstPort}{(FirstPort == LastPort ? "" : $"-{LastPort}")}";

    /// <summary>Parses "tcp/104", "udp/5000-5010" or the name of an application protocol such as "dicom".</summary>
    public static bool TryParse(string text, out ZoneService service)
    {
        service = default;
        foreach (var application in Enum.GetValues<ApplicationProtocol>())
        {
            if (application != ApplicationProtocol.Unknown && ApplicationProtocols.NameOf(application) == text)
            {
                service = new ZoneService(0, 0, 0, application);
                return true;
            }
        }

        if (text.Split('/') is not [("tcp" or "udp") and var protocol, var ports])
            return false;
        var ends = ports.Split('-');
        if (ends.Length > 2 || !ushort.TryParse(ends[0], out var first) || !ushort.TryParse(ends[^1], out var last) || last < first)
            return false;
        service = new ZoneService(protocol == "tcp" ? Wire.Network.IpProtocol.Tcp : Wire.Network.IpProtocol.Udp, first, last, ApplicationProtocol.Unknown);
        return true;
    }
}

/// <summary>One line of a policy. The first line that fits a connection decides.</summary>
/// <param name="From">Zones of the one who opens the connection; <see cref="ZonePolicy.Any"/> = all.</param>
/// <param name="To">Zones of the other side.</param>
/// <param name="Services">What it is about; empty = everything.</param>
public sealed record ZoneTraffic(IReadOnlyList<string> From, IReadOnlyList<string> To, IReadOnlyList<ZoneService> Services, bool IsAllowed);

/// <summary>What a policy says about a connection.</summary>
public enum ZoneVerdict : byte
{
    Allowed,
    Forbidden,

    /// <summary>It depends on the application protocol, which is not known yet.</summary>
    Open,
}

/// <summary>Zones of a site, and what may talk to what.</summary>
public sealed class ZonePolicy
{
    /// <summary>The zone of all addresses that do not belong to the site.</summary>
    public const string Outside = "outside";

    /// <summary>Every zone, in a line of the policy.</summary>
    public const string Any = "*";

    /// <summary>No zones, nothing forbidden.</summary>
    public static ZonePolicy Empty { get; } = new();

    public IReadOnlyList<Zone> Zones { get; init; } = [];

    public IReadOnlyList<ZoneTraffic> Traffic { get; init; } = [];

    /// <summary>What holds between two zones where no line fits.</summary>
    public bool AllowsByDefault { get; init; } = true;

    /// <summary>True when something can be forbidden.</summary>
    public bool Judges => !AllowsByDefault || Traffic.Any(static t => !t.IsAllowed);

    /// <summary>The zone with the longest network that holds an address; null when none does.</summary>
    public string? ZoneOf(IpAddress address)
    {
        string? best = null;
        var length = -1;
        foreach (var zone in Zones)
        {
            foreach (var network in zone.Networks)
            {
                if (network.Length > length && network.Contains(address))
                    (best, length) = (zone.Name, network.Length);
            }
        }

        return best;
    }

    /// <summary>Judges a connection between two zones. Within a zone everything is allowed that no line forbids.</summary>
    /// <param name="from">Zone of the one who opened it.</param>
    /// <param name="to">Zone of the other side.</param>
    /// <param name="ipProtocol">IP protocol number.</param>
    /// <param name="port">Port of the other side.</param>
    /// <param name="application">What was recognised.</param>
    /// <param name="isFinal">True when no more will be recognised.</param>
    public ZoneVerdict Judge(string from, string to, byte ipProtocol, ushort port, ApplicationProtocol application, bool isFinal)
    {
        foreach (var line in Traffic)
        {
            if (!Holds(line.From, from) || !Holds(line.To, to))
                continue;
            if (line.Services.Count == 0)
                return line.IsAllowed ? ZoneVerdict.Allowed : ZoneVerdict.Forbidden;
            var open = false;
            foreach (var service in line.Services)
            {
                if (service.Application != ApplicationProtocol.Unknown)
                {
                    if (service.Application == application)
                        return line.IsAllowed ? ZoneVerdict.Allowed : ZoneVerdict.Forbidden;
                    open |= !isFinal && application == ApplicationProtocol.Unknown;
                }
                else if (service.IpProtocol == ipProtocol && port >= service.FirstPort && port <= service.LastPort)
                {
                    return line.IsAllowed ? ZoneVerdict.Allowed : ZoneVerdict.Forbidden;
                }
            }

            if (open)
                return ZoneVerdict.Open;
        }

        return AllowsByDefault || from == to ? ZoneVerdict.Allowed : ZoneVerdict.Forbidden;
    }

    /// <summary>True when the application protocol matters between two zones.</summary>
    public bool DependsOnApplication(string from, string to) =>
        Traffic.Any(t => Holds(t.From, from) && Holds(t.To, to) && t.Services.Any(static s => s.Application != ApplicationProtocol.Unknown));

    private static bool Holds(IReadOnlyList<string> zones, string zone)
    {
        for (var i = 0; i < zones.Count; i++)
        {
            if (zones[i] == zone || zones[i] == Any)
                return true;
        }

        return false;
    }
}
