using System.Globalization;
using System.Text.Json;

namespace IoTGuard.Learning;

/// <summary>One measured figure of a model.</summary>
/// <param name="Name">What was measured, such as "AUROC".</param>
/// <param name="Value">The value.</param>
/// <param name="Unit">Its unit; empty for a plain number.</param>
/// <param name="Data">On what it was measured.</param>
public sealed record ModelFigure(string Name, double Value, string Unit, string Data)
{
    /// <summary>Lower end of the interval that holds it in 95 of 100 samples of such data; NaN when it is not known.</summary>
    public double Low { get; init; } = double.NaN;

    /// <summary>Upper end of that interval.</summary>
    public double High { get; init; } = double.NaN;
}

/// <summary>What a person must know before using a model: what it is for, what it was trained on, what it reached, where it ends.</summary>
public sealed record ModelCard
{
    /// <summary>Name of the model.</summary>
    public required string Name { get; init; }

    /// <summary>What it is to be used for, in a sentence or two.</summary>
    public required string Purpose { get; init; }

    /// <summary>What it must not be taken for, one limit each.</summary>
    public IReadOnlyList<string> Limits { get; init; } = [];

    /// <summary>What the model file says about itself.</summary>
    public required ModelInfo Info { get; init; }

    /// <summary>Its calibration, when it has one.</summary>
    public Calibration? Calibration { get; init; }

    /// <summary>The alert budget that it was calibrated for, when it was.</summary>
    public AlertBudget? Budget { get; init; }

    /// <summary>What was measured.</summary>
    public IReadOnlyList<ModelFigure> Figures { get; init; } = [];

    /// <summary>The card of a model, to be completed with <c>with</c>.</summary>
    public static ModelCard Of(AnomalyModel model, string name, string purpose) =>
        new() { Name = name, Purpose = purpose, Info = model.Info, Calibration = model.Calibration };

    /// <summary>Writes the card for people, as Markdown; the same card gives the same text.</summary>
    public void WriteMarkdown(TextWriter text)
    {
        text.Write($"# {Name}\n\n{Purpose}\n\n");
        text.Write($"- Feature schema: `{Info.SchemaHash}`, {Info.Features.Count} features\n- Written by IoTGuard {Info.ProgramVersion}\n");
        if (Info.Training is { } training)
        {
            var parameters = string.Join(", ", training.Parameters.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Key} {Number(p.Value)}"));
            text.Write($"- Trained on {training.Source}: {training.Rows} rows, engine {training.Engine} ({parameters}), seed {training.Seed}\n");
        }

        if (Calibration is { } calibration)
        {
            text.Write($"- Calibrated on {calibration.SampleCount} held-out benign rows, {calibration.Scores.Length} points kept");
            if (calibration.Tail is { } tail)
                text.Write($"; tail above {Number(tail.Threshold)}: scale {Number(tail.Scale)}, shape {Number(tail.Shape)}, {tail.Exceedances} exceedances");
            text.Write('\n');
        }

        if (Budget is { } budget)
        {
            text.Write($"- Alert budget: {Number(budget.AlertsPerDay)} a day of {budget.FlowsPerDay.ToString("N0", CultureInfo.InvariantCulture)} rows, p ≤ {Number(budget.PThreshold)}");
            text.Write(Calibration?.ScoreAt(budget.PThreshold) switch
            {
                null => "\n",
                var score when float.IsFinite(score.Value) => $", score ≥ {Number(score.Value)}\n",
                _ => ", which no score reaches with so few calibration rows\n",
            });
        }

        WriteTable(text, "Figures", ["Figure", "Value", "95 % interval", "Unit", "Measured on"], Figures.Select(f => (string[])[f.Name, Number(f.Value), Interval(f), f.Unit, f.Data]));
        if (Limits.Count > 0)
            text.Write($"\n## Limits\n\n{string.Concat(Limits.Select(limit => $"- {limit}\n"))}");
        WriteTable(
            text,
            "Features",
            ["Feature", "Unit", "1 %", "Median", "99 %"],
            Info.Features.Select(f => (string[])[f.Name, f.Unit, Number(f.Low), Number(f.Median), Number(f.High)]));
    }

    /// <summary>Writes the card for programs, as JSON in snake_case.</summary>
    public void WriteJson(Stream stream)
    {
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteString("name", Name);
        json.WriteString("purpose", Purpose);
        json.WriteStartArray("limits");
        foreach (var limit in Limits)
            json.WriteStringValue(limit);
        json.WriteEndArray();
        json.WriteString("schema_hash", Info.SchemaHash);
        json.WriteString("iotguard_version", Info.ProgramVersion);
        json.WritePropertyName("features");
        ModelMetadata.WriteFeatures(json, Info.Features);
        if (Info.Training is { } training)
        {
            json.WritePropertyName("training");
            ModelMetadata.WriteTraining(json, training);
        }

        if (Calibration is { } calibration)
        {
            json.WriteStartObject("calibration");
            json.WriteNumber("samples", calibration.SampleCount);
            ModelMetadata.WriteTail(json, calibration);
            json.WriteEndObject();
        }

        if (Budget is { } budget)
        {
            json.WriteStartObject("alert_budget");
            json.WriteNumber("alerts_per_day", budget.AlertsPerDay);
            json.WriteNumber("flows_per_day", budget.FlowsPerDay);
            json.WriteNumber("p_threshold", budget.PThreshold);
            json.WriteEndObject();
        }

        json.WriteStartArray("figures");
        foreach (var figure in Figures)
        {
            json.WriteStartObject();
            json.WriteString("name", figure.Name);
            WriteFinite("value", figure.Value);
            WriteFinite("low", figure.Low);
            WriteFinite("high", figure.High);
            json.WriteString("unit", figure.Unit);
            json.WriteString("data", figure.Data);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();

        void WriteFinite(string name, double value)
        {
            if (double.IsFinite(value))
                json.WriteNumber(name, value);
            else
                json.WriteNull(name);
        }
    }

    private static string Interval(ModelFigure figure) => double.IsNaN(figure.Low) ? "–" : $"{Number(figure.Low)} to {Number(figure.High)}";

    private static void WriteTable(TextWriter text, string title, string[] header, IEnumerable<string[]> rows)
    {
        var lines = rows.ToList();
        if (lines.Count == 0)
            return;
        text.Write($"\n## {title}\n\n| {string.Join(" | ", header)} |\n|{string.Concat(header.Select(_ => "---|"))}\n");
        foreach (var cells in lines)
            text.Write($"| {string.Join(" | ", cells.Select(c => c.Replace("|", "\\|", StringComparison.Ordinal)))} |\n");
    }

    private static string Number(double value) => double.IsNaN(value) ? "–" : value.ToString("G4", CultureInfo.InvariantCulture);
}
