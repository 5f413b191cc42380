using IoTGuard.TestSupport;

namespace IoTGuard.Tests.Commands;

/// <summary>Bad input gives one clear line and the documented exit status.</summary>
public sealed class ExitStatusTests
{
    private static string Capture => Repository.PathOf("captures", "hospital-benign.pcapng");

    [Theory]
    [InlineData(2, "analyze")]
    [InlineData(2, "analyze", "--bogus")]
    [InlineData(2, "nonsense")]
    [InlineData(2, "analyze", "x.pcap", "--workers", "0")]
    [InlineData(2, "analyze", "x.pcap", "--workers", "many")]
    [InlineData(2, "analyze", "x.pcap", "--syslog", "http://x")]
    [InlineData(2, "analyze", "-", "--alerts", "-", "--flows", "-")]
    [InlineData(2, "analyze", "/dev/null", "--site", "/nonexistent")]
    [InlineData(2, "sensor")]
    [InlineData(2, "sensor", "--interface", "no-such-interface")]
    [InlineData(3, "analyze", "/nonexistent.pcap")]
    [InlineData(3, "analyze", "/")]
    [InlineData(3, "analyze", "/etc/passwd")]
    [InlineData(3, "evaluate", "--alerts", "/nonexistent", "--labels", "/nonexistent")]
    public void One_line_and_the_documented_status(int status, params string[] arguments)
    {
        var run = ProgramRun.Of(arguments);
        Assert.Equal(status, run.Status);
        var lines = run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith("iotguard: ", Assert.Single(lines), StringComparison.Ordinal);
    }

    [Fact]
    public void A_full_disk_is_said_and_the_rest_goes_on()
    {
        using var folder = new TemporaryFolder();
        var run = ProgramRun.Of("analyze", Capture, "--transactions", "/dev/full", "--flows", folder["flows"]);
        Assert.Equal(4, run.Status);
        Assert.Contains("lines could not be written to /dev/full", run.Error, StringComparison.Ordinal);
        Assert.True(File.ReadLines(folder["flows"]).Count() > 1);
    }

    [Fact]
    public void A_cut_capture_is_read_as_far_as_it_goes()
    {
        using var folder = new TemporaryFolder();
        var whole = File.ReadAllBytes(Capture);
        File.WriteAllBytes(folder["cut.pcapng"], whole[..(whole.Length / 2)]);
        var run = ProgramRun.Of("analyze", folder["cut.pcapng"], "--transactions", folder["transactions"]);
        Assert.Equal(3, run.Status);
        Assert.Contains("offset", run.Error, StringComparison.Ordinal);
        Assert.NotEmpty(File.ReadLines(folder["transactions"]));
    }

    [Theory]
    [InlineData("site.json")]
    [InlineData("devices.jsonl")]
    [InlineData("facts.jsonl")]
    [InlineData("models/0001/flows.site.iforest.onnx")]
    public void A_damaged_site_is_refused_by_name(string file)
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(0, ProgramRun.Of("learn", Capture, "--site", folder["site"]).Status);
        var path = Path.Combine(folder["site"], file);
        var content = File.ReadAllBytes(path);
        var half = content.Length / 2;
        File.WriteAllBytes(path, [.. content[..half], .. "}{"u8, .. content[half..]]);
        var run = ProgramRun.Of("analyze", Capture, "--site", folder["site"]);
        Assert.Equal(2, run.Status);
        Assert.Contains(Path.GetFileNameWithoutExtension(file), run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void An_unknown_link_type_is_said()
    {
        using var folder = new TemporaryFolder();

        // A pcap header with link type 147 (reserved for private use) and one frame of four bytes.
        byte[] file = [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, .. new byte[8], 0xff, 0xff, 0, 0, 147, 0, 0, 0, .. new byte[8], 4, 0, 0, 0, 4, 0, 0, 0, 1, 2, 3, 4];
        File.WriteAllBytes(folder["private.pcap"], file);
        var run = ProgramRun.Of("analyze", folder["private.pcap"]);
        Assert.Equal(3, run.Status);
        Assert.Contains("link type that is not decoded (147)", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_standard_input_is_unreadable()
    {
        var run = ProgramRun.WithInput([], "analyze", "-");
        Assert.Equal(3, run.Status);
    }

    [Fact]
    public void Help_names_every_command_and_shows_examples()
    {
        foreach (var command in new[] { "analyze", "learn", "sensor", "evaluate" })
        {
            Assert.Contains(command, ProgramRun.Of("--help").Output, StringComparison.Ordinal);
            Assert.Contains("Example", ProgramRun.Of(command, "--help").Output, StringComparison.Ordinal);
        }
    }
}
