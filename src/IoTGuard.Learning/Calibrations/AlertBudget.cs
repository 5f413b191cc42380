namespace IoTGuard.Learning;

/// <summary>How many false alerts a site accepts, against how much it has to judge.</summary>
/// <param name="AlertsPerDay">False alerts per day that are acceptable; above 0.</param>
/// <param name="FlowsPerDay">Flows (or whatever is scored) expected per day; above 0.</param>
public readonly record struct AlertBudget(double AlertsPerDay, double FlowsPerDay)
{
    /// <summary>Rows with a p-value at or below this are alerts: with benign traffic alone the budget is kept on average.</summary>
    public double PThreshold => AlertsPerDay > 0 && FlowsPerDay > 0
        ? Math.Min(1, AlertsPerDay / FlowsPerDay)
        : throw new InvalidOperationException("an alert budget needs alerts per day and flows per day above 0");
}
