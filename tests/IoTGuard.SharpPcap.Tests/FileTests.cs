using IoTGuard.Capture;
using IoTGuard.Capture.Tests.Files;
using IoTGuard.TestSupport;
using IoTGuard.Wire;
using CaptureFile = IoTGuard.Capture.CaptureFile;

namespace IoTGuard.SharpPcap.Tests;

/// <summary>Capture files through SharpPcap against our own readers.</summary>
public sealed class FileTests(ITestOutputHelper output)
{
    /// <summary>What the pcap library reads otherwise than we do: our frame, its frame.</summary>
    private static readonly (string Why, Func<Captured, Captured, bool> Covers)[] Explanations =
    [
        ("captured beyond the snap length that the file states: pcap cuts there", static (ours, theirs) =>
            theirs.Bytes.Length < ours.Bytes.Length && ours.Bytes.AsSpan().StartsWith(theirs.Bytes) && theirs.TimeNs == ours.TimeNs),
        ("fraction of 2^31 units or more, far above a second: pcap takes it for negative", static (ours, theirs) =>
            (ours.TimeNs - theirs.TimeNs) is 1L << 32 or 1000L << 32 && ours with { TimeNs = theirs.TimeNs } == theirs),
        ("frame without a stamp (simple packet block): pcap says 0, we the time of the frame before", static (ours, theirs) =>
            theirs.TimeNs == 0 && ours with { TimeNs = 0 } == theirs),
        ("link type that neither decodes, numbered as in files and as in pcap", static (ours, theirs) =>
            !Enum.IsDefined(ours.Link) && ours with { Link = theirs.Link } == theirs),
    ];

    /// <summary>Why pcap refuses files that we read: they say nothing of interfaces, and have no frames.</summary>
    private const string Refusal = "the capture file has no Interface Description Blocks";

    [Fact]
    public void EveryFrameOfOurCapturesIsTheSame()
    {
        var files = Directory.GetFiles(Repository.PathOf("captures"), "*.pcapng").Order(StringComparer.Ordinal).ToArray();
        Assert.NotEmpty(files);
        foreach (var file in files)
        {
            using var ours = CaptureFile.Open(file);
            using var theirs = SharpPcapSource.OpenFile(file);
            Assert.True(Frames.All(ours).SequenceEqual(Frames.All(theirs)), file);
            Assert.Empty(theirs.Problems);
        }
    }

    [Fact]
    public void WhatBothReadOfTheSharedCapturesIsTheSame()
    {
        var root = Repository.SharedDataOrSkip("captures");
        var (compared, frames, refused) = (0, 0L, 0);
        var differences = new List<string>();
        var explained = new int[Explanations.Length];
        foreach (var file in Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Where(static f => Path.GetExtension(f) is ".pcap" or ".pcapng" or ".cap"))
        {
            using var ours = CaptureFile.Open(file);
            var mine = Frames.All(ours);
            try
            {
                using var source = SharpPcapSource.OpenFile(file);
                var others = Frames.All(source);
                compared++;
                frames += others.Count;
                if (source.Problems.Count > 0 || ours.Problems.Count > 0)
                {
                    // Both go as far as they can; what both have read must agree.
                    var both = Math.Min(mine.Count, others.Count);
                    (mine, others) = (mine[..both], others[..both]);
                }

                foreach (var (one, other) in mine.Zip(others).Where(static p => p.First != p.Second))
                {
                    var at = Array.FindIndex(Explanations, explanation => explanation.Covers(one, other));
                    if (at >= 0)
                        explained[at]++;
                    else
                        differences.Add($"{Path.GetRelativePath(root, file)}: ours {one with { Bytes = [] }}, pcap's {other with { Bytes = [] }}");
                }

                if (mine.Count != others.Count)
                    differences.Add($"{Path.GetRelativePath(root, file)}: {mine.Count} and {others.Count} frames");
            }
            catch (CaptureException refusal)
            {
                refused++;
                if (mine.Count > 0 || !refusal.Message.Contains(Refusal, StringComparison.Ordinal))
                    differences.Add(refusal.Message);
            }
        }

        output.WriteLine($"{compared} files, {frames} frames compared; pcap refused {refused} files");
        for (var i = 0; i < explained.Length; i++)
            output.WriteLine($"{explained[i],6}  {Explanations[i].Why}");
        Assert.True(differences.Count == 0, string.Join('\n', differences));
        Assert.True(compared > 100);
    }

    [Theory]
    [InlineData(0xA1B2C3D4, 123_456, 123_456_000)]
    [InlineData(0xA1B23C4D, 123_456_789, 123_456_789)]
    public void StampsKeepTheirNanoseconds(uint magic, uint fraction, long expected)
    {
        using var file = new TemporaryFile(new CaptureBytes().PcapHeader(magic).PcapRecord(7, fraction, CaptureBytes.Frame(60), 1500).ToArray());
        using var source = SharpPcapSource.OpenFile(file.Path);
        var frame = Assert.Single(Frames.All(source));
        Assert.Equal((7_000_000_000 + expected, 60, 1500), (frame.TimeNs, frame.Bytes.Length, frame.WireLength));
    }

    [Fact]
    public void FilterSelects()
    {
        var path = Repository.PathOf("captures", "names.pcapng");
        using var all = SharpPcapSource.OpenFile(path);
        using var some = SharpPcapSource.OpenFile(path, "udp port 53");
        var selected = Frames.All(some).Count;
        Assert.InRange(selected, 1, Frames.All(all).Count - 1);
    }

    [Fact]
    public void NothingIsAllocatedPerFrame()
    {
        // What runs for the first time may allocate once.
        using (var first = SharpPcapSource.OpenFile(Repository.PathOf("captures", "web.pcapng")))
            Frames.All(first);
        using var source = SharpPcapSource.OpenFile(Repository.PathOf("captures", "hospital-benign.pcapng"));
        var batch = new FrameBatch();
        for (var i = 0; i < 3 && source.Read(batch); i++)
            batch.Release();
        var allocations = Allocations.Start();
        var frames = 0;
        for (var i = 0; i < 20 && source.Read(batch); i++)
        {
            frames += batch.Count;
            batch.Release();
        }

        Assert.InRange(frames, 5000, int.MaxValue);
        Assert.Equal(0, allocations.Bytes);
    }

    [Fact]
    public void WhatCannotBeOpenedIsSaidWithARemedy()
    {
        using var text = new TemporaryFile("not a capture, but long enough to look at"u8.ToArray());
        Assert.Contains("check the path", Assert.Throws<CaptureException>(static () => SharpPcapSource.OpenFile("/no/such/file")).Message);
        Assert.Contains("pcap cannot open it", Assert.Throws<CaptureException>(() => SharpPcapSource.OpenFile(text.Path)).Message);
        Assert.Contains("is not understood", Assert.Throws<CaptureException>(static () => SharpPcapSource.OpenFile(Repository.PathOf("captures", "web.pcapng"), "tcp prot 80")).Message);
    }

    [Fact]
    public void DamageIsReportedAndWhatCameBeforeIsRead()
    {
        var whole = new CaptureBytes().PcapHeader().PcapRecord(1, 0, CaptureBytes.Frame(60)).PcapRecord(2, 0, CaptureBytes.Frame(60)).ToArray();
        using var file = new TemporaryFile(whole[..^10]);
        using var source = SharpPcapSource.OpenFile(file.Path);
        Assert.Single(Frames.All(source));
        Assert.Contains("truncated", Assert.Single(source.Problems).Reason);
    }
}
