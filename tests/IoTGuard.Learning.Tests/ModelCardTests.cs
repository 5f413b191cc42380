using System.Text;
using System.Text.Json;

namespace IoTGuard.Learning.Tests;

public sealed class ModelCardTests
{
    private static ModelCard Card()
    {
        var data = Samples.Cloud(1000, 3, seed: 61);
        var model = Samples.Model(data);
        model = model.WithCalibration(Calibration.Fit(Samples.Scores(model, Samples.Cloud(4000, 3, seed: 62))));
        return ModelCard.Of(model, "Test | forest", "Shows how a card looks.") with
        {
            Budget = new AlertBudget(10, 2e6),
            Figures = [new("AUROC", 0.9876, "", "a|b")],
            Limits = ["Knows one cloud."],
        };
    }

    [Fact]
    public void TheMarkdownSaysWhatAPersonMustKnow()
    {
        using var text = new StringWriter();
        Card().WriteMarkdown(text);
        var card = text.ToString();
        Assert.StartsWith("# Test | forest\n\nShows how a card looks.\n\n- Feature schema: `5f1e0c4b`, 3 features\n", card, StringComparison.Ordinal);
        Assert.Contains("- Trained on synthetic cloud: 1000 rows, engine iforest (sample_size 256, trees 100), seed 1\n- Calibrated on 4000 held-out benign rows", card, StringComparison.Ordinal);
        Assert.Contains("- Alert budget: 10 a day of 2,000,000 rows, p ≤ 5E-06, score ≥ 0.", card, StringComparison.Ordinal);
        Assert.Contains("| AUROC | 0.9876 | – |  | a\\|b |\n", card, StringComparison.Ordinal);
        Assert.Contains("\n## Limits\n\n- Knows one cloud.\n", card, StringComparison.Ordinal);
        Assert.Contains("| f2 | 1 | -2.", card, StringComparison.Ordinal);
    }

    [Fact]
    public void ABudgetThatNoScoreReachesIsSaid()
    {
        using var text = new StringWriter();
        (Card() with { Calibration = Calibration.Fit([.. Enumerable.Range(0, 20).Select(i => (float)i)]) }).WriteMarkdown(text);
        Assert.Contains("p ≤ 5E-06, which no score reaches with so few calibration rows\n", text.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void TheJsonSaysTheSame()
    {
        using var stream = new MemoryStream();
        Card().WriteJson(stream);
        using var json = JsonDocument.Parse(Encoding.UTF8.GetString(stream.ToArray()));
        var root = json.RootElement;
        Assert.Equal("5f1e0c4b", root.GetProperty("schema_hash").GetString());
        Assert.Equal(3, root.GetProperty("features").GetArrayLength());
        Assert.Equal(5e-6, root.GetProperty("alert_budget").GetProperty("p_threshold").GetDouble(), 1e-12);
        Assert.Equal(4000, root.GetProperty("calibration").GetProperty("samples").GetInt32());
        Assert.Equal(80, root.GetProperty("calibration").GetProperty("tail").GetProperty("exceedances").GetInt32());
        Assert.Equal(0.9876, root.GetProperty("figures")[0].GetProperty("value").GetDouble());
    }
}
