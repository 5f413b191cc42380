using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Tests.Streams;
using IoTGuard.TestSupport;
using IoTGuard.Wire;
using IoTGuard.Wire.Tunnels;

namespace IoTGuard.Analysis.Tests.Flows;

/// <summary>A datagram in fragments is the datagram; what cannot become one is counted and forgotten.</summary>
public sealed class FragmentTests
{
    private static readonly byte[] Ipv4 = Datagram("10.0.0.1", "10.0.0.2");

    private static readonly byte[] Ipv6 = Datagram("fd00::1", "fd00::2");

    public static TheoryData<bool> Versions => new() { false, true };

    [Theory]
    [MemberData(nameof(Versions))]
    public void EveryOrderOfFourFragmentsGivesTheDatagram(bool ipv6)
    {
        var frame = ipv6 ? Ipv6 : Ipv4;
        var expected = Assert.Single(Run([frame]).Closed);
        var fragments = Fragments.Of(frame, 32);
        Assert.Equal(4, fragments.Count);
        var orders = 0;
        foreach (var order in Orders(fragments))
        {
            orders++;
            var outcome = Run(order);
            var flow = Assert.Single(outcome.Closed);
            Assert.Equal((expected.Originator, expected.OriginatorPort, expected.ResponderPort), (flow.Originator, flow.OriginatorPort, flow.ResponderPort));
            Assert.Equal((1L, expected.FromOriginator.Bytes, 100L), (flow.FromOriginator.Packets, flow.FromOriginator.Bytes, flow.FromOriginator.PayloadBytes));
            Assert.Equal(expected.FromOriginator.Entropy, flow.FromOriginator.Entropy);
            Assert.Equal((4L, 1L, 0L), (outcome.Counters.Fragments, outcome.Counters.Datagrams, outcome.Counters.FragmentsUnused));
        }

        Assert.Equal(24, orders);
    }

    [Fact]
    public void AStreamInFragmentsIsTheStream()
    {
        var capture = new Capture();
        var connection = new Connection(capture).Handshake();
        for (var i = 0; i < 20; i++)
            connection.FromClient(Enumerable.Range(i, 200).Select(n => (byte)n).ToArray());
        connection.Close();
        var whole = new Recorder();
        capture.Run(protocols: whole.Rows);
        foreach (var wrap in new Func<byte[], byte[]>[] { static f => f, static f => Wrap.Vxlan(f), static f => Wrap.Erspan(f) })
        {
            var inside = new Capture();
            var outside = new Capture();
            ushort id = 0;
            foreach (var (time, frame, _) in capture.Frames)
            {
                id++;
                inside.Now = outside.Now = time - Capture.Start;
                foreach (var fragment in Fragments.Of(frame, 64, id))
                    inside.AddFrame(wrap(fragment), 1);
                foreach (var fragment in Fragments.Of(wrap(frame), 64, id))
                    outside.AddFrame(fragment, 1);
            }

            foreach (var carried in new[] { inside, outside })
            {
                var recorder = new Recorder();
                var outcome = carried.Run(protocols: recorder.Rows, workers: 1);
                Assert.Equal(whole.TextOf(FlowDirection.FromOriginator), recorder.TextOf(FlowDirection.FromOriginator));
                Assert.Equal(capture.Frames.Count, outcome.Counters.Datagrams + (carried.Frames.Count - outcome.Counters.Fragments));
            }
        }
    }

    [Fact]
    public void TheTunnelOfAnInnerFragmentIsKept()
    {
        var flow = Assert.Single(Run(Fragments.Of(Ipv4, 40).ConvertAll(f => Wrap.Vxlan(f))).Closed);
        Assert.Equal((TunnelKind.Vxlan, 42u, "192.0.2.1"), (flow.Encapsulation.Kind, flow.Encapsulation.Id, flow.Encapsulation.Source.ToString()));
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void TheFirstCopyOfOverlappingIpv4BytesIsKeptAndIpv6IsGivenUp(bool ipv6)
    {
        var frame = ipv6 ? Ipv6 : Ipv4;
        var data = frame.AsSpan(ipv6 ? 54 : 34).ToArray();
        var other = data.Select(b => (byte)(b ^ 0xFF)).ToArray();
        var outcome = Run(
        [
            Fragments.One(frame, 0, data.AsSpan(0, 48), more: true),
            Fragments.One(frame, 24, other.AsSpan(24, 48), more: true),
            Fragments.One(frame, 72, data.AsSpan(72), more: false),
        ]);
        Assert.Equal(1, outcome.Counters.Faults.Of(FaultKind.FragmentOverlap, Layer.Network));
        if (ipv6)
        {
            Assert.Empty(outcome.Closed);
            Assert.Equal((3L, 0L), (outcome.Counters.FragmentsUnused, outcome.Counters.FragmentCopies));
            return;
        }

        // Bytes 48 to 72 are only in the second fragment.
        var expected = (byte[])data.Clone();
        other.AsSpan(48, 24).CopyTo(expected.AsSpan(48));
        var (entropy, _) = PayloadSample.Measure(expected.AsSpan(8));
        Assert.Equal(entropy, Assert.Single(outcome.Closed).FromOriginator.Entropy);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void RepeatedFragmentsAreCopies(bool ipv6)
    {
        // As a mirror delivers them: each twice, the last copies after the datagram was whole.
        var fragments = Fragments.Of(ipv6 ? Ipv6 : Ipv4, 32);
        var outcome = Run(fragments.SelectMany(f => new[] { f, f }));
        Assert.Equal((1L, 4L, 0L), (outcome.Counters.Datagrams, outcome.Counters.FragmentCopies, outcome.Counters.FragmentsUnused));
        Assert.Equal(1, Assert.Single(outcome.Closed).FromOriginator.Packets);
        Assert.Equal(0, outcome.Counters.Faults.Of(FaultKind.FragmentOverlap, Layer.Network));
    }

    [Fact]
    public void ADatagramThatIsNeverWholeIsForgotten()
    {
        var capture = new Capture();
        var fragments = Fragments.Of(Ipv4, 32);
        capture.AddFrame(fragments[0]).AddFrame(fragments[1]);
        capture.AddFrame(fragments[2], FragmentLimits.TimeoutNs + (2 * Capture.Millisecond)).AddFrame(fragments[3]);
        var outcome = capture.Run();
        Assert.Empty(outcome.Closed);
        Assert.Equal((4L, 0L), (outcome.Counters.FragmentsUnused, outcome.Counters.Datagrams));
        Assert.Equal(1, outcome.Counters.Faults.Of(FaultKind.Gap, Layer.Network));
    }

    [Fact]
    public void AFullTableGivesTheOldestUp()
    {
        var capture = new Capture();
        const int Excess = 10;
        for (var id = 0; id < FragmentLimits.MaximumDatagrams + Excess; id++)
            capture.AddFrame(Fragments.Of(Ipv4, 56, (uint)id)[0], 1000);
        for (var id = FragmentLimits.MaximumDatagrams + Excess - 1; id >= 0; id--)
            capture.AddFrame(Fragments.Of(Ipv4, 56, (uint)id)[1], 1000);
        var outcome = capture.Run(workers: 2);
        Assert.Equal((Excess, FragmentLimits.MaximumDatagrams), (outcome.Counters.FragmentsDropped, outcome.Counters.Datagrams));
        Assert.Equal(Excess, outcome.Counters.FragmentsUnused);
    }

    [Fact]
    public void BytesHeldAreLimited()
    {
        var large = new Packet { Protocol = 17, DestinationPort = 9999, Payload = new byte[60_000] }.Build();
        var capture = new Capture();
        for (uint id = 0; id < 300; id++)
            capture.AddFrame(Fragments.One(large, 59_000, new byte[1000], more: false, id), 1000);
        var outcome = capture.Run();
        Assert.InRange(outcome.Counters.FragmentsDropped, 300 - (FragmentLimits.MaximumBytes / 65_536) - 1, 300);
    }

    [Fact]
    public void FragmentsOfOneDatagramAreLimited()
    {
        var large = new Packet { Protocol = 17, DestinationPort = 9999, Payload = new byte[8 * (FragmentLimits.MaximumFragments + 10)] }.Build();
        var outcome = Run(Fragments.Of(large, 8));
        Assert.Empty(outcome.Closed);
        Assert.Equal((FragmentLimits.MaximumFragments + 1L, 10L), (outcome.Counters.FragmentsDropped, outcome.Counters.FragmentsUnused));
        Assert.Equal(1, outcome.Counters.Faults.Of(FaultKind.Overflow, Layer.Network));
    }

    [Theory]
    [InlineData(65_512, 16, false, FaultKind.TooLarge)] // a datagram of more than 65535 bytes
    [InlineData(32, 20, true, FaultKind.BadLength)] // not a multiple of 8
    public void ImpossibleFragmentsAreFaults(int offset, int length, bool more, FaultKind fault)
    {
        var outcome = Run([Fragments.One(Ipv4, offset, new byte[length], more)]);
        Assert.Empty(outcome.Closed);
        Assert.Equal(1, outcome.Counters.Faults.Of(fault, Layer.Network));
        Assert.Equal(1, outcome.Counters.FragmentsUnused);
    }

    [Fact]
    public void FragmentsThatContradictEachOtherAreGivenUp()
    {
        var outcome = Run([Fragments.One(Ipv4, 64, new byte[8], more: false), Fragments.One(Ipv4, 64, new byte[16], more: true)]);
        Assert.Equal(1, outcome.Counters.Faults.Of(FaultKind.BadLength, Layer.Network));
        outcome = Run([Fragments.One(Ipv4, 64, new byte[8], more: true), Fragments.One(Ipv4, 8, new byte[8], more: false)]);
        Assert.Equal(1, outcome.Counters.Faults.Of(FaultKind.BadLength, Layer.Network));
    }

    [Fact]
    public void FragmentsThatSplitATransportHeaderAreFaults()
    {
        var tcp = new Packet { Payload = new byte[40] }.Build();
        var outcome = Run(Fragments.Of(tcp, 8));
        Assert.Equal(2, outcome.Counters.Faults.Of(FaultKind.TinyFragment, Layer.Network));
        Assert.Equal(104, Assert.Single(outcome.Closed).ResponderPort);
        Assert.Equal(0, Run(Fragments.Of(tcp, 24)).Counters.Faults.Of(FaultKind.TinyFragment, Layer.Network));
    }

    [Fact]
    public void AFragmentCutByTheCaptureLeavesACutDatagram()
    {
        var fragments = Fragments.Of(Ipv4, 32);
        var capture = new Capture();
        foreach (var fragment in fragments)
            capture.Frames.Add((Capture.Start, fragment == fragments[2] ? fragment[..^20] : fragment, fragment.Length));
        var outcome = capture.Run();
        var flow = Assert.Single(outcome.Closed);
        Assert.Equal(100, flow.FromOriginator.PayloadBytes);
        Assert.Equal(100 - (64 + 12 - 8), outcome.Counters.CutBytes);
    }

    [Theory]
    [InlineData(FragmentLimits.MaximumNested, true)]
    [InlineData(FragmentLimits.MaximumNested + 1, false)]
    public void DatagramsInFragmentsInsideEachOtherAreLimited(int levels, bool followed)
    {
        // The last fragment of each datagram comes in a tunnel, and that again in fragments: the last frame makes all of them whole at once.
        var frames = new List<byte[]>();
        var frame = Ipv4;
        for (var level = 0; level < levels; level++)
        {
            var parts = Fragments.Of(level == 0 ? frame : Wrap.All["IP in IP"](frame), 16, (uint)level);
            frames.AddRange(parts[..^1]);
            frame = parts[^1];
        }

        frames.Add(frame);
        var outcome = Run(frames);
        Assert.Equal(followed ? 1 : 0, outcome.Closed.Count);
        Assert.Equal(followed ? 0 : 1, outcome.Counters.Faults.Of(FaultKind.TooDeep, Layer.Network));
    }

    [Fact]
    public void ReassemblyAllocatesNothingOnceWarm()
    {
        var reassembler = new FragmentReassembler(new FlowHasher(Runs.Options));
        var fragments = Fragments.Of(Ipv4, 32).ToArray();
        PacketView view = default;
        var clock = Capture.Start;
        for (var i = 0; i < 2000; i++)
            Pass();
        var allocations = Allocations.Start();
        for (var i = 0; i < 2000; i++)
            Pass();
        Assert.Equal(0, allocations.Bytes);
        Assert.Equal(4000, reassembler.Counters.Datagrams);

        void Pass()
        {
            clock += Capture.Millisecond;
            foreach (var fragment in fragments)
            {
                fragment[18]++;
                PacketDecoder.Decode(fragment, LinkType.Ethernet, 0, ref view);
                reassembler.Add(fragment, view, clock, out _);
            }

            reassembler.Release();
        }
    }

    private static byte[] Datagram(string source, string destination) => new Packet
    {
        Protocol = 17,
        Source = source,
        Destination = destination,
        DestinationPort = 9999,
        Payload = Enumerable.Range(0, 100).Select(n => (byte)(n * n)).ToArray(),
    }.Build();

    private static Outcome Run(IEnumerable<byte[]> frames)
    {
        var capture = new Capture();
        foreach (var frame in frames)
            capture.AddFrame(frame, Capture.Millisecond);
        return capture.Run(workers: 3);
    }

    private static IEnumerable<List<byte[]>> Orders(List<byte[]> items)
    {
        if (items.Count <= 1)
        {
            yield return items;
            yield break;
        }

        foreach (var item in items)
        {
            foreach (var rest in Orders([.. items.Where(other => other != item)]))
                yield return [item, .. rest];
        }
    }
}
