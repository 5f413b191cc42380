using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Inventory;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Link;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Rules;

/// <summary>
/// What the detections found out about a client that sends HL7 to a server, kept so that a message like those before costs one look-up. All of it
/// can be found again: a link that is forgotten changes no outcome. A part is null or empty while it must be looked up.
/// </summary>
internal sealed class Hl7Link
{
    /// <summary>Message types kept; another takes the place of the oldest.</summary>
    private const int MaximumTypes = 8;

    private readonly Hl7LinkType?[] _types = new Hl7LinkType?[MaximumTypes];
    private int _nextType;

    public required IpAddress ClientAddress { get; init; }

    public required IpAddress ServerAddress { get; init; }

    /// <summary>The inventory's version for which the devices, and all that rests on who they are, hold.</summary>
    public required int Version { get; init; }

    public required Device Client { get; init; }

    public required Device Server { get; init; }

    private long _metNs = long.MinValue;
    private MacAddress _metClientMac;
    private MacAddress _metServerMac;

    /// <summary>The service of the last acknowledged message, and its port.</summary>
    public SeenFact? Service;
    public ushort ServicePort;

    /// <summary>Names of the last message that nothing had to be said about; <see cref="Sender"/> is null when there was none.</summary>
    public string? Application;
    public string? Facility;
    public SeenFact? Sender;

    /// <summary>What was counted of the client, the server and the link.</summary>
    public RateBook.Window? Rate;
    public double UsualRate = double.NaN;
    public KeyedState<IpAddress, Hl7RateDetection.Receiver>.Entry? Receiver;
    public KeyedState<(IpAddress Client, IpAddress Server), Hl7RateDetection.Link>.Entry? Counts;

    /// <summary>The name that the server was called, where the inventory counts it.</summary>
    public string? ServerName;
    public TextCount? ServerNameCount;

    /// <summary>The name that the client gave itself last, and where the inventory counts it, if it does: not what the client was sent itself.</summary>
    public string? ClientName;
    public TextCount? ClientNameCount;
    public bool ClientPassesOn;

    /// <summary>Size of the table of received names for which it holds that the client was not sent its own.</summary>
    public int ReceivedNames = -1;

    /// <summary>Touches what a message will need, one step from object to object at a time. The result says nothing.</summary>
    public long Touch(int depth) => depth switch
    {
        0 => Version + ServicePort + (Sender is null ? 0 : 1),
        1 => Client.LastSeenNs + Server.LastSeenNs + (Counts?.TouchedNs ?? 0) + (Receiver?.TouchedNs ?? 0) + (Rate?.Touch() ?? 0)
            + (Sender?.Touch() ?? 0) + (Service?.Touch() ?? 0) + (ClientNameCount?.Times ?? 0) + (_types[0] is null ? 0 : 1),
        _ => (Counts?.State.Touch() ?? 0) + (_types[0]?.Fact.Touch() ?? 0) + (_types[1]?.Fact.Touch() ?? 0) + (_types[2]?.Fact.Touch() ?? 0),
    };

    /// <summary>True when the inventory met both ends, as a transaction shows them, at this time already: an acknowledgement comes with its message.</summary>
    public bool IsMet(Hl7Transaction transaction, long now) =>
        now == _metNs && transaction.ClientMac == _metClientMac && transaction.ServerMac == _metServerMac;

    public void Met(Hl7Transaction transaction, long now) => (_metNs, _metClientMac, _metServerMac) = (now, transaction.ClientMac, transaction.ServerMac);

    /// <summary>What is kept of a message type, or null.</summary>
    public Hl7LinkType? TypeOf(string? messageType)
    {
        foreach (var type in _types)
        {
            if (type is null)
                return null;
            if (type.MessageType == messageType)
                return type;
        }

        return null;
    }

    public void Keep(Hl7LinkType type)
    {
        _types[_nextType] = type;
        _nextType = (_nextType + 1) % MaximumTypes;
    }
}

/// <summary>A message type of a link that nothing has to be said about.</summary>
/// <param name="MessageType">MSH-9 as transactions have it.</param>
/// <param name="Code">The message code.</param>
/// <param name="Fact">Where its messages are noted.</param>
internal sealed record Hl7LinkType(string? MessageType, string Code, SeenFact Fact);

/// <summary>The links seen lately. A link has one place by its addresses; another on the same place takes it over.</summary>
internal sealed class Hl7Links(DeviceInventory devices)
{
    /// <summary>Links kept, a power of two.</summary>
    public const int Places = 8192;

    private const int TouchDepths = 3;

    private readonly Hl7Link?[] _links = new Hl7Link?[Places];
    private readonly List<Hl7Link> _ahead = [];

    /// <summary>Touches what the messages of a batch will need, so that the memory accesses of many overlap. The result says nothing.</summary>
    public long Touch(ReadOnlySpan<Transaction> transactions)
    {
        _ahead.Clear();
        foreach (var transaction in transactions)
        {
            if (transaction is Hl7Transaction { Event: Hl7Event.Message } && _links[PlaceOf(transaction)] is { } link)
                _ahead.Add(link);
        }

        var sum = 0L;
        for (var depth = 0; depth < TouchDepths; depth++)
        {
            foreach (var link in _ahead)
                sum += link.Touch(depth);
        }

        return sum;
    }

    /// <summary>The link of a transaction, if it is kept and still holds.</summary>
    public Hl7Link? Find(Transaction transaction)
    {
        var link = _links[PlaceOf(transaction)];
        return link is not null && link.ClientAddress == transaction.Client && link.ServerAddress == transaction.Server && IsCurrent(link) ? link : null;
    }

    /// <summary>The link of a transaction, kept from now on; null when one of its ends is no device.</summary>
    public Hl7Link? Keep(Transaction transaction)
    {
        if (devices.Find(transaction.Client) is not { } client || devices.Find(transaction.Server) is not { } server)
            return null;
        return _links[PlaceOf(transaction)] = new Hl7Link
        {
            ClientAddress = transaction.Client,
            ServerAddress = transaction.Server,
            Version = devices.Version,
            Client = client,
            Server = server,
        };
    }

    public bool IsCurrent(Hl7Link link) => link.Version == devices.Version;

    private static int PlaceOf(Transaction transaction)
    {
        const ulong Factor = 0x9E3779B97F4A7C15;
        var client = transaction.Client;
        var server = transaction.Server;
        var hash = (client.Low ^ client.High) * Factor;
        hash = (hash ^ (hash >> 32) ^ server.Low ^ server.High) * Factor;
        return (int)(hash >> 40) & (Places - 1);
    }
}
