using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Flows;

/// <summary>Neighbour discovery of one shard: who says that it has which address, and what routers advertise.</summary>
internal sealed class NeighborWatch
{
    private readonly NeighborTable _told = new();
    private readonly FlowRecord[] _flow = new FlowRecord[1];

    /// <summary>Takes a packet whose flow was counted. True when it was told that somebody has an address.</summary>
    public bool OnPacket(SessionContext context, ReadOnlySpan<byte> frame, in PacketView view, FlowShard shard, int index, FlowDirection direction, long clock)
    {
        if (!NeighborMessage.TryRead(frame, view, out var message))
            return false;
        switch (message.Kind)
        {
            case NeighborMessageKind.NeighborSolicitation or NeighborMessageKind.RouterSolicitation:
                // RFC 4862, 5.4: without a source the sender asks whether its own address is in use, and has none yet.
                return view.Source != default && Tell(context, view, message, view.Source, isReply: false, clock);
            case NeighborMessageKind.NeighborAdvertisement:
                return Tell(context, view, message, message.Target, isReply: true, clock);
            case NeighborMessageKind.RouterAdvertisement or NeighborMessageKind.Redirect:
                shard.Fill(index, ref _flow[0], default, ApplicationProtocol.Unknown);
                context.AtFlow(_flow, 0);
                OnRouter(context, message, view, direction);
                return message.Kind == NeighborMessageKind.RouterAdvertisement && Tell(context, view, message, view.Source, isReply: true, clock);
            default:
                return false;
        }
    }

    private bool Tell(SessionContext context, in PacketView view, in NeighborMessage message, IpAddress address, bool isReply, long clock)
    {
        var mac = message.LinkAddress.IsNone ? view.SourceMac : message.LinkAddress;
        var isQuestion = message.Kind == NeighborMessageKind.NeighborSolicitation;
        if (mac.IsNone || !_told.IsNews(mac, address, isQuestion ? message.Target : default, view.Vlan, clock))
            return false;
        var target = isQuestion ? message.Target : address;
        context.Emit(new Neighbor(mac, address, view.DestinationMac, target, isReply, view.Vlan));
        return true;
    }

    private static void OnRouter(SessionContext context, in NeighborMessage message, in PacketView view, FlowDirection direction)
    {
        var transaction = context.Begin<RouterTransaction>(direction);
        transaction.Bytes = view.PayloadWireLength + 4;
        transaction.ClientMac = view.SourceMac;
        transaction.Facts = new RouterFacts
        {
            IsRedirect = message.Kind == NeighborMessageKind.Redirect,
            Target = message.Target,
            Lifetime = message.Lifetime,
            IsManaged = message.IsManaged,
            HasOtherConfiguration = message.HasOtherConfiguration,
            Prefixes = message.Prefixes,
            Prefix = message.Prefix,
            PrefixLength = message.PrefixLength,
            PrefixLifetime = message.PrefixLifetime,
            DnsServer = message.DnsServer,
            Mtu = message.Mtu,
            LinkAddress = message.LinkAddress,
            Vlan = view.Vlan,
        };
        context.Emit(transaction);
    }
}
