namespace IoTGuard.Learning;

/// <summary>The figures that a model is judged by.</summary>
public static class ModelFigures
{
    /// <summary>Figures of scores against labels.</summary>
    /// <param name="scores">Higher means more anomalous.</param>
    /// <param name="anomalous">Per score, whether the row is an anomaly; both kinds are there.</param>
    /// <param name="pValues">P-values of the same rows; null without calibration.</param>
    /// <param name="budget">The alert budget; null takes one false alert in a thousand rows.</param>
    /// <param name="data">On what they are measured.</param>
    public static IReadOnlyList<ModelFigure> Labelled(float[] scores, bool[] anomalous, double[]? pValues, AlertBudget? budget, string data)
    {
        var figures = new List<ModelFigure>
        {
            Of("AUROC", Estimate.Of(scores, anomalous, static (s, a) => Metrics.AreaUnderRoc(s, a)), data),
            Of("average precision", Estimate.Of(scores, anomalous, static (s, a) => Metrics.AveragePrecision(s, a)), data),
        };
        var share = budget?.PThreshold ?? 0.001;
        var name = budget is { } b ? $"at the budget of {b.AlertsPerDay:0.###} alerts a day" : "at p ≤ 0.001";
        if (pValues is not null)
        {
            var (found, all) = Count(pValues, anomalous, share, wanted: true);
            figures.Add(Of($"recall {name}", Estimate.Share(found, all), data));
            var (wrong, benign) = Count(pValues, anomalous, share, wanted: false);
            figures.Add(Of($"false share {name}", Estimate.Share(wrong, benign), data));
            if (found + wrong > 0)
                figures.Add(Of($"precision {name}", Estimate.Share(found, found + wrong), data));
        }

        figures.Add(Of("recall at 1 % false", Estimate.Of(scores, anomalous, static (s, a) => Metrics.RecallAt(s, a, 0.01)), data));
        return figures;
    }

    /// <summary>Figures of rows that should all be benign: is the budget kept?</summary>
    public static IReadOnlyList<ModelFigure> Unlabelled(double[] pValues, string data) =>
    [
        .. ((double[])[0.05, 0.01, 0.001]).Where(p => pValues.Length * p >= 5)
            .Select(p => Of($"share with p ≤ {p}", Estimate.Share(pValues.Count(v => v <= p), pValues.Length), data)),
    ];

    private static (int Some, int All) Count(double[] pValues, bool[] anomalous, double threshold, bool wanted)
    {
        var (some, all) = (0, 0);
        for (var i = 0; i < pValues.Length; i++)
        {
            if (anomalous[i] != wanted)
                continue;
            all++;
            some += pValues[i] <= threshold ? 1 : 0;
        }

        return (some, all);
    }

    private static ModelFigure Of(string name, Estimate estimate, string data) => new(name, estimate.Value, "", data) { Low = estimate.Low, High = estimate.High };
}
