using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Analysis.Tests.Streams;

namespace IoTGuard.Analysis.Tests.Flows;

/// <summary>Datagrams to sessions: who gets them, and how many there may be; and connections that change hands.</summary>
public sealed class DatagramTests
{
    private const ushort Port = 7000;

    [Theory]
    [InlineData(ProbeResult.Certain, 1234, true)]
    [InlineData(ProbeResult.Likely, Port, true)]
    [InlineData(ProbeResult.Likely, 1234, false)]
    [InlineData(ProbeResult.NotForUs, Port, false)]
    public void ContentDecidesAndPortsHint(ProbeResult answer, int port, bool isRead)
    {
        var session = new Counting();
        var outcome = Datagrams(port, 3).Run(protocols: [], datagrams: [new("counted", (_, _) => answer, () => session, [Port])]);
        Assert.Equal(isRead ? 3 : 0, session.Datagrams);
        Assert.Equal(isRead ? ApplicationProtocol.Syslog : ApplicationProtocol.Unknown, Assert.Single(outcome.Closed).Application);
        Assert.Equal(isRead ? 3 : 0, outcome.Closed[0].Counters.Requests);
    }

    [Fact]
    public void TheFirstCertainRowWinsOverLikelyOnes()
    {
        var (likely, certain) = (new Counting(), new Counting());
        Datagrams(Port, 2).Run(protocols: [], datagrams:
        [
            new("likely", static (_, _) => ProbeResult.Likely, () => likely, [Port]),
            new("certain", static (_, _) => ProbeResult.Certain, () => certain, []),
        ]);
        Assert.Equal((0, 2), (likely.Datagrams, certain.Datagrams));
    }

    [Fact]
    public void RecognitionIsGivenUpAfterFewDatagramsAndMayComeLate()
    {
        var asked = 0;
        Datagrams(Port, 20).Run(protocols: [], datagrams: [new("never", (_, _) => { asked++; return ProbeResult.Unsure; }, () => new Counting(), [])]);
        Assert.Equal(FlowLimits.MaximumDatagramProbes, asked);

        var session = new Counting();
        Datagrams(Port, 5).Run(protocols: [], datagrams: [new("third", (_, data) => data[0] == 2 ? ProbeResult.Certain : ProbeResult.Unsure, () => session, [])]);
        Assert.Equal(3, session.Datagrams);
    }

    [Fact]
    public void CutDatagramsAreToldWithWhatIsMissing()
    {
        var session = new Counting();
        var capture = new Capture().Add(new Packet { Protocol = 17, DestinationPort = Port, Payload = new byte[100], Cut = 60 });
        capture.Run(protocols: [], datagrams: [new("counted", static (_, _) => ProbeResult.Certain, () => session, [])]);
        Assert.Equal((1, 40, 60), (session.Datagrams, session.Bytes, session.Cut));
    }

    [Fact]
    public void FlowsBeyondTheLimitAreCountedButNotRead()
    {
        const int Flows = 12_000;
        var capture = new Capture();
        for (var i = 0; i < Flows; i++)
            capture.Add(new Packet { Protocol = 17, Source = $"10.{i >> 14}.{(i >> 7) & 127}.{1 + (i & 127)}", DestinationPort = Port, Payload = [1] }, 1000);
        var sessions = 0;
        var outcome = capture.Run(protocols: [], datagrams: [new("counted", static (_, _) => ProbeResult.Certain, () => { sessions++; return new Counting(); }, [])]);
        Assert.Equal(Flows, outcome.Counters.Sessions + outcome.Counters.SessionsRefused);
        Assert.Equal(Flows, outcome.Counters.Sessions);
        Assert.Equal(Flows, sessions);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(5000)]
    [InlineData(20_000)]
    public void AConnectionIsHandedOverWithEverythingThatWaits(int behind)
    {
        // The first session needs more than the probes are ever shown, takes ten bytes, and hands the rest over.
        var recorder = new Recorder();
        var content = new byte[10 + behind];
        content.AsSpan(10).Fill((byte)'b');
        content[0] = (byte)'A';
        var capture = new Capture();
        var connection = new Connection(capture).Handshake();
        for (var at = 0; at < content.Length; at += 1000)
            connection.FromClient(content.AsSpan(at, Math.Min(1000, content.Length - at)));
        connection.Close();
        var outcome = capture.Run(protocols:
        [
            new("first", static (_, data) => data[0] == 'A' ? ProbeResult.Certain : ProbeResult.NotForUs, () => new Handing(10 + behind), []),
            new("second", static (_, data) => data[0] == 'b' ? ProbeResult.Certain : ProbeResult.NotForUs, () => new RecordingSession(recorder), []),
        ]);
        Assert.Equal(2, outcome.Counters.Sessions);
        Assert.Equal(behind, recorder.Shown[0].Count(b => b == 'b'));
        Assert.Equal(ApplicationProtocol.Hl7, Assert.Single(outcome.Closed).Application);
    }

    [Fact]
    public void ConnectionsAreHandedOverOnlySoOften()
    {
        var capture = new Capture();
        var connection = new Connection(capture).Handshake();
        for (var i = 0; i < 50; i++)
            connection.FromClient(new byte[20]);
        var outcome = capture.Run(protocols: [new("again", static (_, _) => ProbeResult.Certain, () => new Handing(1), [])]);
        Assert.Equal(1 + FlowLimits.MaximumHandOvers, outcome.Counters.Sessions);
    }

    [Fact]
    public void AHandOverOutOfPlaceDoesNotReachTheNextConnection()
    {
        var recorder = new Recorder();
        var capture = new Capture();
        new Connection(capture) { Template = new Packet { SourcePort = 1 } }.Handshake().FromClient("x"u8).Close();
        new Connection(capture) { Template = new Packet { SourcePort = 2 } }.Handshake().FromClient("yy"u8).FromClient("yy"u8).Close();
        capture.Run(protocols:
        [
            new("misplaced", static (_, data) => data[0] == 'x' ? ProbeResult.Certain : ProbeResult.NotForUs, static () => new Misplaced(), []),
            .. recorder.Rows,
        ]);
        Assert.Equal("yyyy", recorder.TextOf(FlowDirection.FromOriginator));
        Assert.Equal(["half close FromOriginator", "half close FromResponder", "end", "reset"], recorder.Happened);
    }

    [Fact]
    public void NeighbourDiscoveryTellsWhoHasWhichAddressForAnyNumberOfWorkers()
    {
        var capture = new Capture();
        for (var i = 1; i <= 40; i++)
        {
            // A neighbour advertisement, solicited, with a target link-layer address option; told once a minute.
            byte[] payload = [0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (byte)i, 2, 1, 2, 0, 0, 0, 1, (byte)i];
            for (var peer = 100; peer < 103; peer++)
            {
                capture.Add(new Packet
                {
                    Protocol = 58,
                    Source = $"fe80::{i:x}",
                    Destination = $"fe80::{peer:x}",
                    IcmpTypeCode = 0x8800,
                    TimeToLive = 255,
                    Payload = payload,
                    SourceMac = 0x02_00_00_00_01_00 + (ulong)i,
                });
            }
        }

        var one = capture.Run(workers: 1);
        Assert.NotEmpty(one.Neighbors);
        Assert.Equal(40, one.Neighbors.Select(n => n.Neighbor.Address).Distinct().Count());
        Assert.All(one.Neighbors, n => Assert.Equal(n.Neighbor.Address.Low & 0xFF, n.Neighbor.Mac.Value & 0xFF));
        Assert.Equal(one.Text.ToString(), capture.Run(workers: 7).Text.ToString());

        // A router would have lowered the hop limit: such a message is nobody's neighbour's.
        var far = new Capture();
        foreach (var (_, frame, _) in capture.Frames)
        {
            frame[14 + 7] = 254;
            far.AddFrame(frame);
        }

        Assert.Empty(far.Run().Neighbors);
    }

    private static Capture Datagrams(int port, int count)
    {
        var capture = new Capture();
        for (var i = 0; i < count; i++)
            capture.Add(new Packet { Protocol = 17, DestinationPort = port, Payload = [(byte)i, 0] });
        return capture;
    }

    private sealed class Counting : DatagramSession
    {
        public int Datagrams { get; private set; }

        public int Bytes { get; private set; }

        public int Cut { get; private set; }

        public override ApplicationProtocol Protocol => ApplicationProtocol.Syslog;

        public override void OnDatagram(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data, int cut)
        {
            Datagrams++;
            Bytes += data.Length;
            Cut += cut;
            context.Flow.Counters.Requests++;
        }

        public override void OnEnd(SessionContext context)
        {
        }

        public override void Reset()
        {
        }
    }

    /// <summary>Waits for so many bytes, takes at most ten, hands over.</summary>
    private sealed class Handing(int needed) : StreamSession
    {
        public override ApplicationProtocol Protocol => ApplicationProtocol.Dicom;

        public override StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
        {
            if (data.Length < needed)
                return new StreamProgress(0, needed);
            context.HandOver();
            return new StreamProgress(Math.Min(10, data.Length));
        }

        public override void OnGap(SessionContext context, FlowDirection direction, long bytes)
        {
        }

        public override void OnEnd(SessionContext context)
        {
        }

        public override void Reset()
        {
        }
    }

    private sealed class Misplaced : StreamSession
    {
        public override ApplicationProtocol Protocol => ApplicationProtocol.Dicom;

        public override StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data) => new(data.Length);

        public override void OnGap(SessionContext context, FlowDirection direction, long bytes)
        {
        }

        public override void OnEnd(SessionContext context) => context.HandOver();

        public override void Reset()
        {
        }
    }
}
