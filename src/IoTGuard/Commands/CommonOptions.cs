using System.CommandLine;

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

    public static Option<bool> VlanAware() => new("--vlan-aware")
    {
        Description = "Keep the same addresses and ports in two VLANs apart (overlapping address ranges)",
    };
}
