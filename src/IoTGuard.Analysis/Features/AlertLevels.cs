using IoTGuard.Analysis.Baselines;
using IoTGuard.Learning;

namespace IoTGuard.Analysis.Features;

/// <summary>
/// The p-values at which rows become alerts, so that a site's benign traffic costs no more than its alert budget: the budget is halved between flows
/// and windows (Bonferroni) when both are judged, and each half is spread over what the site has of them in a day.
/// </summary>
/// <param name="Flows">Level of flows.</param>
/// <param name="Windows">Level of windows.</param>
public readonly record struct AlertLevels(double Flows, double Windows)
{
    private const double HoursPerDay = 24;

    /// <summary>The levels of a site.</summary>
    /// <param name="budgetPerDay">Alerts per day that are acceptable; above 0.</param>
    /// <param name="site">Says how much there is to judge.</param>
    /// <param name="hasWindows">Whether windows are judged beside flows.</param>
    public static AlertLevels Of(double budgetPerDay, Site site, bool hasWindows)
    {
        var each = hasWindows ? budgetPerDay / 2 : budgetPerDay;
        return new AlertLevels(Level(each, site.ScoredFlowsPerHour), Level(each, site.ScoredWindowsPerHour));
    }

    /// <summary>The level of one kind of rows.</summary>
    public double Of(ModelInput input) => input == ModelInput.Flows ? Flows : Windows;

    private static double Level(double perDay, double rowsPerHour) => new AlertBudget(perDay, Math.Max(1, rowsPerHour * HoursPerDay)).PThreshold;
}
