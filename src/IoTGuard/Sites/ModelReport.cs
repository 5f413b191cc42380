using IoTGuard.Analysis;
using IoTGuard.Analysis.Features;
using IoTGuard.Learning;

namespace IoTGuard.Sites;

/// <summary>What learning says about the models that it made, or did not make.</summary>
internal static class ModelReport
{
    /// <summary>What became of the model, for people.</summary>
    public static string Describe(ModelSet? set, FlowSample sample) => set?.Entries[0].Model.Info.Training is not { } training
        ? $"not trained: {sample.Count:N0} flows were seen and {FlowModel.MinimumRows:N0} are needed; the models that were there before are kept"
        : $"isolation forest of {training.Parameters["trees"]} trees, trained on {training.Rows:N0} flows, calibrated on {sample.Count - training.Rows:N0} later ones";

    /// <summary>The model's card as Markdown.</summary>
    public static string Card(ModelSet set, double flowsPerHour)
    {
        using var text = new StringWriter { NewLine = "\n" };
        var card = ModelCard.Of(set.Entries[0].Model, "flow-anomaly", "Finds flows that are unlike the benign flows of the site it was trained at.") with
        {
            Budget = new AlertBudget(new DetectorOptions().AlertBudgetPerDay, Math.Max(1, flowsPerHour * 24)),
            Limits =
            [
                "It knows the site it was trained at; elsewhere its p-values are not calibrated until that site has learned.",
                "It sees flows, not contents: what an attack does within normal volumes and rhythms is for the rules.",
            ],
        };
        card.WriteMarkdown(text);
        return text.ToString();
    }
}
