using IoTGuard.Analysis.Flows;
using IoTGuard.Wire;

namespace IoTGuard.Analysis.Tests.Flows;

public sealed class FlowTests
{
    [Fact]
    public void ConnectionIsOpenedEstablishedAndClosed()
    {
        var capture = new Capture();
        new Connection(capture).Handshake().FromClient("hello"u8).FromServer("good day"u8).Close();
        capture.Add(new Packet { Source = "10.0.0.9", Protocol = 17, DestinationPort = 53 }, 10 * Capture.Second);
        var outcome = capture.Run();

        var tcp = outcome.Flows.Where(f => f.Flow.IpProtocol == 6).ToArray();
        Assert.Equal([SensorEventKind.FlowOpened, SensorEventKind.FlowEstablished, SensorEventKind.FlowClosed], tcp.Select(f => f.Kind));
        var flow = tcp[2].Flow;
        Assert.Equal(ConnectionState.Closed, flow.State);
        Assert.Equal(FlowEndReason.Finished, flow.End);
        Assert.Equal("10.0.0.1", flow.Originator.ToString());
        Assert.Equal(104, flow.ResponderPort);
        Assert.Equal(5, flow.FromOriginator.Packets);
        Assert.Equal(3, flow.FromResponder.Packets);
        Assert.Equal(5, flow.FromOriginator.PayloadBytes);
        Assert.Equal(8, flow.FromResponder.PayloadBytes);
        Assert.Equal((5 * 40) + 5, flow.FromOriginator.Bytes);
        Assert.Equal(1, flow.FromOriginator.Syn);
        Assert.Equal(1, flow.FromResponder.Fin);
        Assert.Equal(0, flow.FromOriginator.Retransmissions + flow.FromResponder.Retransmissions);
        Assert.Equal(flow.LastNs + FlowLimits.ClosingTimeoutNs, tcp[2].Key.TimeNs);
        Assert.Equal(1f, flow.FromOriginator.Printable);
        Assert.InRange(flow.FromOriginator.Entropy, 1.92f, 1.93f);
    }

    [Fact]
    public void PortsUsedAgainAreANewConnectionEvenWithTheSameNumbers()
    {
        var capture = new Capture();
        foreach (var text in new[] { "first one", "second", "third one!" })
            new Connection(capture).Handshake().FromClient(System.Text.Encoding.ASCII.GetBytes(text));
        var closed = capture.Run().Closed;
        Assert.Equal([9, 6, 10], closed.Select(f => f.FromOriginator.PayloadBytes));
        Assert.All(closed, f => Assert.Equal(0, f.FromOriginator.Retransmissions + f.FromOriginator.ConflictingBytes));
    }
}
