using System.CommandLine;
using System.Globalization;
using IoTGuard.Outputs;

namespace IoTGuard.Commands;

/// <summary>Forms of a list.</summary>
internal enum ListFormat
{
    Table,

    /// <summary>One array.</summary>
    Json,

    /// <summary>With a header line, RFC 4180.</summary>
    Csv,
}

/// <summary>Options and values that commands over a site's state share.</summary>
internal static class ListOptions
{
    public static Option<string> Site() => new("--site") { Description = "Folder of the site", HelpName = "DIR", Required = true };

    public static Option<ListFormat> Format()
    {
        var option = new Option<ListFormat>("--format")
        {
            Description = "table (for people), json (one array), csv (with a header line)",
            HelpName = "table|json|csv",
            CustomParser = result => result.Tokens[^1].Value switch
            {
                "table" => ListFormat.Table,
                "json" => ListFormat.Json,
                "csv" => ListFormat.Csv,
                var other => Refuse(result, $"--format takes table, json or csv, not {other}"),
            },
        };
        return option;

        static ListFormat Refuse(System.CommandLine.Parsing.ArgumentResult result, string message)
        {
            result.AddError(message);
            return ListFormat.Table;
        }
    }

    public static Option<string?> Text(string name, string description, string value) => new(name) { Description = description, HelpName = value };

    /// <summary>
    /// A time: RFC 3339 (2026-11-21T08:15:00Z), a date with or without a time of day (in UTC), or how long ago (30m, 12h, 7d).
    /// </summary>
    /// <param name="text">As given.</param>
    /// <param name="option">Its option, for the message.</param>
    /// <returns>ns since 1970.</returns>
    public static long Time(string text, string option)
    {
        if (TryDuration(text, out var ago))
            return NowNs() - ago;
        return PacketTime.TryParse(text, out var timeNs)
            ? timeNs
            : throw new UserException(ExitStatus.Unusable, $"{option} takes a time such as 2026-11-21T08:15:00Z, or how long ago: 30m, 12h, 7d; not {text}");
    }

    /// <summary>A duration such as 90s, 30m, 12h, 7d or 4w in ns.</summary>
    public static long Duration(string text, string option) => TryDuration(text, out var duration)
        ? duration
        : throw new UserException(ExitStatus.Unusable, $"{option} takes a duration such as 30m, 12h, 7d or 4w, not {text}");

    /// <summary>The time of an analyst's action, ns since 1970; never a time of packets.</summary>
    public static long NowNs() => (DateTime.UtcNow - DateTime.UnixEpoch).Ticks * 100;

    /// <summary>Writes a line of CSV.</summary>
    public static void Csv(TextWriter writer, params IEnumerable<object?> cells)
    {
        writer.Write(string.Join(',', cells.Select(Cell)) + "\n");

        static string Cell(object? cell)
        {
            var text = Convert.ToString(cell, CultureInfo.InvariantCulture) ?? "";

            // A cell that begins like a formula would be run by spreadsheets.
            if (cell is string && text is ['=' or '+' or '-' or '@', ..])
                text = "'" + text;
            return text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
        }
    }

    /// <summary>Reads a duration; false when the text is none.</summary>
    public static bool TryDuration(string text, out long duration)
    {
        duration = 0;
        if (text.Length < 2 || !double.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
            return false;
        double seconds = text[^1] switch { 's' => 1, 'm' => 60, 'h' => 3600, 'd' => 86_400, 'w' => 604_800, _ => 0 };
        if (seconds == 0 || number * seconds > 3.2e9)
            return false;
        duration = (long)(number * seconds * 1e9);
        return true;
    }
}
