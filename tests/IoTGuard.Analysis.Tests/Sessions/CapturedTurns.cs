using IoTGuard.Analysis.Flows;
using IoTGuard.TestSupport;
using IoTGuard.Wire;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Tests.Sessions;

/// <summary>The conversations of a shipped capture as turns, so that sessions are held to what real programs said. For captures without loss only.</summary>
internal static class CapturedTurns
{
    private sealed record Side(string Address, ushort Port);

    private sealed class Talk(Side client)
    {
        public Side Client { get; } = client;

        public List<Turn> Turns { get; } = [];

        public Dictionary<Side, uint> Next { get; } = [];
    }

    /// <summary>The conversations with a server's port, in the order in which they began; those in which nothing was said are left out.</summary>
    public static List<List<Turn>> Of(string capture, ushort serverPort, byte protocol = IpProtocol.Tcp)
    {
        var talks = new List<Talk>();
        var open = new Dictionary<(Side, Side), Talk>();
        foreach (var frame in CaptureFile.Read(Repository.PathOf("captures", capture)))
        {
            var view = default(PacketView);
            PacketDecoder.Decode(frame.Bytes, (LinkType)frame.LinkType, 0, ref view);
            if (view.IpProtocol != protocol || (view.SourcePort != serverPort && view.DestinationPort != serverPort))
                continue;
            var source = new Side(view.Source.ToString(), view.SourcePort);
            var destination = new Side(view.Destination.ToString(), view.DestinationPort);
            var key = view.SourcePort == serverPort ? (destination, source) : (source, destination);
            if (!open.TryGetValue(key, out var talk) || (view.TcpFlags & (TcpFlags.Syn | TcpFlags.Ack)) == TcpFlags.Syn)
                talks.Add(open[key] = talk = new Talk(key.Item1));
            if ((view.TcpFlags & TcpFlags.Syn) != 0)
                talk.Next[source] = view.TcpSequence + 1;
            if (view.PayloadLength == 0)
                continue;
            if (protocol == IpProtocol.Tcp)
            {
                if (!talk.Next.TryGetValue(source, out var next) || next != view.TcpSequence)
                    continue;
                talk.Next[source] = next + (uint)view.PayloadLength;
            }

            var direction = source == talk.Client ? FlowDirection.FromOriginator : FlowDirection.FromResponder;
            var bytes = frame.Bytes.AsSpan(view.PayloadOffset, view.PayloadLength).ToArray();
            if (protocol == IpProtocol.Tcp && talk.Turns.Count > 0 && talk.Turns[^1].Direction == direction)
                talk.Turns[^1] = talk.Turns[^1] with { Bytes = [.. talk.Turns[^1].Bytes, .. bytes] };
            else
                talk.Turns.Add(new Turn(direction, bytes, talk.Turns.Count * 0.001));
        }

        return [.. talks.Select(t => t.Turns).Where(t => t.Count > 0)];
    }
}
