using IoTGuard.Analysis.Flows;
using IoTGuard.TestSupport;
using IoTGuard.Wire.Tunnels;

namespace IoTGuard.Analysis.Tests.Flows;

/// <summary>Flows are those of the innermost packets; the tunnel is kept beside them.</summary>
public sealed class EncapsulationTests
{
    private static readonly SensorOptions Options = Runs.Options;

    [Fact]
    public void AConnectionInATunnelIsTheConnection()
    {
        var plain = Exchange();
        var expected = Assert.Single(plain.Run().Closed);
        foreach (var (name, wrap) in Wrap.All)
        {
            var outcome = Wrapped(plain, wrap).Run(workers: 3);
            var flow = Assert.Single(outcome.Closed);
            Assert.Equal((name, expected.Originator, expected.OriginatorPort), (name, flow.Originator, flow.OriginatorPort));
            Assert.Equal((expected.Responder, expected.ResponderPort, expected.State), (flow.Responder, flow.ResponderPort, flow.State));
            Assert.Equal((expected.FromOriginator.Bytes, expected.FromOriginator.PayloadBytes), (flow.FromOriginator.Bytes, flow.FromOriginator.PayloadBytes));
            Assert.Equal((expected.FromResponder.Packets, expected.FromResponder.Entropy), (flow.FromResponder.Packets, flow.FromResponder.Entropy));
            Assert.False(flow.Encapsulation.IsNone);
            Assert.Equal(plain.Frames.Count, outcome.Counters.Tunnels.Of(flow.Encapsulation.Kind));
        }
    }

    [Fact]
    public void TheTunnelIsKept()
    {
        var flow = Assert.Single(Wrapped(Exchange(), frame => Wrap.Vxlan(frame)).Run().Closed);
        Assert.Equal((TunnelKind.Vxlan, 42u), (flow.Encapsulation.Kind, flow.Encapsulation.Id));
        Assert.Equal(("192.0.2.1", "192.0.2.2"), (flow.Encapsulation.Source.ToString(), flow.Encapsulation.Destination.ToString()));
        Assert.True(Assert.Single(Exchange().Run().Closed).Encapsulation.IsNone);
    }

    [Fact]
    public void APlaceInTheTableDoesNotRememberTheTunnelOfAnEarlierFlow()
    {
        var capture = Wrapped(Exchange(), frame => Wrap.Vxlan(frame));
        capture.Now += 1000 * Capture.Second;
        capture.Add(new Packet { Protocol = 17, DestinationPort = 53, Payload = [1] });
        var closed = capture.Run(Options with { MaximumFlows = FlowLimits.Shards }).Closed;
        Assert.Equal([TunnelKind.Vxlan, TunnelKind.None], closed.Select(f => f.Encapsulation.Kind));
    }

    [Fact]
    public void AMirrorsTunnelDoesNotCountTwice()
    {
        foreach (var (name, wrap) in Wrap.All)
        {
            var plain = Exchange();
            var both = new Capture();
            foreach (var (time, frame, _) in plain.Frames)
            {
                both.Frames.Add((time, frame, frame.Length));
                var copy = wrap(frame);
                both.Frames.Add((time + (20 * Capture.Millisecond), copy, copy.Length));
            }

            both.Frames.Sort((x, y) => x.TimeNs.CompareTo(y.TimeNs));
            var expected = Assert.Single(plain.Run().Closed);
            var outcome = both.Run();
            var flow = Assert.Single(outcome.Closed);
            Assert.Equal((name, (long)plain.Frames.Count), (name, outcome.Counters.MirrorCopies));
            Assert.Equal((expected.FromOriginator.Packets, expected.FromResponder.Packets), (flow.FromOriginator.Packets, flow.FromResponder.Packets));
            Assert.Equal((0, 0), (flow.FromOriginator.Retransmissions, flow.FromResponder.Retransmissions));
        }
    }

    [Fact]
    public void TenantsAreKeptApartOnlyWhenAskedFor()
    {
        var capture = new Capture();
        for (uint network = 1; network <= 50; network++)
            capture.AddFrame(Wrap.Vxlan(new Packet { Protocol = 17, DestinationPort = 53, Identification = (ushort)network, Payload = [1, 2] }.Build(), network));
        Assert.Single(capture.Run().Closed);
        Assert.Equal(50, capture.Run(Options with { VlanAware = true }, workers: 4).Closed.Count);
    }

    private static Capture Exchange()
    {
        var capture = new Capture();
        var connection = new Connection(capture).Handshake();
        connection.FromClient("A request of some bytes"u8).FromServer("An answer, somewhat longer than it"u8).FromClient(new byte[900]);
        connection.Close();
        return capture;
    }

    private static Capture Wrapped(Capture capture, Func<byte[], byte[]> wrap)
    {
        var wrapped = new Capture();
        foreach (var (time, frame, _) in capture.Frames)
        {
            var bytes = wrap(frame);
            wrapped.Frames.Add((time, bytes, bytes.Length));
        }

        return wrapped;
    }
}
