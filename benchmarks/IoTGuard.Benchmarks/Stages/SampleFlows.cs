using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Network;

namespace IoTGuard.Benchmarks.Stages;

/// <summary>Flow records with plausible, varied numbers; the same on every run.</summary>
internal static class SampleFlows
{
    public static FlowRecord[] Create(int count)
    {
        var random = new Random(1);
        var flows = new FlowRecord[count];
        foreach (ref var flow in flows.AsSpan())
        {
            flow.Originator = IpAddress.FromIpv4(0x0A000001);
            flow.Responder = IpAddress.FromIpv4(0x0A000002);
            flow.IpProtocol = 6;
            flow.State = ConnectionState.Closed;
            flow.FirstNs = 1_767_323_045_000_000_000;
            flow.LastNs = flow.FirstNs + random.NextInt64(1_000_000, 60_000_000_000);
            Fill(ref flow.FromOriginator, random, flow.FirstNs, flow.LastNs);
            Fill(ref flow.FromResponder, random, flow.FirstNs, flow.LastNs);
        }

        return flows;
    }

    private static void Fill(ref DirectionCounters side, Random random, long firstNs, long lastNs)
    {
        var packets = random.Next(3, 2000);
        for (var i = 0; i < packets; i++)
        {
            var payload = random.Next(2) == 0 ? 0 : random.Next(1, 1449);
            side.Packets++;
            side.Bytes += payload + 40;
            side.PayloadBytes += payload;
            side.PayloadPackets += payload > 0 ? 1 : 0;
            side.Size.Add(payload + 40);
            side.InterArrival.Add(random.NextDouble());
        }

        side.FirstNs = firstNs;
        side.LastNs = lastNs;
        side.Syn = 1;
        side.Fin = 1;
        side.Entropy = (float)random.NextDouble() * 8;
        side.Printable = (float)random.NextDouble();
    }
}
