using System.Diagnostics;
using System.Text;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.TestSupport;
using static IoTGuard.Analysis.Tests.Hl7.Messages;

namespace IoTGuard.Analysis.Tests.Hl7;

/// <summary>What is emitted does not depend on how the bytes are cut into segments.</summary>
public sealed class Hl7SplitTests
{
    private static readonly byte[] Mixed = Encoding.Latin1.GetBytes(
        Framed(Admit("1")) + "\r\n" + Framed(Admit("2") + "OBX|1|TX|||a\vb\nc\r\vNTE|1\r") + Framed("FHS|^~\\&|X\rBHS|^~\\&|X\r" + Admit("3") + Admit("4") + "BTS|2\rFTS")
        + "\v\u0006\u001c\r" + "garbage\rMSX\v\rMSH" + Vt + Admit("5") + Framed(Ack("9", end: "")) + "\v\u00ef\u00bb\u00bf" + Admit("6") + End + Vt + End
        + Admit("7") + Admit("8") + "ZZ\r" + End + Framed(Admit("10").Replace("\r", "\r\n", StringComparison.Ordinal)) + Vt + "MSH|^~\\&|LAST|B|C|D|||ADT^A01|11");

    private static List<string> Read(ReadOnlySpan<byte> bytes, int size, Conversation? reused = null)
    {
        var c = reused ?? new Conversation();
        c.Restart();
        c.Log.Clear();
        c.InPieces(FlowDirection.FromOriginator, bytes, size).End();
        return c.Log;
    }

    [Fact]
    public void EverySplitGivesTheSame()
    {
        var whole = Read(Mixed, int.MaxValue);
        Assert.Equal(10, whole.Count(l => l.StartsWith("message", StringComparison.Ordinal)));
        Assert.Equal(2, whole.Count(l => l.StartsWith("ack", StringComparison.Ordinal)));
        var c = new Conversation();
        for (var split = 1; split < Mixed.Length; split++)
        {
            c.Restart();
            c.Log.Clear();
            c.Show(FlowDirection.FromOriginator, Mixed.AsSpan(0, split)).Show(FlowDirection.FromOriginator, Mixed.AsSpan(split)).End();
            Assert.Equal(whole, c.Log);
        }

        for (var size = 1; size < 40; size++)
            Assert.Equal(whole, Read(Mixed, size, c));
    }

    [Fact]
    public void SegmentsAroundTheLimitGiveTheSameInAllPieces()
    {
        for (var length = Hl7Session.MaximumSegmentBytes - 2; length <= Hl7Session.MaximumSegmentBytes + 2; length++)
        {
            foreach (var ending in new[] { "\r", "\v", "" })
            {
                var bytes = Encoding.Latin1.GetBytes(Framed(Admit("1") + "PID|1||5|".PadRight(length, 'x') + ending) + Framed(Admit("2")));
                var whole = Read(bytes, int.MaxValue);
                Assert.Equal(2, whole.Count);
                foreach (var size in new[] { 1, 7, 1460, 8191, 8192, 8193 })
                    Assert.Equal(whole, Read(bytes, size));
            }
        }
    }

    [Fact]
    public void TruncatedAndMutatedInputIsTotalAndIndependentOfTheSplit()
    {
        var random = new Random(7);
        var c = new Conversation();
        var special = "\v\u001c\r\n|^~\\&MSHPID\u0006\u0015\0A"u8.ToArray();
        for (var round = 0; round < 1500; round++)
        {
            var bytes = Mixed[..random.Next(1, Mixed.Length)];
            for (var i = random.Next(12); i > 0; i--)
                bytes[random.Next(bytes.Length)] = random.Next(2) == 0 ? special[random.Next(special.Length)] : (byte)random.Next(256);
            var whole = Read(bytes, int.MaxValue, c).ToArray();
            Assert.Equal(whole, Read(bytes, random.Next(1, 50), c));
        }
    }

    [Fact]
    public void AnAckSplitAnywherePairs()
    {
        var ack = Encoding.Latin1.GetBytes(Framed(Ack("A1", end: "")));
        for (var split = 1; split < ack.Length; split++)
        {
            var c = new Conversation().Send(Framed(Admit("A1")));
            c.Show(FlowDirection.FromResponder, ack.AsSpan(0, split)).Show(FlowDirection.FromResponder, ack.AsSpan(split));
            Assert.Equal(2, c.Log.Count);
        }
    }

    [Theory]
    [InlineData("\v")]
    [InlineData("\r")]
    [InlineData("|")]
    [InlineData("A")]
    [InlineData("\vMS")]
    [InlineData("\rMSH|^")]
    [InlineData("\vMSH|^~\\&|")]
    [InlineData("\u001c")]
    [InlineData("PID|^^^^\r")]
    [InlineData("\\")]
    public void WorstCasesTakeLinearTime(string pattern)
    {
        static TimeSpan Time(string prefix, string pattern, int total, int size)
        {
            var bytes = Encoding.Latin1.GetBytes(prefix + string.Concat(Enumerable.Repeat(pattern, total / pattern.Length)));
            var c = new Conversation();
            var clock = Stopwatch.StartNew();
            for (var at = 0; at < bytes.Length; at += size)
                c.FeedOnly(FlowDirection.FromOriginator, bytes.AsSpan(at, Math.Min(size, bytes.Length - at)));
            return clock.Elapsed;
        }

        foreach (var prefix in new[] { "", "\v", "\v" + Admit("1") + "OBX|", "\v" + Admit("1") + "PID|", "x" })
        {
            foreach (var size in new[] { 1, 1 << 20 })
            {
                // A quadratic reader would need minutes for this.
                Assert.True(Time(prefix, pattern, size == 1 ? 1 << 18 : 1 << 20, size) < TimeSpan.FromSeconds(5), $"{prefix} {size}");
            }
        }
    }

    [Fact]
    public void NothingIsAllocatedPerMessage()
    {
        var c = new Conversation();
        var messages = new byte[64][];
        for (var i = 0; i < messages.Length; i++)
            messages[i] = Encoding.Latin1.GetBytes(i % 2 == 0 ? Framed(Admit($"M{i}") + "OBX|1|ED|" + new string('x', 20_000) + "\r") : Framed(Ack($"M{i - 1}")));
        void Run(int piece)
        {
            for (var i = 0; i < messages.Length; i++)
            {
                for (var at = 0; at < messages[i].Length; at += piece)
                    c.FeedOnly(i % 2 == 0 ? FlowDirection.FromOriginator : FlowDirection.FromResponder, messages[i].AsSpan(at, Math.Min(piece, messages[i].Length - at)));
            }
        }

        foreach (var piece in new[] { 100_000, 1460, 11 })
        {
            for (var warm = 0; warm < 3; warm++)
                Run(piece);
            Assert.Equal(0, Allocations.Of(() => Run(piece)));
        }
    }
}
