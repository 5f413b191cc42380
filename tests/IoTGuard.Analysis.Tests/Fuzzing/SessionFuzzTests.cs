using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Analysis.Tests.Sessions;

namespace IoTGuard.Analysis.Tests.Fuzzing;

/// <summary>
/// Every session of the protocol table under damaged conversations: no exception, no endless wait, bounded time and memory. DICOM and HL7 with changes that
/// keep their structure, all with changes of bytes; in pieces of any size, with gaps.
/// </summary>
public sealed class SessionFuzzTests
{
    private const int StructuredRounds = 4000;
    private const int RoundsPerProtocol = 1500;

    public static TheoryData<string> Protocols => [.. ProtocolTable.Streams.Concat(ProtocolTable.Datagrams).Select(row => row.Name).Distinct()];

    [Fact]
    public void DicomSessionStandsChangedPdus()
    {
        var sides = new[] { FlowDirection.FromOriginator, FlowDirection.FromResponder }
            .Select(side => DicomTree.Read([.. FuzzSeeds.Dicom.Turns.Where(turn => turn.Direction == side).SelectMany(turn => turn.Bytes)])).ToArray();
        Assert.All(sides, side => Assert.True(side.All().Count() > 30));
        var session = new DicomSession();
        FuzzRun.Of(StructuredRounds, random => Changed(sides, random), (turns, random) => Play(session, turns, 104, random), Size);
    }

    [Fact]
    public void TheTreeOfAnUnchangedAssociationIsTheAssociation()
    {
        foreach (var turn in FuzzSeeds.Dicom.Turns)
            Assert.Equal(turn.Bytes, DicomTree.Read(turn.Bytes).Write());
    }

    [Fact]
    public void Hl7SessionStandsChangedMessages()
    {
        var session = new Hl7Session();
        FuzzRun.Of(
            StructuredRounds,
            static random => FuzzSeeds.Hl7.Turns.Select(turn => random.Next(2) == 0 ? turn : turn with { Bytes = Hl7Mutator.Mutate(turn.Bytes, random) }).ToList(),
            (turns, random) => Play(session, turns, 2575, random),
            Size);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void EverySessionStandsChangedBytes(string protocol)
    {
        foreach (var row in ProtocolTable.Streams.Concat(ProtocolTable.Datagrams).Where(row => row.Name == protocol))
        {
            var session = row.Create();
            var number = session is DatagramSession ? 17 : 6;
            var own = FuzzSeeds.Conversations.Where(seed => seed.IpProtocol == number && Fits(row, seed)).ToList();
            var others = FuzzSeeds.Conversations.Where(seed => seed.IpProtocol == number).ToList();
            Assert.SkipWhen(others.Count == 0, "no captures with such conversations");
            FuzzRun.Of(
                RoundsPerProtocol,
                random => Changed(Any(own.Count > 0 && random.Next(8) > 0 ? own : others, random), random),
                (turns, random) => Play(session, turns, row.HintPorts.FirstOrDefault(), random),
                Size);
        }
    }

    /// <summary>True when the protocol's probe wants what either side said.</summary>
    private static bool Fits(ProtocolRow row, FuzzSeed seed) => seed.Turns.Take(4).Any(turn =>
        row.Probe(turn.Direction, turn.Bytes.AsSpan(0, Math.Min(turn.Bytes.Length, FlowLimits.MaximumProbeBytes))) is ProbeResult.Certain or ProbeResult.Likely);

    private static FuzzSeed Any(List<FuzzSeed> items, Random random) => items[random.Next(items.Count)];

    private static List<Turn> Changed(SizedNode[] sides, Random random)
    {
        var turns = new List<Turn>();
        for (var side = 0; side < sides.Length; side++)
        {
            var tree = sides[side].Clone();
            for (var change = random.Next(6); change > 0; change--)
                tree.Mutate(random);
            foreach (var pdu in tree.Children)
                turns.Add(new Turn((FlowDirection)side, pdu.Write()));
        }

        // Both sides take turns again, roughly as they did.
        return [.. turns.Select((turn, i) => (turn, Place: (turn.Direction == FlowDirection.FromOriginator ? i : i - (turns.Count / 2)) + (random.NextDouble() * 2)))
            .OrderBy(pair => pair.Place).Select(pair => pair.turn)];
    }

    private static List<Turn> Changed(FuzzSeed seed, Random random)
    {
        var turns = seed.Turns.ToList();
        for (var change = 1 + random.Next(3); change > 0; change--)
        {
            var at = random.Next(turns.Count);
            turns[at] = turns[at] with { Bytes = ByteMutator.Mutate(turns[at].Bytes, random) };
        }

        return turns;
    }

    private static int Size(List<Turn> turns) => turns.Sum(turn => turn.Bytes.Length);

    private static void Play(ProtocolSession session, List<Turn> turns, ushort port, Random random)
    {
        var player = new SessionPlayer(session, port) { Writes = false };
        var largest = random.Next(3) switch { 0 => 1 << 16, 1 => 1460, _ => 1 + random.Next(200) };
        foreach (var turn in turns)
        {
            if (session is DatagramSession)
            {
                player.Send(turn);
                continue;
            }

            foreach (var piece in turn.Bytes.Chunk(largest))
                player.Send(turn with { Bytes = piece });
            if (random.Next(40) == 0)
                player.Gap(turn.Direction, 1 + random.Next(5000));
        }

        player.End(random.Next(2) == 0 ? FlowEndReason.Finished : FlowEndReason.Idle);
        Assert.True(player.Events <= 64 + (Size(turns) / 2), $"{player.Events} events of {Size(turns)} bytes");
    }
}
