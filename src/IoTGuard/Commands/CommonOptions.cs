using System.CommandLine;
using IoTGuard.Analysis;
using IoTGuard.Models;
using IoTGuard.Outputs.Formats;
using IoTGuard.Pipeline;

namespace IoTGuard.Commands;

/// <summary>Arguments and options that several commands share.</summary>
internal static class CommonOptions
{
    private const int MaximumWorkers = 64;

    /// <param name="required">False when the command also works without.</param>
    public static Argument<string[]> Captures(bool required = true)
    {
        var argument = new Argument<string[]>("CAPTURE")
        {
            Description = "Capture files, merged by time; - = standard input",
            Arity = required ? ArgumentArity.OneOrMore : ArgumentArity.ZeroOrMore,
        };
        argument.Validators.Add(result =>
        {
            if (result.Tokens.FirstOrDefault(t => t.Value.Length > 1 && t.Value[0] == '-') is { } token)
                result.AddError($"unknown option {token.Value} (a file of that name is given as ./{token.Value})");
        });
        return argument;
    }

    public static Option<int> Workers()
    {
        var option = new Option<int>("--workers")
        {
            Description = "Threads that parse packets; the result does not depend on it (default: the processors there are)",
            HelpName = "N",
            DefaultValueFactory = _ => Math.Min(Environment.ProcessorCount, MaximumWorkers),
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !(int.TryParse(result.Tokens[^1].Value, out var workers) && workers is >= 1 and <= MaximumWorkers))
                result.AddError($"--workers takes a whole number from 1 to {MaximumWorkers}");
        });
        return option;
    }

    /// <summary>The alert budget, alerts per day of packet time; null = not said.</summary>
    /// <param name="description">What the command does with it.</param>
    public static Option<double?> AlertBudget(string description = "Alerts per day of packet time that the models may raise; 0 = rules only (default: 10)")
    {
        var option = new Option<double?>("--alert-budget-per-day") { Description = description, HelpName = "N" };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !(double.TryParse(result.Tokens[^1].Value, System.Globalization.CultureInfo.InvariantCulture, out var budget) && budget is >= 0 and <= DetectorOptions.LargestAlertBudgetPerDay))
                result.AddError($"--alert-budget-per-day takes a number from 0 to {DetectorOptions.LargestAlertBudgetPerDay}");
        });
        return option;
    }

    public static Option<string?> Capture() => new("--capture")
    {
        Description = CaptureLibrary.Description,
        HelpName = "LIBRARY",
    };

    public static Option<string?> Model() => new("--model") { Description = GivenModel.Description, HelpName = "FILE" };

    public static Option<string[]> Syslog() => new("--syslog")
    {
        Description = "Send alerts to a receiver: udp://host:514  tcp://host:601  tls://host:6514  file:///path, with options such as ?format=cef&severity=5 (docs/outputs.md)",
        HelpName = "URI",
    };

    public static Option<string?> Format()
    {
        var option = new Option<string?>("--format")
        {
            Description = $"Form of what --syslog sends: {FormatTable.Names} (default: {FormatTable.Default.Name})",
            HelpName = "NAME",
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && FormatTable.Find(result.Tokens[^1].Value) is null)
                result.AddError($"--format takes one of {FormatTable.Names}");
        });
        return option;
    }

    public static Option<string?> Evidence() => new("--evidence")
    {
        Description = "Keep the packets behind each alert as a pcapng file in this folder; they hold patient data by nature, see --redact",
        HelpName = "DIR",
    };

    public static Option<bool> Redact() => new("--redact")
    {
        Description = "Blank patient data in the packets of --evidence: values of DICOM data sets, HL7 fields, and payload of protocols that cannot be redacted",
    };

    public static Option<int?> CommunityIdSeed()
    {
        var option = new Option<int?>("--community-id-seed")
        {
            Description = "Seed of Community IDs in flows, transactions, alerts and evidence: the same as in the site's other tools (default: 0)",
            HelpName = "N",
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !ushort.TryParse(result.Tokens[^1].Value, System.Globalization.CultureInfo.InvariantCulture, out _))
                result.AddError($"--community-id-seed takes a whole number from 0 to {ushort.MaxValue}");
        });
        return option;
    }

    public static Option<bool> VlanAware() => new("--vlan-aware")
    {
        Description = "Keep the same addresses and ports in two VLANs apart (overlapping address ranges)",
    };
}
