using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Streams;

namespace IoTGuard.Analysis.Tests.Streams;

public sealed class StreamHistoryTests
{
    private const long Start = 1L << 32;

    [Fact]
    public void OfTheLastBytesEveryDifferenceIsCounted()
    {
        var (history, content) = Shown(100, 90, 80);
        for (var from = content.Length - FlowLimits.HistoryBytes; from < content.Length; from += 7)
        {
            for (var length = 1; from + length <= content.Length; length += 5)
            {
                var copy = content.AsSpan(from, length).ToArray();
                Assert.Equal(0, history.Conflicts(Start + from, copy));
                copy[^1] ^= 1;
                copy[0] ^= 2;
                Assert.Equal(length == 1 ? 1 : 2, history.Conflicts(Start + from, copy));
            }
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(37)]
    [InlineData(1199)]
    public void ASegmentBeforeTheLastBytesIsKnownByItsHash(int changed)
    {
        var (history, content) = Shown(1200, 300);
        var copy = content.AsSpan(0, 1200).ToArray();
        Assert.Equal(0, history.Conflicts(Start, copy));
        copy[changed] ^= 0x80;
        Assert.Equal(1, history.Conflicts(Start, copy));
    }

    [Fact]
    public void OfOldBytesCutOtherwiseNothingIsSaid()
    {
        var (history, content) = Shown(1200, 300);
        var copy = content.AsSpan(0, 600).ToArray();
        copy[3] ^= 1;
        Assert.Equal(0, history.Conflicts(Start, copy));
    }

    [Fact]
    public void OnlyTheNewestSegmentsAreKnown()
    {
        var (history, content) = Shown([1000, .. Enumerable.Repeat(400, FlowLimits.HistorySegments)]);
        var oldest = content.AsSpan(0, 1000).ToArray();
        oldest[0] ^= 1;
        Assert.Equal(0, history.Conflicts(Start, oldest));
        var next = content.AsSpan(1000, 400).ToArray();
        next[0] ^= 1;
        Assert.Equal(1, history.Conflicts(Start + 1000, next));
    }

    [Fact]
    public void BytesBehindAHoleAreComparedAloneAndAnotherStreamBeginsAnew()
    {
        var (history, content) = Shown(50);
        history.Add(Start + 1000, content);
        var other = content.ToArray();
        other[0] ^= 1;
        Assert.Equal(1, history.Conflicts(Start + 1000, other));
        Assert.Equal(0, history.Conflicts(Start + 999, [0]));
        history.Start(Start);
        Assert.Equal(0, history.Conflicts(Start, other));
        Assert.Equal(0, history.Conflicts(Start + 1000, other));
    }

    private static (StreamHistory History, byte[] Content) Shown(params int[] lengths)
    {
        var content = new byte[lengths.Sum()];
        new Random(1).NextBytes(content);
        var history = new StreamHistory();
        history.Start(Start);
        var at = 0;
        foreach (var length in lengths)
        {
            history.Add(Start + at, content.AsSpan(at, length));
            at += length;
        }

        return (history, content);
    }
}
