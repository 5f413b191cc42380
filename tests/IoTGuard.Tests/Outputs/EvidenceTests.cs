using System.Globalization;
using System.Text.Json;
using IoTGuard.TestSupport;
using IoTGuard.Tests.Captures;

namespace IoTGuard.Tests.Outputs;

/// <summary>Packets behind alerts, by the real program over the shipped attacks, read by tshark.</summary>
public sealed class EvidenceTests
{
    private static readonly string Capture = Repository.PathOf("captures", "hospital-attacks.pcapng");

    private static string[] Tshark(string file, params string[] arguments)
    {
        var run = ProgramRun.Start("tshark", ["-r", file, .. arguments], null, Repository.Root);
        Assert.True(run.Status == 0, run.Error);
        return run.OutputLines;
    }

    private static void SkipWithoutTshark() => Assert.SkipUnless(ProgramRun.Shell("command -v tshark").Status == 0, "tshark is not installed");

    private static string ModeOf(string path) => ProgramRun.Start("stat", ["-c", "%a", path], null, Repository.Root).Output.Trim();

    private static string[] FilesOf(string folder) => [.. Directory.GetFiles(folder).Order(StringComparer.Ordinal)];

    [Fact]
    public void Each_alert_has_a_file_with_its_flows_from_their_first_packet()
    {
        SkipWithoutTshark();
        using var folder = new TemporaryFolder();
        Assert.Equal(0, ProgramRun.Of("analyze", Capture, "--alerts", folder["alerts"], "--evidence", folder["evidence"]).Status);
        Assert.Equal("750", ModeOf(folder["evidence"]));
        var files = FilesOf(folder["evidence"]);
        var alerts = File.ReadLines(folder["alerts"]).Select(l => JsonElement.Parse(l)).ToList();
        Assert.Equal(alerts.Select(a => a.GetProperty("id").GetString()).Order(StringComparer.Ordinal), files.Select(f => Path.GetFileNameWithoutExtension(f)[^32..]).Order(StringComparer.Ordinal));
        foreach (var alert in alerts)
        {
            var id = alert.GetProperty("id").GetString()!;
            var file = files.Single(f => f.Contains(id, StringComparison.Ordinal));
            Assert.Equal("640", ModeOf(file));
            var packets = Tshark(file, "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.comment");
            Assert.NotEmpty(packets);
            Assert.All(packets, p => Assert.Contains($"alert {id} ", p, StringComparison.Ordinal));
            var named = alert.GetProperty("community_id").EnumerateArray().Select(c => c.GetString()!).ToHashSet(StringComparer.Ordinal);
            if (named.Count > 0)
                Assert.Subset(named, packets.Select(p => p.Split(" flow ")[1]).ToHashSet(StringComparer.Ordinal));
            else if (alert.GetProperty("protocol").GetString() == "arp")
                AssertAsked(file, alert);
            // What came before the alert was raised is there.
            var first = decimal.Parse(packets[0].Split('\t')[0], CultureInfo.InvariantCulture);
            var raised = DateTimeOffset.Parse(alert.GetProperty("raised").GetString()!, CultureInfo.InvariantCulture);
            Assert.True(first <= (raised.ToUnixTimeMilliseconds() / 1000m) + 0.001m, $"{file} begins at {first}, raised {raised:O}");
        }
    }

    /// <summary>An ARP sweep is there question by question.</summary>
    private static void AssertAsked(string file, JsonElement alert)
    {
        var device = alert.GetProperty("device");
        var asked = Tshark(file, "-Y", $"arp.opcode == 1 && arp.src.hw_mac == {device.GetProperty("mac").GetString()}", "-T", "fields", "-e", "arp.dst.proto_ipv4");
        var told = alert.GetProperty("evidence").EnumerateArray().Single(static e => e.GetProperty("name").GetString() == "addresses").GetProperty("observed").GetString()!;
        Assert.True(asked.Distinct(StringComparer.Ordinal).Count() >= int.Parse(told, NumberStyles.AllowThousands, CultureInfo.InvariantCulture), $"{asked.Length} questions, {told} told");
    }

    /// <summary>No flow is named: the frames of both claimants are there, and nobody else's.</summary>
    [Fact]
    public void An_alert_about_ARP_or_neighbour_discovery_has_the_frames_of_both_parties()
    {
        SkipWithoutTshark();
        using var folder = new TemporaryFolder();
        NeighborCapture.Write(folder["claims.pcap"]);
        Assert.Equal(0, ProgramRun.Of("analyze", folder["claims.pcap"], "--alerts", folder["alerts"], "--evidence", folder["evidence"], "--redact").Status);
        var alerts = File.ReadLines(folder["alerts"]).Select(l => JsonElement.Parse(l)).ToList();
        Assert.Equal(["arp", "ndp"], alerts.Select(static a => a.GetProperty("protocol").GetString()!).Order(StringComparer.Ordinal));
        foreach (var alert in alerts)
        {
            Assert.Equal("arp-spoofing", alert.GetProperty("rule").GetString());
            Assert.Equal(0, alert.GetProperty("community_id").GetArrayLength());
            var file = FilesOf(folder["evidence"]).Single(f => f.Contains(alert.GetProperty("id").GetString()!, StringComparison.Ordinal));
            var senders = Tshark(file, "-T", "fields", "-e", "eth.src").GroupBy(static s => s, StringComparer.Ordinal).ToDictionary(static g => g.Key, static g => g.Count(), StringComparer.Ordinal);
            Assert.Equal(new Dictionary<string, int> { [NeighborCapture.Owner] = 2 * NeighborCapture.Claims, [NeighborCapture.Rival] = 2 * NeighborCapture.Claims }, senders);
        }

        // What hosts say of themselves is no patient's, and stays.
        var advertised = FilesOf(folder["evidence"]).SelectMany(static f => Tshark(f, "-Y", "icmpv6.type == 136", "-T", "fields", "-e", "icmpv6.opt.linkaddr", "-e", "icmpv6.nd.na.target_address"));
        Assert.Equal(4 * NeighborCapture.Claims, advertised.Count(static l => l.EndsWith(NeighborCapture.Ipv6, StringComparison.Ordinal) && l.StartsWith("02:00:00", StringComparison.Ordinal)));
    }

    [Fact]
    public void The_files_are_the_same_for_any_number_of_workers()
    {
        using var folder = new TemporaryFolder();
        foreach (var workers in new[] { "1", "3" })
            Assert.Equal(0, ProgramRun.Of("analyze", Capture, "--workers", workers, "--evidence", folder[workers], "--redact").Status);
        Assert.Equal(FilesOf(folder["1"]).Select(Path.GetFileName), FilesOf(folder["3"]).Select(Path.GetFileName));
        foreach (var (one, three) in FilesOf(folder["1"]).Zip(FilesOf(folder["3"])))
            Assert.True(File.ReadAllBytes(one).AsSpan().SequenceEqual(File.ReadAllBytes(three)), one);
    }

    [Fact]
    public void Redacted_files_hold_no_patient_data_and_dissectors_still_read_them()
    {
        SkipWithoutTshark();
        using var folder = new TemporaryFolder();
        Assert.Equal(0, ProgramRun.Of("analyze", Capture, "--evidence", folder["plain"]).Status);
        Assert.Equal(0, ProgramRun.Of("analyze", Capture, "--evidence", folder["blanked"], "--redact").Status);
        var told = 0;
        foreach (var (plain, blanked) in FilesOf(folder["plain"]).Zip(FilesOf(folder["blanked"])))
        {
            told += PatientTexts.CountIn(plain);
            Assert.Equal(0, PatientTexts.CountIn(blanked));
            if (plain.Contains("-arp-sweep-", StringComparison.Ordinal))
                continue; // all that its device did, errors of ICMP that quote other packets and malformed DICOM among it
            string[] fields = ["-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-T", "fields", "-e", "frame.len", "-e", "tcp.seq", "-e", "tcp.checksum.status", "-e", "udp.checksum.status"];
            Assert.Equal(Tshark(plain, fields), Tshark(blanked, fields));
            if (plain.Contains("-dicom-malformed-", StringComparison.Ordinal) || plain.Contains("-dicom-service-probing-", StringComparison.Ordinal))
                continue; // what breaks the rules of DICOM may be anything, and goes altogether
            string[] dicom = ["-Y", "dicom", "-T", "fields", "-e", "dicom.pdu.type", "-e", "dicom.pdv.ctx", "-e", "dicom.pdv.flags"];
            Assert.Equal(Tshark(plain, dicom), Tshark(blanked, dicom));
            string[] hl7 = ["-Y", "hl7", "-T", "fields", "-e", "hl7.message.type", "-e", "hl7.event.type"];
            Assert.Equal(Tshark(plain, hl7), Tshark(blanked, hl7));
        }

        Assert.True(told > 10, "the plain files should hold patients' texts, or this test tells nothing");
    }

    [Fact]
    public void The_oldest_files_go_when_the_budget_is_used_up_and_other_files_stay()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["evidence"]);
        File.WriteAllBytes(folder["evidence/mine.pcapng"], new byte[3 << 20]);
        File.WriteAllBytes(folder["evidence/20200101T000000Z-port-scan-00112233445566778899aabbccddeeff.pcapng"], new byte[2 << 20]);
        File.WriteAllText(folder["config.yaml"], $"""
            evidence: {folder["evidence"]}
            evidence_total_megabytes: 1
            """);
        Assert.Equal(0, ProgramRun.Of("analyze", Capture, "--config", folder["config.yaml"]).Status);
        var files = FilesOf(folder["evidence"]).Select(Path.GetFileName).ToList();
        Assert.Contains("mine.pcapng", files);
        Assert.DoesNotContain(files, f => f!.StartsWith("2020", StringComparison.Ordinal));
        Assert.True(files.Count > 3);
        Assert.True(FilesOf(folder["evidence"]).Where(f => !f.EndsWith("mine.pcapng", StringComparison.Ordinal)).Sum(f => new FileInfo(f).Length) <= 1 << 20);
    }

    [Fact]
    public void A_folder_that_cannot_be_written_is_said_at_once()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["file"], "");
        var run = ProgramRun.Of("analyze", Capture, "--evidence", folder["file/evidence"]);
        Assert.Equal(2, run.Status);
        Assert.Contains("cannot write evidence to", run.Error, StringComparison.Ordinal);
    }
}
