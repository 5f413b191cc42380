using System.Runtime.InteropServices;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Tests.Streams;
using IoTGuard.TestSupport;
using IoTGuard.Wire;

namespace IoTGuard.Analysis.Tests.Flows;

/// <summary>What is told does not depend on the number of workers, nor on where batches end.</summary>
public sealed class DeterminismTests
{
    public static TheoryData<int, int> Cases => new() { { 1, 1_000_000 }, { 2, 1_000_000 }, { 3, 192 }, { 4, 64 }, { 5, 256 }, { 6, 128 } };

    [Theory]
    [MemberData(nameof(Cases))]
    public void AnyNumberOfWorkersTellsTheSame(int seed, int maximumFlows)
    {
        var capture = Traffic.Random(seed, 3000);
        var options = Runs.Options with
        {
            MaximumFlows = maximumFlows,
            IdleTimeoutNs = 3 * Capture.Second,
            EstablishedIdleTimeoutNs = 6 * Capture.Second,
            ActiveTimeoutNs = 2 * Capture.Second,
        };
        var expected = capture.Run(options, new Recorder().Rows);
        Assert.True(expected.Flows.Count > 100);
        foreach (var workers in new[] { 2, 3, 8, 16 })
        {
            var outcome = capture.Run(options, new Recorder().Rows, workers);
            Assert.Equal(expected.Text.ToString(), outcome.Text.ToString());
            Assert.Equal(Numbers(expected.Counters), Numbers(outcome.Counters));
        }

        Assert.True(expected.Counters.Datagrams > 10 && expected.Counters.Fragments > 50);
        foreach (var frames in new[] { 7, 100 })
        {
            var outcome = capture.Run(options, new Recorder().Rows, 2, frames);
            Assert.Equal(expected.Text.ToString(), outcome.Text.ToString());
        }

        if (maximumFlows < 1000)
            Assert.True(expected.Counters.FlowsEvicted > 0);
        else
            Assert.Contains(expected.Flows, f => f.Kind == SensorEventKind.FlowUpdated);
    }

    private static long[] Numbers(SensorCounters counters) =>
        MemoryMarshal.Cast<SensorCounters, long>(MemoryMarshal.CreateReadOnlySpan(in counters, 1)).ToArray();
}

/// <summary>Random traffic of few endpoints, with everything that goes wrong.</summary>
internal static class Traffic
{
    public static Capture Random(int seed, int packets)
    {
        var random = new Random(seed);
        var capture = new Capture();
        var connections = new List<Connection>();
        ushort identification = 1;
        for (var i = 0; i < packets; i++)
        {
            var wait = random.Next(200) == 0 ? random.Next(4000) * Capture.Millisecond : random.Next(-200_000, 3_000_000);
            capture.Now += wait;
            switch (random.Next(20))
            {
                case 0:
                    connections.Add(NewConnection(random, capture).Handshake());
                    break;
                case 1:
                    capture.Add(new Packet
                    {
                        Protocol = 17,
                        Source = $"10.1.0.{random.Next(30)}",
                        DestinationPort = 53,
                        SourcePort = random.Next(1024, 1100),
                        Payload = new byte[random.Next(60)],
                        Identification = identification++,
                    });
                    break;
                case 2:
                    capture.Add(new Packet { Protocol = 1, Source = $"10.1.0.{random.Next(30)}", Payload = [(byte)i, (byte)(i >> 8)] });
                    break;
                case 3:
                    capture.AddFrame(Arp(random));
                    break;
                case 4:
                    var noise = new byte[random.Next(80)];
                    random.NextBytes(noise);
                    capture.AddFrame(noise);
                    break;
                case 5:
                    capture.Add(new Packet { Flags = TcpFlags.Syn, DestinationPort = random.Next(1, 2000), Sequence = (uint)random.Next() });
                    break;
                case 6 when capture.Frames.Count > 5:
                    capture.AddFrame(capture.Frames[^random.Next(1, 5)].Frame);
                    break;
                case 7 when capture.Frames.Count > 5 && capture.Frames[^1].Frame is { Length: > 60 } frame && frame[12] is 8 or 0x86:
                    Carry(random, capture, frame);
                    break;
                default:
                    if (connections.Count > 0)
                        Act(random, capture, connections[random.Next(connections.Count)]);
                    break;
            }
        }

        return capture;
    }

    private static void Act(Random random, Capture capture, Connection connection)
    {
        var payload = new byte[random.Next(1, 300)];
        random.NextBytes(payload);
        var client = random.Next(2) == 0;
        switch (random.Next(30))
        {
            case 0:
                connection.Close();
                break;
            case 1:
                connection.Send(client, TcpFlags.Rst | TcpFlags.Ack, []);
                break;
            case 2:
                connection.Client += (uint)payload.Length;
                break;
            case 3:
                capture.Add(connection.Make(client, TcpFlags.Ack, (client ? connection.Client : connection.Server) - 20, payload));
                break;
            case 4:
                capture.Add(connection.Make(client, TcpFlags.Ack, (client ? connection.Client : connection.Server) + 500, payload));
                break;
            default:
                connection.Send(client, TcpFlags.Ack, payload);
                break;
        }
    }

    /// <summary>The last frame in place of itself: in a tunnel, in fragments, or both; fragments may be lost, come twice, or in any order.</summary>
    private static void Carry(Random random, Capture capture, byte[] frame)
    {
        capture.Frames.RemoveAt(capture.Frames.Count - 1);
        var wraps = Wrap.All.Values.ToArray();
        if (frame[12] == 8 && frame[13] == 0 && random.Next(2) == 0)
        {
            var inside = Fragments.Of(frame, 8 * random.Next(1, 6), (ushort)random.Next()).ToArray();
            random.Shuffle(inside);
            foreach (var fragment in inside.Take(random.Next(8) == 0 ? inside.Length - 1 : inside.Length))
                capture.AddFrame(random.Next(2) == 0 ? fragment : wraps[random.Next(wraps.Length)](fragment), Capture.Millisecond / 10);
            return;
        }

        frame = wraps[random.Next(wraps.Length)](frame);
        if (random.Next(2) == 0 || frame[12] != 8)
        {
            capture.AddFrame(frame);
            return;
        }

        var parts = Fragments.Of(frame, 8 * random.Next(3, 10), (ushort)random.Next()).ToArray();
        random.Shuffle(parts);
        foreach (var part in parts)
        {
            capture.AddFrame(part, Capture.Millisecond / 10);
            if (random.Next(10) == 0)
                capture.AddFrame(part, Capture.Millisecond / 10);
        }
    }

    private static Connection NewConnection(Random random, Capture capture)
    {
        var ipv6 = random.Next(3) == 0;
        return new Connection(capture, (uint)random.Next(), (uint)random.Next())
        {
            Template = new Packet
            {
                Source = ipv6 ? $"fd00::{random.Next(1, 20)}" : $"10.0.0.{random.Next(1, 20)}",
                Destination = ipv6 ? "fd00::ff" : "10.0.0.200",
                SourcePort = random.Next(30000, 30050),
                DestinationPort = random.Next(2) == 0 ? 104 : 2575,
                Vlan = (ushort)random.Next(3),
            },
        };
    }

    private static byte[] Arp(Random random)
    {
        var frame = new byte[42];
        Array.Fill(frame, (byte)0xFF, 0, 6);
        byte[] head = [2, 0, 0, 0, 0, (byte)random.Next(4), 8, 6, 0, 1, 8, 0, 6, 4, 0, 1];
        head.CopyTo(frame, 6);
        head.AsSpan(0, 6).CopyTo(frame.AsSpan(22));
        frame.AsSpan(28)[0] = 10;
        frame[31] = (byte)random.Next(4);
        return frame;
    }
}
