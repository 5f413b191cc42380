using IoTGuard.Analysis;

namespace IoTGuard.Outputs;

/// <summary>What the models, and their shadow, made of a run, for people.</summary>
internal static class ModelSummary
{
    /// <summary>One line; empty when there are no models, or nothing to judge.</summary>
    public static string Of(Detector detector)
    {
        var (flows, windows) = (detector.FlowFigures, detector.WindowFigures);
        if (flows.Scored + windows.Scored == 0)
            return "";
        var text = $"{RunSummary.Number(flows.Scored)} flows and {RunSummary.Number(windows.Scored)} device minutes judged, {RunSummary.Number(flows.Rare + windows.Rare)} rare enough for an alert";
        if (detector.ModelsOverBudget > 0)
            text += $" ({RunSummary.Number(detector.ModelsOverBudget)} beyond the budget)";
        if (!detector.HasShadow)
            return text;
        var (shadow, both) = (flows.ShadowRare + windows.ShadowRare, flows.BothRare + windows.BothRare);
        return $"{text}; to the shadow {RunSummary.Number(shadow)}, {RunSummary.Number(both)} of them the same";
    }
}
