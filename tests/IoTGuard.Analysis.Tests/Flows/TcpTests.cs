using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Analysis.Tests.Streams;
using IoTGuard.Wire;

namespace IoTGuard.Analysis.Tests.Flows;

/// <summary>States, odd segments, and the way from the first bytes to a session.</summary>
public sealed class TcpTests
{
    private readonly Capture _capture = new();
    private readonly Recorder _recorder = new();

    [Fact]
    public void RefusedConnectionIsRejected()
    {
        var connection = new Connection(_capture);
        connection.Send(true, TcpFlags.Syn, []).Send(false, TcpFlags.Rst | TcpFlags.Ack, []);
        var flow = Assert.Single(_capture.Run().Closed);
        Assert.Equal(ConnectionState.Rejected, flow.State);
    }

    [Fact]
    public void HalfOpenScanIsNeverEstablished()
    {
        var connection = new Connection(_capture);
        connection.Send(true, TcpFlags.Syn, []).Send(false, TcpFlags.Syn | TcpFlags.Ack, []).Send(true, TcpFlags.Rst, []);
        var outcome = _capture.Run();
        Assert.Equal(ConnectionState.SynSent, Assert.Single(outcome.Closed).State);
        Assert.DoesNotContain(outcome.Flows, f => f.Kind == SensorEventKind.FlowEstablished);
    }

    [Fact]
    public void ResetFarFromTheExpectedNumberIsIgnored()
    {
        var connection = new Connection(_capture).Handshake().FromClient("abc"u8);
        _capture.Add(connection.Make(false, TcpFlags.Rst, connection.Server + 0x4000_0000, []));
        connection.FromServer("still there"u8);
        Assert.Equal(ConnectionState.Established, Assert.Single(_capture.Run().Closed).State);

        _capture.Add(connection.Make(false, TcpFlags.Rst, connection.Server, []));
        Assert.Equal(ConnectionState.Reset, Assert.Single(_capture.Run().Closed).State);
    }

    [Fact]
    public void AnswerToAnUnseenSynTurnsTheFlowRound()
    {
        var connection = new Connection(_capture);
        connection.Send(false, TcpFlags.Syn | TcpFlags.Ack, []).Send(true, TcpFlags.Ack, []).FromClient("x"u8);
        var flow = Assert.Single(_capture.Run().Closed);
        Assert.Equal(("10.0.0.1", 104), (flow.Originator.ToString(), flow.ResponderPort));
        Assert.Equal(ConnectionState.Established, flow.State);
    }

    [Fact]
    public void AcknowledgedBytesOfADirectionThatIsNeverSeenAreCounted()
    {
        var whole = new Capture();
        var seen = new Connection(whole).Handshake();
        for (var i = 0; i < 10; i++)
            seen.FromServer(new byte[1000]).Send(true, TcpFlags.Ack, []);
        var both = whole.Run().Counters;
        Assert.Equal((10_000L, 0L), (both.AcknowledgedBytes, both.UnseenBytes));

        var clientOnly = new Capture();
        var half = new Connection(clientOnly);
        half.Send(true, TcpFlags.Syn, []);
        half.Server++;
        half.Send(true, TcpFlags.Ack, []);
        for (var i = 0; i < 10; i++)
        {
            half.Server += 1000;
            half.Send(true, TcpFlags.Ack, []);
        }

        var one = clientOnly.Run().Counters;
        Assert.Equal((10_000L, 10_000L), (one.AcknowledgedBytes, one.UnseenBytes));
    }

    [Fact]
    public void KeepAlivesAreNeitherRetransmissionsNorConflicts()
    {
        var connection = new Connection(_capture).Handshake().FromClient("abc"u8);
        _capture.Add(connection.Make(true, TcpFlags.Ack, connection.Client - 1, [0]), Capture.Second);
        _capture.Add(connection.Make(true, TcpFlags.Ack, connection.Client - 1, []), Capture.Second);
        connection.FromClient("def"u8);
        var flow = Assert.Single(_capture.Run(protocols: _recorder.Rows).Closed);
        Assert.Equal(0, flow.FromOriginator.Retransmissions);
        Assert.Equal(0, flow.FromOriginator.ConflictingBytes);
        Assert.Equal("abcdef", _recorder.TextOf(FlowDirection.FromOriginator));
    }

    [Fact]
    public void OddSegmentsAreCounted()
    {
        var connection = new Connection(_capture).Handshake().FromClient("0123456789"u8);
        _capture.Add(connection.Make(true, TcpFlags.Ack, connection.Client - 10, "0123456789"u8), 300 * Capture.Millisecond);
        _capture.Add(connection.Make(true, TcpFlags.Ack, connection.Client + 5, "fghij"u8));
        _capture.Add(connection.Make(true, TcpFlags.Ack, connection.Client, "abcde"u8));
        _capture.Add(connection.Make(false, TcpFlags.Ack, connection.Server, []) with { Window = 0 });
        _capture.Add(connection.Make(true, TcpFlags.Ack, connection.Client + 15, "later"u8));
        var flow = Assert.Single(_capture.Run(protocols: _recorder.Rows).Closed);
        Assert.Equal(1, flow.FromOriginator.Retransmissions);
        Assert.Equal(1, flow.FromOriginator.OutOfOrder);
        Assert.Equal(1, flow.FromResponder.ZeroWindows);
        Assert.Equal(5, flow.FromOriginator.GapBytes);
        Assert.Equal("0123456789abcdefghij-----later", _recorder.TextOf(FlowDirection.FromOriginator));
    }

    [Fact]
    public void DataOfSynAndFinIsShown()
    {
        var connection = new Connection(_capture) { Client = 1000 };
        connection.Send(true, TcpFlags.Syn, "early"u8).Send(false, TcpFlags.Syn | TcpFlags.Ack, []).Send(true, TcpFlags.Ack, []);
        connection.Send(true, TcpFlags.Fin | TcpFlags.Ack, " late"u8);
        _capture.Run(protocols: _recorder.Rows);
        Assert.Equal("early late", _recorder.TextOf(FlowDirection.FromOriginator));
        Assert.Equal(["half close FromOriginator", "end", "reset"], _recorder.Happened);
    }

    [Fact]
    public void BytesThatTheCaptureCutAreAGapInPlace()
    {
        var connection = new Connection(_capture).Handshake();
        _capture.Add(connection.Make(true, TcpFlags.Ack, connection.Client, "0123456789"u8) with { Cut = 4 });
        connection.Client += 10;
        connection.FromClient("next"u8);
        var outcome = _capture.Run(protocols: _recorder.Rows);
        Assert.Equal("012345----next", _recorder.TextOf(FlowDirection.FromOriginator));
        Assert.Equal(14, outcome.Closed[0].FromOriginator.PayloadBytes);
        Assert.Equal(4, outcome.Counters.CutBytes);
    }

    [Fact]
    public void TerabyteSkipsAndWrapsKeepTheirPlace()
    {
        // 40 times round the sequence numbers, in skips of 3 GB with one segment seen in each gigabyte.
        var connection = new Connection(_capture).Handshake();
        _recorder.Take = static (_, data) => new StreamProgress(1, 0, 3_000_000_000 - 1);
        for (var message = 0; message < 60; message++)
        {
            for (var step = 0; step < 100; step++)
            {
                byte[] bytes = [(byte)(step == 0 ? 'a' + (message % 26) : '.')];
                _capture.Add(connection.Make(true, TcpFlags.Ack, connection.Client, bytes), 100);
                connection.Client += 30_000_000;
            }
        }

        var outcome = _capture.Run(protocols: _recorder.Rows);
        Assert.Equal(string.Concat(Enumerable.Range(0, 60).Select(i => (char)('a' + (i % 26)))), _recorder.TextOf(FlowDirection.FromOriginator));
        Assert.Equal(0, outcome.Counters.Gaps);
    }

    [Fact]
    public void UnsurePrefixIsShownWholeOnceAProbeIsCertain()
    {
        _recorder.Probe = static (_, prefix) => prefix.Length < 6 ? ProbeResult.Unsure : ProbeResult.Certain;
        new Connection(_capture).Handshake().FromClient("ab"u8).FromServer("xyz"u8).FromClient("cd"u8).FromClient("efgh"u8).FromServer("!"u8);
        _capture.Run(protocols: _recorder.Rows);
        Assert.Equal("abcdefgh", _recorder.TextOf(FlowDirection.FromOriginator));
        Assert.Equal("xyz!", _recorder.TextOf(FlowDirection.FromResponder));
    }

    [Fact]
    public void OtherProtocolsAreNotRead()
    {
        _recorder.Probe = static (_, _) => ProbeResult.NotForUs;
        var connection = new Connection(_capture).Handshake().FromClient("GET /"u8).FromServer("200 OK"u8).FromClient("GET /more"u8);
        var outcome = _capture.Run(protocols: _recorder.Rows);
        Assert.Equal(0, outcome.Counters.Sessions);
        Assert.Equal(14, Assert.Single(outcome.Closed).FromOriginator.PayloadBytes);
        Assert.Equal(0, _recorder.Calls);
        Assert.NotNull(connection);
    }

    [Fact]
    public void ResponderMayBeRecognisedWhenTheOriginatorWasNot()
    {
        _recorder.Probe = static (_, prefix) => prefix[0] == 'M' ? ProbeResult.Certain : ProbeResult.NotForUs;
        new Connection(_capture).Handshake().FromClient("hello"u8).FromServer("MSH"u8).FromClient("more"u8);
        _capture.Run(protocols: _recorder.Rows);
        Assert.Equal("MSH", _recorder.TextOf(FlowDirection.FromResponder));
        Assert.Equal("?more", _recorder.TextOf(FlowDirection.FromOriginator));
    }

    [Fact]
    public void PickUpInTheMiddleGoesByContentThenByPort()
    {
        _recorder.Probe = static (_, prefix) => prefix[0] == 'M' ? ProbeResult.Certain : ProbeResult.NotForUs;
        new Connection(_capture) { Template = new Packet { DestinationPort = 7777 } }.FromClient("tail"u8).FromServer("x"u8).FromClient("MSH"u8).FromServer("y"u8);
        _capture.Run(protocols: _recorder.Rows);
        Assert.Equal("?MSH", _recorder.TextOf(FlowDirection.FromOriginator));
        Assert.Equal("?y", _recorder.TextOf(FlowDirection.FromResponder));

        var hinted = new Recorder { Probe = static (_, _) => ProbeResult.NotForUs, HintPorts = [7777] };
        _capture.Run(protocols: hinted.Rows);
        Assert.Equal("?tailMSH", hinted.TextOf(FlowDirection.FromOriginator));
    }
}
