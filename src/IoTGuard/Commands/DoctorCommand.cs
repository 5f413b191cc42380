using System.CommandLine;
using System.Net.NetworkInformation;
using System.Runtime.InteropServices;
using IoTGuard.Capture;
using IoTGuard.Outputs;
using IoTGuard.Sites;
using Spectre.Console;

namespace IoTGuard.Commands;

/// <summary><c>iotguard doctor</c>: what this machine can do for the sensor, one line each, with a remedy where something is missing.</summary>
internal static class DoctorCommand
{
    private sealed record Finding(bool Good, string Subject, string Text);

    public static Command Create()
    {
        var networkInterface = new Option<string?>("--interface") { Description = "Also try a capture ring on this interface", HelpName = "IF" };
        var command = new Command("doctor", """
            Checks what the sensor needs on this machine and names the remedy for what is missing.

            Example:
              iotguard doctor --interface eth1
            """)
        {
            networkInterface,
        };
        command.SetAction(parsed =>
        {
            var findings = Check().ToList();
            foreach (var finding in findings)
                Terminal.Output.MarkupLineInterpolated($"{(finding.Good ? "ok     " : "MISSING")}  {finding.Subject,-18} {finding.Text}");
            return findings.TrueForAll(f => f.Good) ? ExitStatus.Done : ExitStatus.Unusable;
        });
        return command;
    }

    private static IEnumerable<Finding> Check()
    {
        yield return new Finding(true, "program", $"{ProgramVersion.Text} on {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription}");
        yield return new Finding(true, "processors", $"{Environment.ProcessorCount}, so {Environment.ProcessorCount} workers by default");
        yield return Model();
        yield return new Finding(true, "named packages", NamedPackages.Description);
    }

    private static Finding Model()
    {
        try
        {
            return ShippedSite.Load().Model.Length > 0
                ? new Finding(true, "shipped model", "loads, and fits this program's features")
                : new Finding(false, "shipped model", "models/ beside the program is absent or empty; build or install the program again");
        }
        catch (UserException e)
        {
            return new Finding(false, "shipped model", e.Message);
        }
    }
}
