using System.Globalization;
using System.Text.Json;
using IoTGuard.Outputs;
using Spectre.Console;

namespace IoTGuard.Commands.Models;

/// <summary>Rows of text as a table, as JSON or as CSV.</summary>
internal static class ModelList
{
    public static void Write(ListFormat format, string[] names, IReadOnlyList<string[]> rows)
    {
        switch (format)
        {
            case ListFormat.Json:
                WriteJson(names, rows);
                break;
            case ListFormat.Csv:
                foreach (var row in rows.Prepend(names))
                    Console.Out.WriteLine(string.Join(',', row.Select(Quoted)));
                break;
            default:
                if (rows.Count > 0)
                    WriteTable(names, rows);
                break;
        }
    }

    private static void WriteTable(string[] names, IReadOnlyList<string[]> rows)
    {
        var table = Terminal.Table([.. names.Select(n => char.ToUpperInvariant(n[0]) + n[1..].Replace('_', ' '))]);
        table.Columns[^1].NoWrap = false;
        foreach (var row in rows)
            table.AddRow(row.Select(cell => IsNumber(cell) ? new Text(cell).RightJustified() : new Text(cell)));
        Terminal.Output.Write(table);
    }

    private static void WriteJson(string[] names, IReadOnlyList<string[]> rows)
    {
        JsonForm.Print(json =>
        {
            json.WriteStartArray();
            foreach (var row in rows)
            {
                json.WriteStartObject();
                for (var i = 0; i < names.Length; i++)
                {
                    if (row[i] is "-" or "")
                        json.WriteNull(names[i]);
                    else if (names[i] != "version" && IsNumber(row[i]))
                        json.WriteNumber(names[i], double.Parse(row[i], CultureInfo.InvariantCulture));
                    else
                        json.WriteString(names[i], row[i]);
                }

                json.WriteEndObject();
            }

            json.WriteEndArray();
        });
    }

    private static bool IsNumber(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _);

    private static string Quoted(string cell) => cell.AsSpan().IndexOfAny(",\"\r\n") < 0 ? cell : $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
