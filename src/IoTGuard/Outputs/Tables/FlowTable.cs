using IoTGuard.Analysis.Features;
using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Transport;

namespace IoTGuard.Outputs.Tables;

/// <summary>The table of flows: one row per flow, when it ends.</summary>
internal static class FlowTable
{
    private static readonly string[] StateNames = Enum.GetNames<ConnectionState>();
    private static readonly string[] EndNames = Enum.GetNames<FlowEndReason>();

    /// <summary>The columns before the features.</summary>
    /// <param name="communityIdSeed">Seed of the community ids.</param>
    public static IReadOnlyList<IdentityColumn<FlowRecord>> Identity(ushort communityIdSeed) =>
    [
        new("first_seen", "time", "first packet", static (line, in f) => line.Time(f.FirstNs)),
        new("last_seen", "time", "last packet", static (line, in f) => line.Time(f.LastNs)),
        new("originator_ip", "text", "address that opened the flow", static (line, in f) => line.Address(f.Originator)),
        new("originator_port", "integer", "its port", static (line, in f) => line.Whole(f.OriginatorPort)),
        new("responder_ip", "text", "address that it was opened to", static (line, in f) => line.Address(f.Responder)),
        new("responder_port", "integer", "its port", static (line, in f) => line.Whole(f.ResponderPort)),
        new("ip_protocol", "integer", "IP protocol number", static (line, in f) => line.Whole(f.IpProtocol)),
        new("vlan", "integer", "outermost VLAN id; 0 = untagged", static (line, in f) => line.Whole(f.Vlan)),
        new("application", "text", "application protocol, recognised by content", static (line, in f) => line.Text(ApplicationProtocols.NameOf(f.Application))),
        new("state", "text", "how far a TCP connection came", static (line, in f) => line.Text(StateNames[(int)f.State])),
        new("end", "text", "why the flow ended", static (line, in f) => line.Text(EndNames[(int)f.End])),
        new("judged", "integer", "1 when models judge such a flow: a whole one, answered, of 8 packets or more", static (line, in f) => line.Whole(ModelInputs.IsJudged(in f) ? 1 : 0)),
        new("community_id", "text", "Community ID of the flow", (line, in f) => WriteCommunityId(line, in f, communityIdSeed)),
    ];

    private static void WriteCommunityId(CsvLine line, in FlowRecord flow, ushort seed)
    {
        var key = FlowKey.Of(flow.Originator, flow.Responder, flow.OriginatorPort, flow.ResponderPort, flow.IpProtocol, 0, out var sender);
        Span<byte> text = stackalloc byte[CommunityId.Length];
        CommunityId.Write(key, sender, text, seed);
        line.Bytes(text);
    }
}
