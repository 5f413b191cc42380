using System.CommandLine;
using System.Text.Json;
using IoTGuard.Settings;

namespace IoTGuard.Commands.Doctor;

/// <summary><c>iotguard doctor</c>: what this machine, the mirror port and the receivers can do for the sensor, one line each, with a remedy.</summary>
internal static class DoctorCommand
{
    /// <summary>Time that the mirror port is looked at, s.</summary>
    private const int DefaultSeconds = 10;

    public static Command Create()
    {
        var seconds = new Option<int>("--seconds") { Description = $"How long the traffic of --interface is looked at (default: {DefaultSeconds}; 0 = not at all)", HelpName = "N", DefaultValueFactory = static _ => DefaultSeconds };
        seconds.Validators.Add(static result =>
        {
            if (result.Tokens.Count > 0 && !(int.TryParse(result.Tokens[^1].Value, out var number) && number is >= 0 and <= 3600))
                result.AddError("--seconds takes a whole number from 0 to 3600");
        });
        var json = new Option<bool>("--json") { Description = "One JSON object per line: verdict, subject, text, remedy" };
        var command = new Command("doctor", """
            Checks what the sensor needs and names the remedy for what is missing: the machine, the interface and the traffic on it, receivers, disk.
            With --config it looks at what the configuration names. Exit status 2 when the sensor cannot work like this.

            Examples:
              sudo iotguard doctor --interface eth1
              sudo iotguard doctor --config /etc/iotguard/iotguard.yaml --seconds 30 --json
            """)
        {
            seconds, json,
        };
        var options = new SettingOptions(command);
        command.SetAction(parsed =>
        {
            var settings = options.Sources(parsed).Load();
            var isGood = true;
            foreach (var finding in Check(settings, parsed.GetValue(seconds)))
            {
                isGood &= finding.Verdict != Verdict.Fault;
                Console.Out.WriteLine(parsed.GetValue(json) ? Json(finding) : Line(finding));
            }

            return isGood ? ExitStatus.Done : ExitStatus.Unusable;
        });
        return command;
    }

    private static IEnumerable<Finding> Check(SensorSettings settings, int seconds)
    {
        foreach (var finding in MachineChecks.Of(settings))
            yield return finding;
        foreach (var finding in OutputChecks.Of(settings))
            yield return finding;
        if (settings.Interface is null)
        {
            yield return Finding.Note("interface", "none was given, so the mirror port was not looked at", "give --interface IF, or --config FILE that names one");
            yield break;
        }

        var hasInterface = true;
        foreach (var finding in InterfaceChecks.Of(settings))
        {
            hasInterface &= finding.Verdict != Verdict.Fault;
            yield return finding;
        }

        if (!hasInterface || seconds == 0)
            yield break;
        foreach (var finding in TrafficChecks.Of(settings, seconds))
            yield return finding;
    }

    private static string Line(Finding finding) =>
        $"{finding.Verdict switch { Verdict.Ok => "ok", Verdict.Note => "note", Verdict.Warning => "WARNING", _ => "FAULT" },-7}  {finding.Subject,-16}  {finding.Text}"
        + (finding.Remedy is null ? "" : $"; {finding.Remedy}");

    private static string Json(Finding finding)
    {
        using var content = new MemoryStream();
        using (var json = new Utf8JsonWriter(content))
        {
            json.WriteStartObject();
            json.WriteString("verdict", finding.Verdict.ToString().ToLowerInvariant());
            json.WriteString("subject", finding.Subject);
            json.WriteString("text", finding.Text);
            json.WriteString("remedy", finding.Remedy);
            json.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(content.ToArray());
    }
}
