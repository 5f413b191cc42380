using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;

namespace IoTGuard.Analysis.Tests.Dicom;

public sealed class DicomSplitTests
{
    [Fact]
    public void TheScriptGivesWhatItHolds()
    {
        var feeder = DicomScript.Play();
        var transactions = feeder.Transactions;
        Assert.Equal(
            [
                DicomEvent.AssociateAccept, DicomEvent.CEcho, DicomEvent.CFind, DicomEvent.CCancel, DicomEvent.CStore, DicomEvent.CMove, DicomEvent.CEcho,
                DicomEvent.CEcho, DicomEvent.NEventReport, DicomEvent.NCreate, DicomEvent.CEcho, DicomEvent.Release,
            ],
            transactions.Select(t => t.Event));

        var accept = transactions[0];
        Assert.Equal((7, 6, 7, 16384, 0), (accept.ContextsProposed, accept.ContextsAccepted, accept.AbstractSyntaxes, accept.RequestorMaximumLength, accept.AcceptorMaximumLength));
        Assert.Equal((2, 2, 1, 1, 1), (accept.OperationsInvoked, accept.OperationsPerformed, accept.RoleSelections, accept.ExtendedNegotiations, accept.CommonExtendedNegotiations));
        Assert.Equal((2, true), (accept.UserIdentityType, accept.UserIdentityConfirmed));

        var find = transactions[2];
        Assert.Equal((2, 0, 3, "STUDY", "CT"), (find.MessageId, find.Status, find.PendingResponses, find.QueryLevel, find.Modality));
        Assert.Equal((4, 2, 1), (find.QueryKeys, find.EmptyKeys, find.WildcardKeys));
        Assert.Equal(2, transactions[3].MessageId);

        var store = transactions[4];
        Assert.Equal((0xB000, "CT", 16, 16, 8, 256), (store.Status, store.Modality, store.Rows, store.Columns, store.BitsAllocated, store.ExpectedPixelBytes));

        var move = transactions[5];
        Assert.Equal(("WS_1", 2, new SubOperations(0, 3, 0, 1)), (move.MoveDestination, move.PendingResponses, move.SubOperations));
        Assert.False(move.Study.IsNone);

        Assert.Equal((6, 0), (transactions[6].MessageId, transactions[6].Status));
        Assert.Equal((5, 0x0122), (transactions[7].MessageId, transactions[7].Status));
        var report = transactions[8];
        Assert.Equal((6, 104, 1), (report.MessageId, report.ClientPort, report.TypeId));
        Assert.Equal((false, false), (transactions[9].Patient.IsNone, transactions[9].Study.IsNone));
        Assert.Equal((8, -1), (transactions[10].MessageId, transactions[10].Status));
        Assert.Equal(8 + 1, transactions[11].Operations);

        var counters = feeder.Flow.Counters;
        Assert.Equal((9, 8, 1, 5, 1, 0), (counters.Requests, counters.Responses, counters.Failures, counters.Interim, counters.Objects, counters.Faults));
        var text = feeder.Describe();
        foreach (var secret in new[] { "ROE", "JANE", "DOE", "PID-1", "1.2.3.1 ", "1.2.3.99", "'passcode", "'user'" })
            Assert.DoesNotContain(secret, text, StringComparison.Ordinal);
    }

    [Fact]
    public void EverySplitOfEveryTurnGivesTheSame()
    {
        var expected = DicomScript.Play().Describe();
        for (var turn = 0; turn < DicomScript.Turns.Length; turn++)
        {
            for (var at = 1; at < DicomScript.Turns[turn].Bytes.Length; at++)
            {
                var split = DicomScript.Play((feeder, i, from, bytes) =>
                {
                    if (i != turn)
                    {
                        feeder.Send(from, bytes);
                        return;
                    }

                    feeder.Send(from, bytes.AsSpan(0, at));
                    feeder.Send(from, bytes.AsSpan(at));
                });
                if (expected != split.Describe())
                    Assert.Fail($"turn {turn} split at {at}:\n{expected}\n{split.Describe()}");
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(12)]
    [InlineData(100)]
    public void PiecesOfAnySizeGiveTheSame(int size)
    {
        var feeder = DicomScript.Play((feeder, _, from, bytes) =>
        {
            foreach (var piece in bytes.Chunk(size))
                feeder.Send(from, piece);
        });
        Assert.Equal(DicomScript.Play().Describe(), feeder.Describe());
    }

    [Fact]
    public void ATurnThatIsCutNeverThrowsAndEndsWhatIsOpen()
    {
        for (var turn = 0; turn < DicomScript.Turns.Length; turn++)
        {
            for (var length = 0; length < DicomScript.Turns[turn].Bytes.Length; length += 3)
            {
                var feeder = DicomScript.Play((feeder, i, from, bytes) =>
                {
                    if (i < turn)
                        feeder.Send(from, bytes);
                    else if (i == turn)
                        feeder.Send(from, bytes.AsSpan(0, length));
                });
                Assert.DoesNotContain(feeder.Transactions, t => t.Event == DicomEvent.Fault);
                if (turn is > 1 and < 17)
                    Assert.Equal(DicomEvent.AssociationEnd, feeder.Transactions[^1].Event);
            }
        }
    }

    [Fact]
    public void AGapOfAnyTurnIsSurvivedWithoutFaults()
    {
        var whole = DicomScript.Play().Transactions.Count;
        for (var turn = 1; turn < DicomScript.Turns.Length; turn++)
        {
            var length = DicomScript.Turns[turn].Bytes.Length;
            for (var at = 0; at < length; at += Math.Max(1, length / 40))
            {
                foreach (var lost in new[] { length - at, Math.Min(5, length - at), Math.Min(100, length - at) })
                {
                    var feeder = DicomScript.Play((feeder, i, from, bytes) =>
                    {
                        if (i != turn)
                        {
                            feeder.Send(from, bytes);
                            return;
                        }

                        feeder.Send(from, bytes.AsSpan(0, at));
                        feeder.Gap(from, lost);
                        feeder.Send(from, bytes.AsSpan(at + lost));
                    });
                    Assert.DoesNotContain(feeder.Transactions, t => t.Event == DicomEvent.Fault);
                    Assert.True(feeder.Transactions.Count >= whole - 4, $"turn {turn}, {lost} bytes lost at {at}:\n{feeder.Describe()}");
                }
            }
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(7)]
    [InlineData(9)]
    [InlineData(12)]
    public void AnAssociationIsPickedUpInTheMiddle(int firstTurn)
    {
        var feeder = DicomScript.Play(beginningSeen: false, firstTurn: firstTurn);
        Assert.All(feeder.Transactions, t => Assert.True(t.PartialAssociation));
        Assert.DoesNotContain(feeder.Transactions, t => t.Event == DicomEvent.Fault);
        var events = feeder.Transactions.Select(t => t.Event).ToArray();
        Assert.Contains(DicomEvent.NEventReport, events);
        Assert.Equal(DicomEvent.Release, events[^1]);
        if (firstTurn > 9)
            return;
        Assert.Equal("WS_1", feeder.Transactions.Single(t => t.Event == DicomEvent.CMove).MoveDestination);
        Assert.Equal(40000, feeder.Transactions.Single(t => t.Event == DicomEvent.CMove).ClientPort);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(40)]
    [InlineData(100)]
    public void APickUpInTheMiddleOfAnObjectFindsTheNextMessage(int offset)
    {
        var feeder = DicomScript.Play(
            (feeder, i, from, bytes) => feeder.Send(from, i == 7 ? bytes.AsSpan(offset) : bytes),
            beginningSeen: false,
            firstTurn: 7);
        Assert.DoesNotContain(feeder.Transactions, t => t.Event == DicomEvent.Fault);
        Assert.Contains(feeder.Transactions, t => t.Event == DicomEvent.CStore && t.Status == 0xB000);
        Assert.Contains(feeder.Transactions, t => t.Event == DicomEvent.CMove && t.Status == 0);
    }

    [Fact]
    public void MutatedAssociationsNeverThrowAndStayBounded()
    {
        var random = new Random(7);
        for (var round = 0; round < 4000; round++)
        {
            var feeder = DicomScript.Play((feeder, _, from, bytes) =>
            {
                var mutated = bytes.ToArray();
                for (var i = random.Next(4); i > 0; i--)
                    mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
                var cut = random.Next(30) == 0 ? random.Next(mutated.Length) : mutated.Length;
                var at = random.Next(cut + 1);
                feeder.Send(from, mutated.AsSpan(0, at));
                if (random.Next(20) == 0)
                    feeder.Gap(from, random.Next(1, 1000));
                feeder.Send(from, mutated.AsSpan(at, cut - at));
            });
            Assert.True(feeder.Transactions.Count < 200);
            Assert.True(feeder.Transactions.Count(t => t.Event == DicomEvent.Fault) <= DicomSession.MaximumFaultsPerWindow);
            Assert.DoesNotContain("JANE", feeder.Describe(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void NoiseIsNotTakenForDicom()
    {
        var random = new Random(3);
        var noise = new byte[4096];
        for (var round = 0; round < 2000; round++)
        {
            random.NextBytes(noise);
            Assert.Equal(ProbeResult.NotForUs, DicomSession.Probe(FlowDirection.FromOriginator, noise));
        }
    }

    [Fact]
    public void TheFirstBytesOfARequestAreEnoughToBeSure()
    {
        var request = DicomScript.Turns[0].Bytes;
        for (var length = 1; length < 10; length++)
            Assert.Equal(ProbeResult.Unsure, DicomSession.Probe(FlowDirection.FromOriginator, request.AsSpan(0, length)));
        Assert.Equal(ProbeResult.Certain, DicomSession.Probe(FlowDirection.FromOriginator, request.AsSpan(0, 10)));
    }

    [Fact]
    public void AnyPlaceOfALargeObjectIsRecognisedOnceAPduStarts()
    {
        var data = DicomBytes.DataSet(3, new byte[200_000], 16378);
        var found = 0;
        for (var at = 0; at + 4096 < data.Length; at += 1460)
            found += DicomSession.Probe(FlowDirection.FromOriginator, data.AsSpan(at, 4096)) == ProbeResult.Certain ? 1 : 0;
        Assert.True(found >= 20, $"{found}");
    }
}
