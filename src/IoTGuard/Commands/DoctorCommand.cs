using System.CommandLine;
using System.Net.NetworkInformation;
using System.Runtime.InteropServices;
using IoTGuard.Capture;
using IoTGuard.Sites;

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
            var findings = Check(parsed.GetValue(networkInterface)).ToList();
            foreach (var finding in findings)
                Console.Out.WriteLine($"{(finding.Good ? "ok     " : "MISSING")}  {finding.Subject,-16}  {finding.Text}");
            return findings.TrueForAll(f => f.Good) ? ExitStatus.Done : ExitStatus.Unusable;
        });
        return command;
    }

    private static IEnumerable<Finding> Check(string? networkInterface)
    {
        yield return new Finding(true, "program", $"{ProgramVersion.Text} on {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription}");
        yield return new Finding(true, "processors", $"{Environment.ProcessorCount}, so {Environment.ProcessorCount} workers by default");
        yield return Model();
        yield return Filters();
        yield return new Finding(true, "named packages", NamedPackages.Description);
        if (networkInterface is not null)
        {
            yield return State(networkInterface);
            yield return Ring(networkInterface);
        }
    }

    private static Finding Filters()
    {
        var isThere = Array.Exists(["libpcap.so.1", "libpcap.so.0.8"], name => NativeLibrary.TryLoad(name, out _));
        return new Finding(true, "capture filters", isThere
            ? "libpcap is installed, --filter works"
            : "libpcap is not installed, so --filter cannot be used; 'apt-get install libpcap0.8' brings it");
    }

    private static Finding State(string name)
    {
        var found = Array.Find(NetworkInterface.GetAllNetworkInterfaces(), i => i.Name == name);
        return found switch
        {
            null => new Finding(false, "interface", $"there is no interface {name}; 'ip link' lists them"),
            { OperationalStatus: OperationalStatus.Down } => new Finding(false, "interface", $"{name} is down; 'ip link set {name} up' brings it up"),
            _ => new Finding(true, "interface", $"{name} is up"),
        };
    }

    private static Finding Ring(string name)
    {
        try
        {
            using var ring = PacketRing.Open(new PacketRingOptions(name));
            return new Finding(true, "capture ring", $"can be opened on {name}");
        }
        catch (CaptureException e)
        {
            return new Finding(false, "capture ring", e.Message);
        }
    }

    private static Finding Model()
    {
        try
        {
            return ShippedSite.Load().Models.Active.Entries.Count > 0
                ? new Finding(true, "shipped model", "loads, and fits this program's features")
                : new Finding(false, "shipped model", "models/ beside the program is absent or empty; build or install the program again");
        }
        catch (UserException e)
        {
            return new Finding(false, "shipped model", e.Message);
        }
    }
}
