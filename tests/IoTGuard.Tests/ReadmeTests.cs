using IoTGuard.TestSupport;

namespace IoTGuard.Tests;

/// <summary>The commands in the README do what it says.</summary>
public sealed class ReadmeTests
{
    /// <summary>Lines that need root, an interface, or that run this very test.</summary>
    private static bool IsRunHere(string line) => line.StartsWith("./iotguard", StringComparison.Ordinal);

    [Fact]
    public void Every_example_runs()
    {
        var lines = Examples("README.md").ToList();
        Assert.Contains("./iotguard analyze captures/hospital-attacks.pcapng", lines);
        foreach (var line in lines.Where(IsRunHere))
        {
            var run = ProgramRun.Shell(line);
            Assert.True(run.Status == 0, $"'{line}' ended with {run.Status}: {run.Error}");
        }
    }

    /// <summary>As one script, because later lines use what earlier ones set.</summary>
    [Theory]
    [InlineData("analysts.md")]
    [InlineData("data-scientists.md")]
    public void Every_example_of_a_guide_runs(string guide)
    {
        var script = string.Join('\n', Examples("docs", guide));
        Assert.Contains("./iotguard", script, StringComparison.Ordinal);
        var run = ProgramRun.Shell("set -euo pipefail\nrm -rf artifacts/analysts artifacts/bench\n" + script);
        Assert.True(run.Status == 0, $"{run.Status}: {run.Error}");
    }

    /// <summary>Of the guide for network teams the lines that need neither an installed package nor root; the package's own test does the others.</summary>
    [Fact]
    public void The_examples_of_the_guide_for_network_teams_run()
    {
        var lines = Examples("docs", "sensors.md").Where(static l => l.StartsWith("./iotguard config", StringComparison.Ordinal)).ToList();
        Assert.Equal(3, lines.Count);
        foreach (var line in lines)
        {
            var run = ProgramRun.Shell(line);
            Assert.True(run.Status == 0, $"'{line}' ended with {run.Status}: {run.Error}");
        }
    }

    [Fact]
    public void Every_file_it_names_exists()
    {
        var text = File.ReadAllText(Repository.PathOf("README.md"));
        foreach (System.Text.RegularExpressions.Match link in System.Text.RegularExpressions.Regex.Matches(text, @"\]\((?<path>[^)#:]+)\)", System.Text.RegularExpressions.RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)))
            Assert.True(Path.Exists(Repository.PathOf(link.Groups["path"].Value)), $"README.md names {link.Groups["path"].Value}");
    }

    private static IEnumerable<string> Examples(params string[] path)
    {
        var inShell = false;
        foreach (var line in File.ReadLines(Repository.PathOf(path)))
        {
            if (line.StartsWith("```", StringComparison.Ordinal))
                inShell = line == "```sh";
            else if (inShell)
                yield return line;
        }
    }
}
