using System.CommandLine;
using System.Text;

namespace IoTGuard.Commands;

/// <summary>The manual page, made of the command line itself (man(7)).</summary>
internal static class ManualPage
{
    /// <param name="root">The command tree.</param>
    /// <param name="date">Day of the build, as it stands in the footer; empty for none.</param>
    public static string Of(Command root, string date)
    {
        var text = new StringBuilder();
        text.Append($".TH IOTGUARD 1 \"{date}\" \"iotguard {ProgramVersion.Text}\" \"User Commands\"\n");
        text.Append(".SH NAME\niotguard \\- passive network sensor for hospitals\n.SH SYNOPSIS\n");
        foreach (var command in root.Subcommands.Where(static c => !c.Hidden))
            text.Append($".B iotguard {Escape(command.Name)}\n{Escape(Synopsis(command))}\n.br\n");
        text.Append(".SH DESCRIPTION\n");
        Paragraphs(text, root.Description);
        text.Append(".SH COMMANDS\n");
        foreach (var command in root.Subcommands.Where(static c => !c.Hidden))
            Describe(text, command, "iotguard");
        text.Append("""
            .SH FILES
            .TP
            .I /etc/iotguard/iotguard.yaml
            Configuration of the sensor; every setting with its meaning, unit and default stands in it.
            .TP
            .I /var/lib/iotguard
            Learned site, state, key of pseudonyms.
            .TP
            .I /var/log/iotguard
            Alerts and transactions as JSON lines, where the configuration says so.
            .SH SIGNALS
            .TP
            .B SIGHUP
            The sensor reads its configuration again and opens its files anew.
            .TP
            .B SIGTERM, SIGINT
            The sensor analyses what it has captured, closes and delivers its alerts, and ends.
            .SH SEE ALSO
            .I /usr/share/doc/iotguard/sensors.md

            """);
        return text.ToString();
    }

    private static void Describe(StringBuilder text, Command command, string path)
    {
        path += " " + command.Name;
        text.Append($".SS {Escape(path)} {Escape(Synopsis(command))}\n");
        Paragraphs(text, command.Description);
        foreach (var argument in command.Arguments.Where(static a => !a.Hidden))
            text.Append($".TP\n.I {Escape(argument.Name)}\n{Escape(argument.Description ?? "")}\n");
        foreach (var option in command.Options.Where(static o => !o.Hidden))
        {
            var value = option.HelpName is { Length: > 0 } name ? $" \\fI{Escape(name)}\\fR" : "";
            text.Append($".TP\n.B {Escape(string.Join(", ", new[] { option.Name }.Concat(option.Aliases)))}{value}\n{Escape(option.Description ?? "")}\n");
        }

        foreach (var child in command.Subcommands.Where(static c => !c.Hidden))
            Describe(text, child, path);
    }

    private static string Synopsis(Command command)
    {
        var parts = new List<string>();
        if (command.Subcommands.Count > 0)
            parts.Add(string.Join(" | ", command.Subcommands.Where(static c => !c.Hidden).Select(static c => c.Name)));
        parts.AddRange(command.Arguments.Where(static a => !a.Hidden).Select(static a => a.Arity.MaximumNumberOfValues > 1 ? a.Name + "..." : a.Name));
        parts.AddRange(command.Options.Where(static o => o.Required).Select(static o => $"{o.Name} {o.HelpName}"));
        if (command.Options.Any(static o => !o.Required))
            parts.Add("[options]");
        return string.Join(' ', parts);
    }

    /// <summary>Lines that are indented stand as they are, such as examples; others flow.</summary>
    private static void Paragraphs(StringBuilder text, string? description)
    {
        var isExample = false;
        foreach (var line in (description ?? "").Split('\n'))
        {
            var indented = line.StartsWith("  ", StringComparison.Ordinal);
            if (indented != isExample)
                text.Append(indented ? ".PP\n.nf\n.RS\n" : ".RE\n.fi\n.PP\n");
            isExample = indented;
            text.Append(line.Length == 0 ? ".PP" : Escape(line.Trim())).Append('\n');
        }

        if (isExample)
            text.Append(".RE\n.fi\n");
    }

    /// <summary>Backslashes and hyphens as they are, and no line that is taken for a request.</summary>
    private static string Escape(string text)
    {
        text = text.ReplaceLineEndings(" ").Replace("\\", "\\e", StringComparison.Ordinal).Replace("-", "\\-", StringComparison.Ordinal);
        return text is ['.' or '\'', ..] ? "\\&" + text : text;
    }
}
