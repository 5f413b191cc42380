using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Analysis.Tests.Flows;
using IoTGuard.Wire;

namespace IoTGuard.Analysis.Tests.Streams;

/// <summary>Streams against a reference that is an array of bytes in which the first arrival counts.</summary>
public sealed class ReassemblyTests
{
    private const TcpFlags Data = TcpFlags.Ack | TcpFlags.Psh;

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 150)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void AnyOrderOverlapDuplicationAndLossGivesTheFirstArrivals(int seed)
    {
        var random = new Random(seed);
        var content = new byte[random.Next(1, 3000)];
        random.NextBytes(content);

        // Wrap-around within the stream, or anywhere.
        var start = random.Next(2) == 0 ? 0u - (uint)random.Next(1, content.Length + 10) : (uint)random.NextInt64(1L << 32);
        var capture = new Capture();
        var connection = new Connection(capture, start).Handshake();
        var first = connection.Client;

        var segments = Segments(random, content.Length, conflicting: random.Next(3) == 0);
        var reference = new int[content.Length];
        Array.Fill(reference, -1);
        var conflicts = false;
        foreach (var (offset, length, other) in segments)
        {
            var bytes = content.AsSpan(offset, length).ToArray();
            if (other)
            {
                for (var i = 0; i < bytes.Length; i += 3)
                    bytes[i] ^= 0x55;
            }

            for (var i = 0; i < length; i++)
            {
                if (reference[offset + i] < 0)
                    reference[offset + i] = bytes[i];
                else
                    conflicts |= reference[offset + i] != bytes[i];
            }

            capture.Add(connection.Make(true, Data, first + (uint)offset, bytes), 10_000);
        }

        var recorder = new Recorder();
        var outcome = capture.Run(protocols: recorder.Rows);
        var last = Array.FindLastIndex(reference, b => b >= 0);
        Assert.Equal(reference[..(last + 1)], recorder.Shown[0]);
        Assert.Empty(recorder.Shown[1]);
        var flow = Assert.Single(outcome.Closed);
        Assert.Equal(segments.Sum(s => s.Length), flow.FromOriginator.PayloadBytes);

        // Conflicts are seen in what waits and in the last bytes shown, which is all of a short stream.
        if (content.Length <= FlowLimits.HistoryBytes)
            Assert.Equal(conflicts, flow.FromOriginator.ConflictingBytes > 0);
        Assert.Equal(conflicts && flow.FromOriginator.ConflictingBytes > 0, outcome.Faults.Exists(f => f.Fault.Fault.Kind == FaultKind.OverlapConflict));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void LossesAcknowledgedByTheReceiverAreGapsInPlace(int seed)
    {
        var random = new Random(seed);
        var capture = new Capture();
        var connection = new Connection(capture, (uint)random.NextInt64(1L << 32)).Handshake();
        var expected = new List<int>();
        for (var i = 0; i < 60; i++)
        {
            var bytes = new byte[random.Next(1, 200)];
            random.NextBytes(bytes);
            if (random.Next(5) == 0 && i < 59)
            {
                connection.Client += (uint)bytes.Length;
                expected.AddRange(Enumerable.Repeat(-1, bytes.Length));
            }
            else
            {
                connection.FromClient(bytes);
                expected.AddRange(bytes.Select(b => (int)b));
            }

            if (random.Next(3) == 0)
                connection.Send(false, TcpFlags.Ack, []);
        }

        var recorder = new Recorder();
        var outcome = capture.Run(protocols: recorder.Rows);
        Assert.Equal(expected, recorder.Shown[0]);
        Assert.Equal(expected.Count(b => b < 0), outcome.Closed[0].FromOriginator.GapBytes);
        Assert.Equal(expected.Count(b => b < 0), outcome.Counters.GapBytes);
    }

    [Fact]
    public void MessagesComeOutTheSameForEverySplit()
    {
        byte[] content = [3, 1, 2, 3, 0, 1, 9, 5, 1, 2, 3, 4, 5, 2, 8, 8, 7, 0, 0, 0, 0, 0, 0, 0, 1, 7];
        var whole = Split(content, [content.Length]);
        Assert.Equal(content.Select(b => (int)b), whole.Shown[0]);
        for (var i = 1; i < content.Length; i++)
        {
            for (var j = i; j < content.Length; j++)
            {
                var recorder = Split(content, [i, j, content.Length]);
                Assert.Equal(whole.Shown[0], recorder.Shown[0]);
            }
        }

        var bytewise = Split(content, [.. Enumerable.Range(1, content.Length)]);
        Assert.Equal(whole.Shown[0], bytewise.Shown[0]);

        // One call for the length and one for the whole message, however small the segments are.
        Assert.InRange(bytewise.Calls, 1, 2 * 8);

        static Recorder Split(byte[] content, int[] ends)
        {
            var capture = new Capture();
            var connection = new Connection(capture).Handshake();
            var from = 0;
            foreach (var end in ends)
            {
                if (end > from)
                    connection.FromClient(content.AsSpan(from, end - from));
                from = Math.Max(from, end);
            }

            var recorder = new Recorder { Take = static (_, data) => data.Length <= data[0] ? new(0, data[0] + 1) : new(data[0] + 1) };
            capture.Run(protocols: recorder.Rows);
            return recorder;
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void SkippedBytesAreNeverShownWhateverHappensToThem(int seed)
    {
        // Messages of a length byte, a tag, and so many hundred bytes of bulk that are skipped.
        var random = new Random(seed);
        var content = new List<byte>();
        var tags = new List<int>();
        var bulk = new HashSet<int>();
        for (var i = 0; i < 12; i++)
        {
            var hundreds = (byte)random.Next(0, 12);
            tags.AddRange([hundreds, i + 1]);
            content.AddRange([hundreds, (byte)(i + 1)]);
            for (var j = 0; j < hundreds * 100; j++)
            {
                bulk.Add(content.Count);
                content.Add(0xEE);
            }
        }

        content.AddRange([0, 0xFF]);
        tags.AddRange([0, 0xFF]);

        var capture = new Capture();
        var connection = new Connection(capture, (uint)random.NextInt64(1L << 32)).Handshake();
        var first = connection.Client;
        var pieces = new List<(int Offset, int Length)>();
        for (var offset = 0; offset < content.Count;)
        {
            var length = Math.Min(random.Next(1, 300), content.Count - offset);
            pieces.Add((offset, length));
            offset += length;
        }

        for (var i = 0; i < pieces.Count; i++)
        {
            var other = Math.Min(pieces.Count - 1, i + random.Next(4));
            (pieces[i], pieces[other]) = (pieces[other], pieces[i]);
        }

        foreach (var (offset, length) in pieces)
        {
            // Bulk may be lost, and even differ in a second copy.
            var skippable = Enumerable.Range(offset, length).All(bulk.Contains);
            if (skippable && random.Next(4) == 0)
                continue;
            var bytes = content.Skip(offset).Take(length).ToArray();
            capture.Add(connection.Make(true, Data, first + (uint)offset, bytes));
            if (random.Next(5) == 0)
                capture.Add(connection.Make(true, Data, first + (uint)offset, bytes));
        }

        var recorder = new Recorder { Take = static (_, data) => data.Length < 2 ? new(0, 2) : new(2, 0, data[0] * 100) };
        var outcome = capture.Run(protocols: recorder.Rows);
        Assert.Equal(tags, recorder.Shown[0]);
        Assert.Equal(0, outcome.Counters.Gaps);
        Assert.Equal(0, outcome.Counters.ConflictingBytes);
    }

    private static List<(int Offset, int Length, bool Other)> Segments(Random random, int total, bool conflicting)
    {
        var segments = new List<(int Offset, int Length, bool Other)>();
        var largest = random.Next(2) == 0 ? 40 : 400;
        for (var offset = 0; offset < total;)
        {
            var length = Math.Min(random.Next(1, largest), total - offset);
            if (random.Next(10) != 0)
                segments.Add((offset, length, false));
            if (random.Next(6) == 0)
                segments.Add((offset, length, conflicting && random.Next(2) == 0));
            if (random.Next(6) == 0)
            {
                var from = Math.Max(0, offset - random.Next(largest));
                segments.Add((from, Math.Min(random.Next(1, 2 * largest), total - from), conflicting && random.Next(2) == 0));
            }

            offset += length;
        }

        var reach = random.Next(1, 12);
        for (var i = 0; i < segments.Count; i++)
        {
            var other = Math.Min(segments.Count - 1, i + random.Next(reach));
            (segments[i], segments[other]) = (segments[other], segments[i]);
        }

        return segments;
    }
}
