using System.Globalization;
using IoTGuard.TestSupport;
using IoTGuard.Wire;

namespace IoTGuard.Capture.Tests.Files;

/// <summary>All captures of the optional corpora, compared with Wireshark's capinfos and tshark.</summary>
public sealed class CorpusTests
{
    private const string WireShorterThanCaptured = "says that less was on the wire than was captured; we take the greater for the wire";
    private const string PseudoHeader = "Wireshark does not count the 4 bytes of the ATM pseudo-header";
    private const string FractionAboveASecond = "has stamps with a fraction above a second, which Wireshark prints raw and we add";
    private const string NotInOrder = "is not in order, and capinfos takes a later frame for the earliest";

    /// <summary>Captures of which capinfos says something else, and why.</summary>
    private static readonly Dictionary<string, string> Explained = new(StringComparer.Ordinal)
    {
        ["fuzz-2021-06-07-c6c72a0a56.pcap"] = "was on the wire with 4,093,509,168 bytes, which no int holds; and: " + FractionAboveASecond,
        ["fuzz-2021-10-13.pcap"] = FractionAboveASecond,
        ["rx_serviceid_oobr.pcap"] = FractionAboveASecond,
        ["timestamp_invalid_micro.pcap"] = FractionAboveASecond,
        ["timestamp_invalid_nano.pcap"] = FractionAboveASecond,
        ["aoe-oobr-1.pcap"] = WireShorterThanCaptured,
        ["icmp-icmp_print-oobr-2.pcap"] = WireShorterThanCaptured,
        ["rsvp-rsvp_obj_print-oobr.pcap"] = WireShorterThanCaptured,
        ["slip-compressed_sl_print-oobr.pcap"] = WireShorterThanCaptured,
        ["slip-sliplink_print-oobr.pcap"] = WireShorterThanCaptured,
        ["atm-heapoverflow.pcap"] = PseudoHeader,
        ["atm-oam-heapoverflow.pcap"] = PseudoHeader,
        ["atm-oam-loopback-print-overrun.pcap"] = PseudoHeader + "; and: " + FractionAboveASecond,
        ["bgp_vpn_rt-oobr.pcap"] = NotInOrder,
        ["olsr-oobr-2.pcap"] = NotInOrder,
        ["pim_header_asan-2.pcap"] = NotInOrder + "; and: " + WireShorterThanCaptured,
    };

    [Fact]
    public void EveryCaptureIsReadAndAgreesWithCapinfos()
    {
        var root = Repository.SharedDataOrSkip("captures");
        Assert.SkipUnless(Tool.Exists("capinfos"), "capinfos is not installed (Debian: tshark)");
        var files = Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories)
            .Where(static f => Path.GetExtension(f) is ".pcap" or ".pcapng" or ".cap").Order(StringComparer.Ordinal).ToArray();
        var theirs = new Dictionary<string, string[]>(StringComparer.Ordinal);
        foreach (var chunk in files.Chunk(400))
        {
            var table = Tool.Run("capinfos", ["-T", "-M", "-r", "-m", "-Q", "-c", "-d", "-a", "-e", "-S", .. chunk]);
            foreach (var line in table.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                var fields = line.Split("\",\"").Select(static f => f.Trim('"', '\r')).ToArray();
                theirs[fields[0]] = fields[1..];
            }
        }

        var differences = new List<string>();
        var compared = 0;
        foreach (var file in files)
        {
            // Opened and read whether there is somebody to compare with or not.
            var (frames, bytes, firstNs, lastNs) = Summarise(file);
            if (!theirs.TryGetValue(file, out var expected))
                continue;
            compared++;
            string[] ours = [$"{frames}", $"{bytes}", Like(expected[2], firstNs), Like(expected[3], lastNs)];
            if (!ours.SequenceEqual(expected) && !Explained.ContainsKey(Path.GetFileName(file)))
                differences.Add($"{Path.GetRelativePath(root, file)}: [{string.Join(' ', ours)}] capinfos [{string.Join(' ', expected)}]");
        }

        Assert.True(differences.Count == 0, string.Join('\n', differences));
        Assert.InRange(compared, files.Length * 9 / 10, files.Length);
    }

    [Theory]
    [InlineData("pcapng-test-generator", "output_be")]
    [InlineData("tapirx", "testdata")]
    public void EveryFrameAgreesWithTshark(string corpus, string folder)
    {
        var root = Repository.SharedDataOrSkip("captures", corpus, folder);
        Assert.SkipUnless(Tool.Exists("tshark"), "tshark is not installed (Debian: tshark)");
        var files = Directory.EnumerateFiles(root, "*.pcap*", SearchOption.AllDirectories).ToArray();
        Assert.NotEmpty(files);
        Parallel.ForEach(files, file =>
        {
            using var source = CaptureFile.Open(file);
            var ours = Frames.All(source);
            // tshark counts some other blocks of pcapng as frames, which have no encapsulation.
            string[] fields = ["-T", "fields", "-e", "frame.time_epoch", "-e", "frame.len", "-e", "frame.cap_len"];
            var theirs = Tool.Run("tshark", ["-n", "-r", file, "-Y", "frame.encap_type", .. fields])
                .Split('\n', StringSplitOptions.RemoveEmptyEntries);
            // tshark prints no time for a frame without one (simple packet block), we that of the frame before.
            var printed = ours.Zip(theirs, static (frame, line) =>
                $"{(line.StartsWith('\t') ? "" : Decimal(frame.TimeNs, decimals: 9))}\t{frame.WireLength}\t{frame.Bytes.Length}");
            Assert.Equal(theirs, printed.ToArray());
            Assert.Equal(theirs.Length, ours.Count);
        });
    }

    /// <summary>Frames, bytes on the wire, earliest and latest time.</summary>
    private static (long Frames, long Bytes, long FirstNs, long LastNs) Summarise(string file)
    {
        long frames = 0, bytes = 0, first = long.MaxValue, last = long.MinValue;
        using var source = CaptureFile.Open(file);
        var batch = new FrameBatch();
        while (source.Read(batch))
        {
            foreach (var frame in batch.Frames)
            {
                frames++;
                bytes += frame.WireLength;
                first = Math.Min(first, frame.TimeNs);
                last = Math.Max(last, frame.TimeNs);
            }

            batch.Release();
        }

        return (frames, bytes, first, last);
    }

    /// <summary>A time with as many decimals as capinfos printed; it prints none when a frame has no stamp of its own.</summary>
    private static string Like(string theirs, long timeNs)
    {
        if (theirs == "n/a")
            return theirs;
        var decimals = theirs.Length - theirs.IndexOf('.', StringComparison.Ordinal) - 1;
        return Decimal(timeNs, decimals);
    }

    private static string Decimal(long timeNs, int decimals)
    {
        var unit = decimals == 9 ? 1m : 1000m;
        return (Math.Floor(timeNs / unit) * unit / 1_000_000_000m).ToString("F" + decimals, CultureInfo.InvariantCulture);
    }
}
