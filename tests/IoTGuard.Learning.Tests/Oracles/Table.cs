using IoTGuard.TestSupport;

namespace IoTGuard.Learning.Tests.Oracles;

/// <summary>
/// A labelled table split as the published comparisons do it: one half of the normal rows to train, the other half and all anomalies
/// to test.
/// </summary>
internal sealed record Table(string Name, FeatureMatrix Train, FeatureMatrix Test, bool[] Anomalous)
{
    public static IEnumerable<string> Names => ["annthyroid", "cardio", "mammography", "satellite", "shuttle", "smtp", "wustl-ehms-2020"];

    /// <summary>Reads a table; skips the running test when it is absent.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="mostTestRows">Of each class at most this many rows are tested.</param>
    public static Table LoadOrSkip(string name, int mostTestRows)
    {
        var medical = name == "wustl-ehms-2020";
        var path = medical
            ? Repository.SharedDataOrSkip("tables", name, "wustl-ehms-2020_with_attacks_categories.csv")
            : Repository.SharedDataOrSkip("tables", "adbench", name + ".csv");
        var header = File.ReadLines(path).First().Split(',');
        using var file = File.OpenRead(path);
        var all = FeatureCsv.Read(file, [.. medical ? WustlNetworkColumns : header[..^1], header[^1]]);
        var labels = all.Column(header[^1]);
        var features = all.SelectColumns([.. all.Columns.Take(all.ColumnCount - 1)]);

        var random = new Xoshiro256(2026);
        var normal = Shuffled(labels, 0, ref random);
        var anomalies = Shuffled(labels, 1, ref random);
        var train = normal[..(normal.Length / 2)];
        int[] test = [.. normal[train.Length..].Take(mostTestRows), .. anomalies.Take(mostTestRows)];
        return new Table(name, features.SelectRows(train), features.SelectRows(test), Array.ConvertAll(test, row => labels[row] == 1));
    }

    /// <summary>Published AUROC in percent of an isolation forest trained on normal rows, where there is one.</summary>
    public double? Published => Oracles.Published.OnNormalRows(Name, "iforest");

    /// <summary>Labels of the training rows; null when they are all normal.</summary>
    public bool[]? TrainAnomalous { get; init; }

    /// <summary>The same table for who learns from labels: every second anomaly moves from the tested rows to the training rows.</summary>
    public Table WithLabels()
    {
        var learned = Enumerable.Range(0, Anomalous.Length).Where(r => Anomalous[r]).Where((_, i) => i % 2 == 0).ToHashSet();
        var train = Train.SelectRows([.. Enumerable.Range(0, Train.RowCount)]);
        foreach (var row in learned)
            train.AddRow(Test.Row(row));
        int[] tested = [.. Enumerable.Range(0, Anomalous.Length).Where(r => !learned.Contains(r))];
        return new Table(Name, train, Test.SelectRows(tested), Array.ConvertAll(tested, r => Anomalous[r]))
        {
            TrainAnomalous = [.. Enumerable.Range(0, train.RowCount).Select(r => r >= Train.RowCount)],
        };
    }

    public FeatureMatrix LabelColumn()
    {
        var matrix = new FeatureMatrix(["label"]);
        foreach (var anomalous in Anomalous)
            matrix.AddRow([anomalous ? 1 : 0]);
        return matrix;
    }

    private static int[] Shuffled(float[] labels, float label, ref Xoshiro256 random)
    {
        int[] rows = [.. Enumerable.Range(0, labels.Length).Where(r => labels[r] == label)];
        for (var i = rows.Length - 1; i > 0; i--)
        {
            var j = random.Next(i + 1);
            (rows[i], rows[j]) = (rows[j], rows[i]);
        }

        return rows;
    }

    /// <summary>Without addresses, ports, counters of the capture, and SrcMac, which equals the label.</summary>
    private static readonly string[] WustlNetworkColumns =
    [
        "SrcBytes", "DstBytes", "SrcLoad", "DstLoad", "SrcGap", "DstGap", "SIntPkt", "DIntPkt", "SIntPktAct", "DIntPktAct", "SrcJitter", "DstJitter",
        "sMaxPktSz", "dMaxPktSz", "sMinPktSz", "dMinPktSz", "Dur", "Trans", "TotPkts", "TotBytes", "Load", "Loss", "pLoss", "pSrcLoss", "pDstLoss", "Rate",
    ];
}
