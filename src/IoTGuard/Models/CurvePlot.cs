using System.Globalization;
using System.Net;
using System.Text;
using IoTGuard.Learning;

namespace IoTGuard.Models;

/// <summary>The receiver operating characteristic and precision over recall, side by side, as SVG.</summary>
internal static class CurvePlot
{
    private const int Left = 62, Top = 64, Size = 360, Gap = 96, Bottom = 64;
    private const string Ink = "#1f2933", Faint = "#d9dee3", Line = "#0b6e99", Mark = "#c2410c";

    /// <param name="title">What was evaluated.</param>
    /// <param name="curve">The curve.</param>
    /// <param name="figures">AUROC and average precision stand in the panels' titles.</param>
    /// <param name="baseRate">Share of anomalies: the precision of guessing.</param>
    /// <param name="budget">The point at the alert budget; null when there is none.</param>
    public static string Svg(string title, IReadOnlyList<CurvePoint> curve, IReadOnlyList<ModelFigure> figures, double baseRate, (double FalseShare, double Recall, double Precision)? budget)
    {
        var (width, height) = (Left + Size + Gap + Size + 24, Top + Size + Bottom);
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" font-family=\"DejaVu Sans, Helvetica, Arial, sans-serif\" font-size=\"12\" fill=\"{Ink}\">\n");
        svg.Append("<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left}\" y=\"24\" font-size=\"15\" font-weight=\"bold\">{WebUtility.HtmlEncode(title)}</text>\n");
        Panel(svg, Left, $"ROC: {Named(figures, "AUROC")}", "false share of benign rows", "recall");
        svg.Append(CultureInfo.InvariantCulture, $"<path d=\"M{Left},{Top + Size} L{Left + Size},{Top}\" stroke=\"{Faint}\" stroke-dasharray=\"5 4\" fill=\"none\"/>\n");
        Path(svg, Left, curve.Select(p => (p.FalseShare, p.Recall)));
        var right = Left + Size + Gap;
        Panel(svg, right, $"Precision over recall: average {Named(figures, "average precision")}", "recall", "precision");
        Path(svg, right, [(0, baseRate), (1, baseRate)], Faint, "5 4");
        Path(svg, right, Steps(curve));
        if (budget is { } b)
        {
            Dot(svg, Left, b.FalseShare, b.Recall);
            Dot(svg, right, b.Recall, b.Precision);
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left}\" y=\"{height - 8}\" fill=\"{Mark}\">● at the alert budget</text>\n");
        }

        svg.Append("</svg>\n");
        return svg.ToString();
    }

    /// <summary>Precision falls between two thresholds before recall grows: the curve goes in steps, as average precision counts it.</summary>
    private static IEnumerable<(double X, double Y)> Steps(IReadOnlyList<CurvePoint> curve)
    {
        var recall = 0.0;
        foreach (var point in curve.Skip(1))
        {
            yield return (recall, point.Precision);
            yield return (point.Recall, point.Precision);
            recall = point.Recall;
        }
    }

    private static void Panel(StringBuilder svg, int left, string title, string x, string y)
    {
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{left}\" y=\"{Top - 14}\">{WebUtility.HtmlEncode(title)}</text>\n");
        for (var tick = 0; tick <= 5; tick++)
        {
            var at = tick * Size / 5;
            var text = (tick / 5.0).ToString("0.0", CultureInfo.InvariantCulture);
            svg.Append(CultureInfo.InvariantCulture, $"<path d=\"M{left + at},{Top} V{Top + Size} M{left},{Top + at} H{left + Size}\" stroke=\"{Faint}\" stroke-width=\"0.6\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{left + at}\" y=\"{Top + Size + 17}\" text-anchor=\"middle\">{text}</text>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{left - 7}\" y=\"{Top + Size - at + 4}\" text-anchor=\"end\">{text}</text>\n");
        }

        svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{left}\" y=\"{Top}\" width=\"{Size}\" height=\"{Size}\" fill=\"none\" stroke=\"{Ink}\"/>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{left + (Size / 2)}\" y=\"{Top + Size + 36}\" text-anchor=\"middle\">{x}</text>");
        svg.Append(CultureInfo.InvariantCulture, $"<text transform=\"translate({left - 38},{Top + (Size / 2)}) rotate(-90)\" text-anchor=\"middle\">{y}</text>\n");
    }

    private static void Path(StringBuilder svg, int left, IEnumerable<(double X, double Y)> points, string colour = Line, string dashes = "none")
    {
        svg.Append("<path d=\"");
        var first = true;
        foreach (var (x, y) in points)
        {
            svg.Append(CultureInfo.InvariantCulture, $"{(first ? 'M' : 'L')}{left + (x * Size):0.#},{Top + ((1 - y) * Size):0.#} ");
            first = false;
        }

        svg.Append(CultureInfo.InvariantCulture, $"\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.8\" stroke-dasharray=\"{dashes}\" stroke-linejoin=\"round\"/>\n");
    }

    private static void Dot(StringBuilder svg, int left, double x, double y) =>
        svg.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{left + (x * Size):0.#}\" cy=\"{Top + ((1 - y) * Size):0.#}\" r=\"4.5\" fill=\"{Mark}\"/>\n");

    private static string Named(IReadOnlyList<ModelFigure> figures, string name) => figures.FirstOrDefault(f => f.Name == name) is { } f
        ? string.Create(CultureInfo.InvariantCulture, $"{f.Value:0.000} ({f.Low:0.000} to {f.High:0.000})")
        : "";
}
