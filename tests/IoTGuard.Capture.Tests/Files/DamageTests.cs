using static IoTGuard.Capture.Tests.Files.CaptureBytes;

namespace IoTGuard.Capture.Tests.Files;

/// <summary>Captures cut or changed anywhere, and read in pieces of any size.</summary>
public sealed class DamageTests
{
    private static readonly Dictionary<string, (byte[] Bytes, int[] Ends)> Captures = new(StringComparer.Ordinal)
    {
        ["pcap"] = Small(static b => b.PcapHeader(), static (b, i) => b.PcapRecord((uint)i, 5, Frame(i * 9))),
        ["pcap big-endian"] = Small(static b => b.PcapHeader(0xA1B23C4D), static (b, i) => b.PcapRecord((uint)i, 5, Frame(i * 9)), bigEndian: true),
        ["pcapng"] = Small(static b => b.Section().Interface(resolution: 9), static (b, i) => b.Enhanced(0, (ulong)i, Frame(i * 9))),
        ["pcapng mixed"] = Small(static b => b.Section().Interface(resolution: 9).Block(0x0BAD, static o => o.Raw(new byte[40])), AddMixed, bigEndian: true),
    };

    public static TheoryData<string> Names => [.. Captures.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void CutAnywhereAllWholeFramesBeforeTheCutAreRead(string name)
    {
        var (bytes, ends) = Captures[name];
        var all = Frames.Read(bytes).Frames;
        Assert.Equal(ends.Length, all.Count);
        for (var cut = 4; cut < bytes.Length; cut++)
        {
            var (frames, problems, unread) = Frames.Read(bytes[..cut]);
            Assert.Equal(all[..ends.Count(end => end <= cut)], frames);
            if (problems.Count == 0)
                // A cut between two records cannot be seen.
                Assert.Equal(0, unread);
            else
                Assert.Equal(cut, Assert.Single(problems).Offset + unread);
            if (cut > 300 && !ends.Contains(cut))
                Assert.Single(problems);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void PiecesOfAnySizeGiveTheSameFrames(string name)
    {
        var bytes = Captures[name].Bytes;
        var all = Frames.Read(bytes).Frames;
        foreach (var piece in (int[])[1, 2, 3, 7, 16, 61, 1000])
        {
            using var pipe = Frames.Source(bytes, piece);
            Assert.Equal(all, Frames.All(pipe));
            Assert.Empty(pipe.Problems);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void ChangedBytesNeverThrowAndNeverGrow(string name)
    {
        var bytes = Captures[name].Bytes;
        var random = new Random(20261121);
        for (var round = 0; round < 1500; round++)
        {
            var changed = (byte[])bytes.Clone();
            for (var n = random.Next(1, 5); n > 0; n--)
                changed[random.Next(4, changed.Length)] = (byte)(random.Next(3) == 0 ? 0xFF : random.Next(256));
            var (whole, problems, unread) = Frames.Read(changed);
            using var pipe = Frames.Source(changed, random.Next(1, 50));
            Assert.Equal(whole, Frames.All(pipe));
            Assert.Equal(problems, pipe.Problems);
            Assert.InRange(unread, 0, changed.Length);
        }
    }

    private static void AddMixed(CaptureBytes bytes, int i) => _ = (i % 3) switch
    {
        0 => bytes.Simple(Frame(i * 9), (uint)i * 9),
        1 => bytes.OldPacket(0, (ulong)i, Frame(i * 9)),
        _ => bytes.Enhanced(0, (ulong)i, Frame(i * 9), options: [0, 1, 0, 2, (byte)'h', (byte)'i', 0, 0, 0, 0, 0, 0]),
    };

    private static (byte[] Bytes, int[] Ends) Small(Action<CaptureBytes> header, Action<CaptureBytes, int> record, bool bigEndian = false)
    {
        var bytes = new CaptureBytes(bigEndian);
        header(bytes);
        var ends = new int[12];
        for (var i = 0; i < ends.Length; i++)
        {
            record(bytes, i);
            ends[i] = bytes.Length;
        }

        return (bytes.ToArray(), ends);
    }
}
