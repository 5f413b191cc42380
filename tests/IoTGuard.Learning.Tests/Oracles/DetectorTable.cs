using System.Globalization;
using IoTGuard.Learning.Training;
using IoTGuard.TestSupport;

namespace IoTGuard.Learning.Tests.Oracles;

/// <summary>
/// Writes the tables of <c>docs/detectors.md</c>. The writing is not part of the suite, it is asked for by name:
/// <c>dotnet run -c Release --project tests/IoTGuard.Learning.Tests -- -explicit only -class "*DetectorTable"</c>.
/// </summary>
public sealed class DetectorTable
{
    private const int Seeds = 5;

    [Fact(Explicit = true)]
    public void Write()
    {
        using var oracle = new Oracle("sklearn");
        Table[] tables = [.. Table.Names.Select(name => Table.LoadOrSkip(name, int.MaxValue))];
        var theirs = Ask(oracle, tables);
        using var text = new StringWriter();
        Section(text, "AUROC", tables, theirs, r => r.AreaUnderRoc);
        Section(text, "Average precision", tables, theirs, r => r.AveragePrecision);
        WritePublished(text);
        WrittenPart.ReplaceIn(Repository.PathOf("docs", "detectors.md"), nameof(DetectorTable), text.ToString());
    }

    [Fact]
    public void The_page_holds_every_published_figure()
    {
        using var published = new StringWriter();
        WritePublished(published);
        Assert.Contains(published.ToString(), File.ReadAllText(Repository.PathOf("docs", "detectors.md")), StringComparison.Ordinal);
    }

    private static void Section(TextWriter text, string title, Table[] tables, Dictionary<(string Engine, string Table), Run[]> theirs, Func<Run, double> figure)
    {
        text.Write($"\n## {title}\n\n| Table | {string.Join(" | ", OwnEngines.All.Select(e => theirs.ContainsKey((e.Name, tables[0].Name)) ? $"{e.Name} | scikit-learn" : e.Name))} |\n");
        text.Write($"|---|{string.Concat(OwnEngines.All.Select(e => theirs.ContainsKey((e.Name, tables[0].Name)) ? "---|---|" : "---|"))}\n");
        foreach (var table in tables)
        {
            var cells = new List<string> { table.Name };
            foreach (var engine in OwnEngines.All)
            {
                cells.Add(Spread(Runs(engine, table).Select(figure)));
                if (theirs.TryGetValue((engine.Name, table.Name), out var runs))
                    cells.Add(Spread(runs.Select(figure)));
            }

            text.Write($"| {string.Join(" | ", cells)} |\n");
        }
    }

    private static void WritePublished(TextWriter text)
    {
        text.Write($"""

            ## Published

            AUROC as others published it, percent. Only figures that could be looked up are here, "none known" where there were none. Who trains with anomalies among the rows gets lower ones.

            | Table | {string.Join(" | ", OwnEngines.All.Select(e => e.Name))} |
            |---|{string.Concat(OwnEngines.All.Select(_ => "---|"))}

            """.ReplaceLineEndings("\n"));
        foreach (var table in Table.Names)
            text.Write($"| {table} | {string.Join(" | ", OwnEngines.All.Select(e => Published.Of(table, e.Name)))} |\n");
        text.Write("\n");
        foreach (var (key, source) in Published.Sources)
            text.Write($"- [{key}] {source}.\n");
    }

    private static readonly Dictionary<(string, string), Run[]> Known = [];

    private static Run[] Runs(TrainingEngine engine, Table table)
    {
        if (Known.TryGetValue((engine.Name, table.Name), out var known))
            return known;
        var split = engine.NeedsLabels ? table.WithLabels() : table;
        var seeds = engine.Name is "hbos" or "ecod" or "pca" ? 1 : Seeds;
        return Known[(engine.Name, table.Name)] = [.. Enumerable.Range(0, seeds).Select(seed =>
        {
            var model = engine.Train(
                new TrainingTask { Rows = split.Train, Anomalous = split.TrainAnomalous, Seed = (ulong)seed, Parameters = engine.Complete() },
                new TrainingSchema("", [.. split.Train.Columns.Select(_ => "1")], table.Name, "0.1.0"));
            var scores = Samples.Scores(model, split.Test);
            return new Run(Metrics.AreaUnderRoc(scores, split.Anomalous), Metrics.AveragePrecision(scores, split.Anomalous));
        })];
    }

    /// <summary>One run per seed: engine, table, seed, AUROC, average precision.</summary>
    private static Dictionary<(string Engine, string Table), Run[]> Ask(Oracle oracle, Table[] tables)
    {
        foreach (var table in tables)
        {
            oracle.Write($"{table.Name}.train.csv", table.Train);
            oracle.Write($"{table.Name}.test.csv", table.Test);
            oracle.Write($"{table.Name}.labels.csv", table.LabelColumn());
        }

        var lines = oracle.Ask(["detectors", Seeds.ToString(CultureInfo.InvariantCulture), .. tables.Select(t => t.Name)]).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return lines.Select(line => line.Split(' ')).GroupBy(parts => (parts[0], parts[1]))
            .ToDictionary(g => g.Key, g => g.Select(p => new Run(double.Parse(p[2], CultureInfo.InvariantCulture), double.Parse(p[3], CultureInfo.InvariantCulture))).ToArray());
    }

    private static string Spread(IEnumerable<double> values)
    {
        var all = values.ToArray();
        var mean = all.Average();
        var spread = Math.Sqrt(all.Average(v => (v - mean) * (v - mean)));
        return all.Length == 1 ? $"{mean * 100:F1}" : $"{mean * 100:F1} ± {spread * 100:F1}";
    }

    private sealed record Run(double AreaUnderRoc, double AveragePrecision);
}
