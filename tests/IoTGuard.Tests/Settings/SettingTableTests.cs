using IoTGuard.Analysis;
using IoTGuard.Settings;
using IoTGuard.TestSupport;

namespace IoTGuard.Tests.Settings;

/// <summary>The table of settings, and what is generated from it.</summary>
public sealed class SettingTableTests
{
    [Fact]
    public void The_packaged_configuration_is_the_example()
    {
        var path = Repository.PathOf("packaging", "iotguard.yaml");
        Assert.True(File.ReadAllText(path) == ExampleFile.Text(), "packaging/iotguard.yaml differs; write it again: ./iotguard config example > packaging/iotguard.yaml");
    }

    [Fact]
    public void Each_line_of_the_example_says_the_default_or_can_be_used()
    {
        using var folder = new TemporaryFolder();
        var defaults = new SensorSettings();
        foreach (var setting in SettingTable.All.Where(static s => s.Form != SettingForm.Section))
        {
            File.WriteAllText(folder["one.yaml"], $"{setting.Key}: {setting.Example}\n");
            var settings = new SettingSources(folder["one.yaml"], []).Load();
            Assert.Equal($"{folder["one.yaml"]}, line 1", settings.OriginOf(setting));
            Assert.All(SettingTable.All.Where(s => s != setting), other => Assert.Equal(other.Show(defaults), other.Show(settings)));
        }
    }

    [Fact]
    public void The_whole_example_uncommented_is_sound()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllLines(folder["all.yaml"], ExampleFile.Text().Split('\n').Select(static l => l.StartsWith('#') && !l.StartsWith("# ", StringComparison.Ordinal) ? l[1..] : l));
        var settings = new SettingSources(folder["all.yaml"], []).Load();
        Assert.All(SettingTable.All, s => Assert.NotEqual(SensorSettings.Default, settings.OriginOf(s)));
    }

    [Fact]
    public void The_guide_lists_every_setting_with_its_unit_and_default()
    {
        var guide = File.ReadAllText(Repository.PathOf("docs", "sensors.md"));
        foreach (var group in SettingTable.Groups)
        {
            foreach (var row in GuideRows(group))
                Assert.True(guide.Contains(row, StringComparison.Ordinal), $"docs/sensors.md lacks this line under '{group.Title}' (here all):\n{string.Join('\n', SettingTable.Groups.SelectMany(GuideRows))}");
        }
    }

    [Fact]
    public void Defaults_are_those_of_the_analysis()
    {
        var detection = SensorConfiguration.DetectionOf(new SensorSettings());
        var own = new DetectorOptions();
        Assert.Equal(
            (own.AlertBudgetPerDay, own.MaximumDevices, own.MaximumFacts, own.MaximumOpenAlerts, own.UpdateIntervalNs, own.IncidentWindowNs),
            (detection.AlertBudgetPerDay, detection.MaximumDevices, detection.MaximumFacts, detection.MaximumOpenAlerts, detection.UpdateIntervalNs, detection.IncidentWindowNs));
        var key = new byte[32];
        var sensor = new SensorOptions { PseudonymKey = key };
        var settings = new SensorSettings();
        Assert.Equal(
            (sensor.MaximumFlows, sensor.IdleTimeoutNs, sensor.EstablishedIdleTimeoutNs, sensor.ActiveTimeoutNs),
            (settings.MaximumFlows, settings.IdleTimeoutSeconds * 1_000_000_000L, settings.EstablishedIdleTimeoutSeconds * 1_000_000_000L, settings.ActiveTimeoutSeconds * 1_000_000_000L));
    }

    [Theory]
    [InlineData("wrokers: 3", 1, "has no key wrokers")]
    [InlineData("interface: eth1\nworkers: many", 2, "workers is many; write a whole number from 0 to 64")]
    [InlineData("workers: 65", 1, "from 0 to 64")]
    [InlineData("promiscuous: yes", 1, "write true or false")]
    [InlineData("interface: [a, b]", 1, "interface is not one value")]
    [InlineData("interface:", 1, "interface is empty")]
    [InlineData("alert_budget_per_day: -1", 1, "write a number from 0")]
    [InlineData("workers: 1\nworkers: 2", 2, "line 2")]
    public void A_wrong_line_is_said_with_file_line_and_remedy(string text, int line, string fault)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["sensor.yaml"], text + "\n");
        var e = Assert.Throws<UserException>(() => new SettingSources(folder["sensor.yaml"], []).Load());
        Assert.Equal(2, e.ExitStatus);
        Assert.Contains($"{folder["sensor.yaml"]}, line {line}: ", e.Message, StringComparison.Ordinal);
        Assert.Contains(fault, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_come_before_the_environment_and_that_before_the_file()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["sensor.yaml"], "interface: file0\nworkers: 3\nring_megabytes: 5\nsyslog: [udp://127.0.0.1:1514, 'tcp://127.0.0.1:1601']\n");
        var run = ProgramRun.Start(
            "env", ["IOTGUARD_WORKERS=4", "IOTGUARD_INTERFACE=env0", "dotnet", Repository.PathOf("artifacts", "bin", "IoTGuard", "release", "iotguard.dll"),
                "config", "show", "--config", folder["sensor.yaml"], "--interface", "opt0", "--vlan-aware"], null, Repository.Root);
        Assert.True(run.Status == 0, run.Error);
        Assert.Matches(@"interface +opt0 +command line, --interface", run.Output);
        Assert.Matches(@"workers +4 +environment, IOTGUARD_WORKERS", run.Output);
        Assert.Matches(@"ring_megabytes +5 MB +.*sensor.yaml, line 3", run.Output);
        Assert.Matches(@"vlan_aware +true +command line", run.Output);
        Assert.Matches(@"maximum_flows +1000000 flows +default", run.Output);
        Assert.Contains("udp://127.0.0.1:1514 tcp://127.0.0.1:1601", run.Output, StringComparison.Ordinal);
    }

    /// <summary>The lines of the guide's table for a group of settings.</summary>
    private static IEnumerable<string> GuideRows(SettingGroup group) => group.Settings.Select(static s =>
        $"| `{s.Key}` | {(s.HasOption ? $"`{s.Option}`" : "")} | {$"{s.Default} {s.Unit}".TrimEnd()} | {(s.Reloads ? "yes" : "")} | {s.Description} |");
}
