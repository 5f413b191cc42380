using IoTGuard.Learning;

namespace IoTGuard.Models;

/// <summary>A model held against a table: scores, p-values, figures, and the curve when there are labels of both kinds.</summary>
internal sealed record ModelEvaluation
{
    public required AnomalyModel Model { get; init; }

    public required FeatureTable Table { get; init; }

    public required float[] Scores { get; init; }

    /// <summary>Null for a model without calibration.</summary>
    public double[]? PValues { get; init; }

    public AlertBudget? Budget { get; init; }

    public IReadOnlyList<ModelFigure> Figures { get; init; } = [];

    /// <summary>Null without labels of both kinds.</summary>
    public IReadOnlyList<CurvePoint>? Curve { get; init; }

    /// <summary>Rows that would be alerts at the budget; null without budget or calibration.</summary>
    public int? Alerts => Budget is { } budget ? PValues?.Count(p => p <= budget.PThreshold) : null;

    /// <summary>Whether there are labels of both kinds.</summary>
    public bool IsLabelled => Curve is not null;

    public static ModelEvaluation Of(AnomalyModel model, FeatureTable table, double alertsPerDay)
    {
        var rows = table.Table.Rows;
        var scores = new float[rows.RowCount];
        model.Score(rows.Values, rows.RowCount, scores);
        if (Array.FindIndex(scores, float.IsNaN) is >= 0 and var bad)
            throw new UserException(ExitStatus.Unusable, $"the model gives no score for row {bad + 1} of {table.Name}: a missing value that it does not know; fill such values, or train a model that takes them");
        var pValues = model.Calibration is { } calibration ? Array.ConvertAll(scores, s => calibration.PValue(s)) : null;
        var anomalous = table.Table.Anomalous;
        var labelled = anomalous is not null && table.Table.AnomalyCount > 0 && table.Table.BenignCount > 0;
        var benign = table.Table.BenignCount;
        AlertBudget? budget = table.Hours > 0 && alertsPerDay > 0 && benign > 0 ? new AlertBudget(alertsPerDay, Math.Max(1, benign / table.Hours * 24)) : null;
        return new ModelEvaluation
        {
            Model = model,
            Table = table,
            Scores = scores,
            PValues = pValues,
            Budget = budget,
            Figures = labelled ? ModelFigures.Labelled(scores, anomalous!, pValues, budget, table.Name)
                : pValues is null ? [] : ModelFigures.Unlabelled(pValues, table.Name),
            Curve = labelled ? Learning.Curve.Of(scores, anomalous!) : null,
        };
    }

    /// <summary>Where the budget lies on the curves.</summary>
    public (double FalseShare, double Recall, double Precision)? AtBudget()
    {
        if (Budget is not { } budget || PValues is null || !IsLabelled)
            return null;
        int found = 0, wrong = 0, anomalies = 0;
        for (var i = 0; i < PValues.Length; i++)
        {
            anomalies += Table.Table.Anomalous![i] ? 1 : 0;
            if (PValues[i] <= budget.PThreshold)
                (found, wrong) = Table.Table.Anomalous[i] ? (found + 1, wrong) : (found, wrong + 1);
        }

        return ((double)wrong / (PValues.Length - anomalies), (double)found / anomalies, found + wrong == 0 ? 1 : (double)found / (found + wrong));
    }
}
