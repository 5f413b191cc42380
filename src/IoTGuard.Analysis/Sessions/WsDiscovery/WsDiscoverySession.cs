using System.Text;
using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Sessions;

/// <summary>A message of WS-Discovery. The client is who sent it.</summary>
public sealed class WsDiscoveryTransaction : Transaction
{
    private string _event = "message";

    /// <summary>Types of the device or asked for, without prefixes: "Device", "MedicalDevice" ...</summary>
    public string? Types { get; set; }

    /// <summary>Endpoint reference, usually urn:uuid, which names the device for good.</summary>
    public string? Endpoint { get; set; }

    /// <summary>Where the device offers its description: the first transport address.</summary>
    public string? Address { get; set; }

    /// <summary>True for a medical device of IEEE 11073-20701 (SDC).</summary>
    public bool IsMedical { get; set; }

    public override string Protocol => "ws-discovery";

    public override string EventName => _event;

    internal void SetEvent(string name) => _event = name;

    public override void Reset()
    {
        _event = "message";
        Types = Endpoint = Address = null;
        IsMedical = false;
    }

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        writer.Text("types", Types);
        writer.Text("endpoint", Endpoint);
        writer.Text("address", Address);
        if (IsMedical)
            writer.Flag("sdc", true);
    }
}

/// <summary>WS-Discovery 1.0 and 1.1 over UDP, with which DPWS and SDC devices announce and find each other.</summary>
public sealed class WsDiscoverySession : DatagramSession
{
    /// <summary>Bytes of a datagram that are looked at for recognition.</summary>
    private const int ProbeBytes = 2048;

    private static readonly (byte[] Name, string Event)[] Actions =
    [
        .. new[] { ("ProbeMatches", "probe_matches"), ("ResolveMatches", "resolve_matches"), ("Probe", "probe"), ("Resolve", "resolve"), ("Hello", "hello"), ("Bye", "bye") }
            .Select(static a => (Encoding.ASCII.GetBytes("/" + a.Item1), a.Item2)),
    ];

    public override ApplicationProtocol Protocol => ApplicationProtocol.WsDiscovery;

    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (data.Length < 64 || data[0] is not ((byte)'<' or 0xEF))
            return ProbeResult.NotForUs;
        var head = data[..Math.Min(data.Length, ProbeBytes)];
        return head.IndexOf("schemas.xmlsoap.org/ws/2005/04/discovery"u8) >= 0 || head.IndexOf("docs.oasis-open.org/ws-dd/ns/discovery"u8) >= 0
            ? ProbeResult.Certain
            : ProbeResult.NotForUs;
    }

    public override void OnDatagram(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data, int cut)
    {
        if (Probe(direction, data) != ProbeResult.Certain)
            return;
        var action = SoapEnvelope.ActionOf(data);
        var transaction = context.Begin<WsDiscoveryTransaction>(direction);
        transaction.IsAnswered = direction == FlowDirection.FromResponder;
        transaction.Bytes = data.Length + cut;
        foreach (var (name, happened) in Actions)
        {
            if (!action.EndsWith(name))
                continue;
            transaction.SetEvent(happened);
            break;
        }

        ref var counters = ref context.Flow.Counters;
        if (transaction.EventName is "probe" or "resolve")
            counters.Requests++;
        else if (transaction.EventName is "probe_matches" or "resolve_matches")
            counters.Responses++;
        transaction.Types = TypesOf(context, SoapEnvelope.TextOf(data, "Types"u8));
        transaction.Endpoint = context.Texts.Of(SoapEnvelope.TextOf(data, "EndpointReference"u8) is { IsEmpty: false } plain ? plain : EndpointOf(data));
        var addresses = SoapEnvelope.TextOf(data, "XAddrs"u8);
        var space = addresses.IndexOf((byte)' ');
        transaction.Address = context.Texts.Of(space < 0 ? addresses : addresses[..space]);
        transaction.IsMedical = data.IndexOf("MedicalDevice"u8) >= 0 || data.IndexOf("11073-20701"u8) >= 0 || data.IndexOf("sdc.ctxt"u8) >= 0 || data.IndexOf("sdc.mds"u8) >= 0;
        if (transaction.EventName is "hello" or "probe_matches" or "resolve_matches" && transaction.Types is { } types)
        {
            transaction.Claim(transaction.Client, ClaimKind.Class, types);
            transaction.Claim(transaction.Client, ClaimKind.Serial, transaction.IsMedical ? transaction.Endpoint : null);
        }

        context.Emit(transaction);
    }

    public override void OnEnd(SessionContext context)
    {
    }

    public override void Reset()
    {
    }

    /// <summary>The address in the endpoint reference of what is announced; that of the header (ReplyTo) comes before it and is another.</summary>
    private static ReadOnlySpan<byte> EndpointOf(ReadOnlySpan<byte> data)
    {
        var at = data.IndexOf("EndpointReference"u8);
        return at < 0 ? default : SoapEnvelope.TextOf(data[at..], "Address"u8);
    }

    /// <summary>The names without their prefixes.</summary>
    private static string? TypesOf(SessionContext context, ReadOnlySpan<byte> types)
    {
        Span<byte> names = stackalloc byte[TextInterner.MaximumTextBytes];
        var length = 0;
        foreach (var range in types.SplitAny(" \t\r\n"u8))
        {
            var name = types[range];
            name = name[(name.IndexOf((byte)':') + 1)..];
            if (name.IsEmpty || length + name.Length + 1 > names.Length)
                continue;
            if (length > 0)
                names[length++] = (byte)' ';
            name.CopyTo(names[length..]);
            length += name.Length;
        }

        return context.Texts.Of(names[..length]);
    }
}
