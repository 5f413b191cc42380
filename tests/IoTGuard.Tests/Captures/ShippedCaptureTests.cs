using System.Text.Json;
using IoTGuard.Outputs.Formats;
using IoTGuard.TestSupport;

namespace IoTGuard.Tests.Captures;

/// <summary>The shipped captures through the real program: expected alerts, the same for any number of workers, no patient data.</summary>
public sealed class ShippedCaptureTests
{
    public static TheoryData<string> Captures => ["hospital-benign", "hospital-attacks"];

    private static string CaptureOf(string name) => Repository.PathOf("captures", name + ".pcapng");

    /// <summary>
    /// The alerts of each capture are those committed beside it. After a deliberate change of detection, write them again with
    /// <c>build/write-expected-alerts</c> and read the difference.
    /// </summary>
    [Theory]
    [MemberData(nameof(Captures))]
    public void Alerts_are_the_expected_ones(string name)
    {
        using var folder = new TemporaryFolder();
        var run = ProgramRun.Of("analyze", CaptureOf(name), "--alerts", folder["alerts"]);
        Assert.Equal(0, run.Status);
        Assert.Equal(File.ReadAllText(Repository.PathOf("captures", name + ".expected-alerts.jsonl")), File.ReadAllText(folder["alerts"]));
    }

    [Fact]
    public void Alerts_against_the_learned_site_are_the_expected_ones()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(0, ProgramRun.Of("learn", CaptureOf("hospital-benign"), "--site", folder["site"]).Status);
        var run = ProgramRun.Of("analyze", CaptureOf("hospital-attacks"), "--site", folder["site"], "--alerts", folder["alerts"]);
        Assert.Equal(0, run.Status);
        Assert.Equal(
            File.ReadAllText(Repository.PathOf("captures", "hospital-attacks.learned.expected-alerts.jsonl")), File.ReadAllText(folder["alerts"]));
    }

    [Theory]
    [InlineData(2, 2)]
    [InlineData(3, 2)]
    [InlineData(16, 2)]
    [InlineData(1, 1)]
    [InlineData(3, 1)]
    public void Every_output_is_the_same_for_any_number_of_workers_and_processors(int workers, int processors)
    {
        using var folder = new TemporaryFolder();
        var one = Outputs(folder, "one", 1, processors: 2);
        var many = Outputs(folder, "many", workers, processors);
        for (var i = 0; i < one.Length; i++)
            Assert.True(one[i].SequenceEqual(many[i]), $"output {i} differs between 1 and {workers} workers on {processors} processors");
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 1)]
    [InlineData(3, 2)]
    public void Flows_that_the_end_of_the_input_ends_come_in_the_order_of_their_first_packets(int workers, int processors)
    {
        const int Flows = 10_000;
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder["capture"], Pcap(Flows));
        var run = ProgramRun.WithProcessors(processors, "analyze", folder["capture"], "--workers", $"{workers}", "--flows", folder["flows"]);
        Assert.Equal(0, run.Status);
        var ports = File.ReadLines(folder["flows"]).Skip(1).Select(line => int.Parse(line.Split(',')[3], System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(Enumerable.Range(1024, Flows), ports);
    }

    /// <summary>A capture of UDP packets, each of a flow of its own, a microsecond apart.</summary>
    private static byte[] Pcap(int flows)
    {
        var capture = new List<byte>(Convert.FromHexString("D4C3B2A1020004000000000000000000FFFF000001000000"));
        for (var i = 0; i < flows; i++)
        {
            capture.AddRange(BitConverter.GetBytes(1_700_000_000));
            capture.AddRange(BitConverter.GetBytes(i));
            capture.AddRange(Convert.FromHexString("2A0000002A000000"));
            capture.AddRange(Convert.FromHexString("02000000000202000000000108004500001C00010000401100000A0000010A000002"));
            capture.AddRange(Convert.FromHexString($"{1024 + i:X4}270F00080000"));
        }

        return [.. capture];
    }

    [Fact]
    public void Standard_input_gives_what_the_file_gives()
    {
        using var folder = new TemporaryFolder();
        var capture = CaptureOf("hospital-attacks");
        Assert.Equal(0, ProgramRun.Of("analyze", capture, "--alerts", folder["file"]).Status);
        Assert.Equal(0, ProgramRun.WithInput(File.ReadAllBytes(capture), "analyze", "-", "--alerts", folder["pipe"]).Status);
        Assert.Equal(File.ReadAllText(folder["file"]), File.ReadAllText(folder["pipe"]));
    }

    [Theory]
    [MemberData(nameof(Captures))]
    public void No_patient_data_leaves(string name)
    {
        using var folder = new TemporaryFolder();
        Run("learned", "learn", CaptureOf(name), "--site", folder["site"]);
        string[] files = ["--alerts", folder["alerts"], "--flows", folder["flows"], "--windows", folder["windows"], "--transactions", folder["transactions"], "--evidence", folder["evidence"], "--redact"];
        var outputs = FormatTable.All.Where(static f => f != FormatTable.PandoraEvent).SelectMany(f => new[] { "--syslog", $"file://{folder["outputs." + f.Name]}?format={f.Name}" });
        Run("analyzed", ["analyze", CaptureOf(name), "--site", folder["site"], .. files, .. outputs]);
        Run("devices", "devices", "--site", folder["site"], "--format", "json");
        Run("listed", "alerts", "list", "--site", folder["site"], "--format", "json");
        foreach (var id in File.ReadLines(folder["alerts"]).Select(static l => JsonElement.Parse(l).GetProperty("id").GetString()!).Take(2))
        {
            Run($"shown.{id}", "alerts", "show", id, "--site", folder["site"]);
            Run($"reported.{id}", "alerts", "report", id, "--site", folder["site"]);
        }

        PatientTexts.AssertNoneIn(folder[""]);

        void Run(string into, params string[] arguments)
        {
            var run = ProgramRun.Of(arguments);
            File.WriteAllText(folder[into], run.Output + run.Error);
        }
    }

    [Fact]
    public void Transactions_carry_patients_as_pseudonyms_of_the_site_only()
    {
        using var folder = new TemporaryFolder();
        var capture = CaptureOf("hospital-benign");
        Assert.Equal(0, ProgramRun.Of("learn", capture, "--site", folder["site"]).Status);
        ProgramRun.Of("analyze", capture, "--site", folder["site"], "--transactions", folder["keyed"]);
        ProgramRun.Of("analyze", capture, "--transactions", folder["unkeyed"]);
        Assert.Contains(File.ReadLines(folder["keyed"]), HasPatient);
        Assert.DoesNotContain(File.ReadLines(folder["unkeyed"]), HasPatient);

        static bool HasPatient(string line)
        {
            using var json = JsonDocument.Parse(line);
            return json.RootElement.TryGetProperty("patient", out var patient) && patient.GetString()!.Length == 32;
        }
    }

    private static byte[][] Outputs(TemporaryFolder folder, string name, int workers, int processors)
    {
        string[] files = [folder[name + ".alerts"], folder[name + ".flows"], folder[name + ".transactions"]];
        var run = ProgramRun.WithProcessors(
            processors, "analyze", CaptureOf("hospital-attacks"), "--workers", $"{workers}", "--alerts", files[0], "--flows", files[1], "--transactions", files[2]);
        Assert.Equal(0, run.Status);
        return [.. files.Select(File.ReadAllBytes)];
    }
}
