using System.Globalization;
using System.Text.Json;
using IoTGuard.Learning;
using IoTGuard.Outputs;
using Spectre.Console;

namespace IoTGuard.Models;

/// <summary>What commands about models print alike.</summary>
internal static class ModelTables
{
    /// <param name="console">Where to.</param>
    /// <param name="figures">Figures that were measured on the same rows.</param>
    public static void WriteFigures(IAnsiConsole console, IReadOnlyList<ModelFigure> figures)
    {
        var table = Terminal.Table("Figure", "Value", "95 % interval");
        foreach (var figure in figures)
        {
            table.AddRow(
                new Text(figure.Name),
                new Text(Number(figure.Value)).RightJustified(),
                new Text(double.IsNaN(figure.Low) ? "-" : $"{Number(figure.Low)} to {Number(figure.High)}"));
        }

        console.Write(table);
        console.WriteLine($"Measured on {figures[0].Data}");
    }

    public static void WriteFigures(Utf8JsonWriter json, IEnumerable<ModelFigure> figures)
    {
        json.WriteStartArray("figures");
        foreach (var figure in figures)
        {
            json.WriteStartObject();
            json.WriteString("name", figure.Name);
            WriteNumber(json, "value", figure.Value);
            WriteNumber(json, "low", figure.Low);
            WriteNumber(json, "high", figure.High);
            json.WriteString("data", figure.Data);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>JSON has no NaN: a number that is not finite is null.</summary>
    public static void WriteNumber(Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value))
            json.WriteNumber(name, Math.Round(value, 9));
        else
            json.WriteNull(name);
    }

    public static string Number(double value) => double.IsNaN(value) ? "-" : value.ToString(Math.Abs(value) is >= 0.0001 and < 1e6 or 0 ? "0.####" : "0.##e0", CultureInfo.InvariantCulture);

    /// <summary>A model's engine and its parameters in a few words.</summary>
    public static string Engine(AnomalyModel model) => model.Info.Training is { Engine.Length: > 0 } training
        ? $"{training.Engine} ({string.Join(", ", training.Parameters.Select(p => $"{p.Key} {Number(p.Value)}"))})"
        : "made elsewhere";
}
