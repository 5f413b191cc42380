using System.Text.Json;
using IoTGuard.Tests.Analysts;

namespace IoTGuard.Tests.DataScientists;

/// <summary>From tables to models to a site that uses them, by the real program.</summary>
public sealed class ModelCommandTests : IClassFixture<ModelCommandTests.Tables>
{
    private readonly Tables _tables;

    public ModelCommandTests(Tables tables) => _tables = tables;

    [Theory]
    [InlineData("iforest")]
    [InlineData("ecod")]
    [InlineData("hbos")]
    [InlineData("pca")]
    public void A_model_is_trained_with_its_card_and_evaluated(string engine)
    {
        using var folder = new TemporaryFolder();
        var run = ProgramRun.Of("train", _tables.Benign, "--engine", engine, "--out", folder["m.onnx"], "--folds", "3");
        Assert.True(run.Status == 0, run.Error);
        var card = AnalysedSite.Parse(File.ReadAllText(folder["m.card.json"]));
        Assert.Equal(engine, card.GetProperty("training").GetProperty("engine").GetString());
        Assert.True(card.GetProperty("calibration").GetProperty("samples").GetInt32() > 100);
        Assert.True(card.GetProperty("figures").GetArrayLength() > 0);
        Assert.Contains("| 95 % interval |", File.ReadAllText(folder["m.card.md"]), StringComparison.Ordinal);

        var evaluated = ProgramRun.Of("evaluate", "--model", folder["m.onnx"], "--data", _tables.Attacks, "--labels", Tables.Labels, "--curves", folder["c.svg"], "--json");
        Assert.True(evaluated.Status == 0, evaluated.Error);
        var figures = AnalysedSite.Parse(evaluated.Output).GetProperty("figures").EnumerateArray().ToDictionary(f => f.GetProperty("name").GetString()!, f => f, StringComparer.Ordinal);
        var area = figures["AUROC"];
        Assert.InRange(area.GetProperty("value").GetDouble(), 0.55, 1);
        Assert.InRange(area.GetProperty("value").GetDouble(), area.GetProperty("low").GetDouble(), area.GetProperty("high").GetDouble());
        Assert.StartsWith("<svg ", File.ReadAllText(folder["c.svg"]), StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_seed_gives_the_same_file_and_a_file_of_parameters_is_heard()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["p.yaml"], "engine: iforest\nseed: 7\ntrees: 20\nfolds: 0\n");
        foreach (var name in (string[])["a.onnx", "b.onnx"])
            Assert.Equal(0, ProgramRun.Of("train", _tables.Benign, "--parameters", folder["p.yaml"], "--out", folder[name]).Status);
        Assert.Equal(File.ReadAllBytes(folder["a.onnx"]), File.ReadAllBytes(folder["b.onnx"]));
        var shown = ProgramRun.Of("models", "show", folder["a.onnx"]);
        Assert.Contains("trees 20", shown.Output, StringComparison.Ordinal);
        Assert.Contains("seed 7", shown.Output, StringComparison.Ordinal);
        Assert.Contains("payload_out", shown.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_site_learns_its_models_from_tables_and_keeps_what_it_knows_of_devices()
    {
        using var folder = new TemporaryFolder();
        var site = folder["site"];
        Assert.Equal(0, ProgramRun.Of("learn", AnalysedSite.Benign, "--site", site).Status);
        var devices = File.ReadAllBytes(Path.Combine(site, "devices.jsonl"));
        var learned = ProgramRun.Of("learn", _tables.Benign, "--site", site);
        Assert.True(learned.Status == 0, learned.Error);
        Assert.Equal(devices, File.ReadAllBytes(Path.Combine(site, "devices.jsonl")));
        var listed = ProgramRun.Of("models", "list", "--site", site);
        Assert.Contains("0002", listed.Output, StringComparison.Ordinal);
        Assert.Contains(Path.GetFileName(_tables.Benign), listed.Output, StringComparison.Ordinal);

        var mixed = ProgramRun.Of("learn", _tables.Benign, AnalysedSite.Benign, "--site", site);
        Assert.Equal(2, mixed.Status);
        Assert.Contains("commands of their own", mixed.Error, StringComparison.Ordinal);
        File.WriteAllText(folder["other.csv"], "a,b\n1,2\n");
        Assert.Equal(2, ProgramRun.Of("learn", folder["other.csv"], "--site", site).Status);
        Assert.Equal(3, ProgramRun.Of("learn", folder["absent.csv"], "--site", site).Status);
    }

    [Fact]
    public void Versions_are_added_compared_promoted_and_rolled_back()
    {
        using var folder = new TemporaryFolder();
        var site = folder["site"];
        Assert.Equal(0, ProgramRun.Of("learn", AnalysedSite.Benign, "--site", site).Status);
        Assert.Equal(0, ProgramRun.Of("train", _tables.Benign, "--engine", "ecod", "--out", folder["m.onnx"], "--folds", "0").Status);
        var added = ProgramRun.Of("models", "add", folder["m.onnx"], "--site", site, "--shadow");
        Assert.True(added.Status == 0, added.Error);
        Assert.Contains("flows.site.ecod", added.Output, StringComparison.Ordinal);
        var versions = List(site);
        Assert.Contains(("0001", "active"), versions);
        Assert.Contains(("0002", "shadow"), versions);

        var compared = ProgramRun.Of("models", "compare", "0001", "0002", "--site", site, "--data", _tables.Attacks, "--labels", Tables.Labels);
        Assert.True(compared.Status == 0, compared.Error);
        Assert.Contains("rank agreement with the first", compared.Output, StringComparison.Ordinal);
        Assert.Contains("AUROC", compared.Output, StringComparison.Ordinal);

        Assert.Equal("active 0002, shadow none, previous 0001", ProgramRun.Of("models", "promote", "0002", "--site", site).OutputLines[0]);
        Assert.Equal("active 0001, shadow none, previous 0002", ProgramRun.Of("models", "rollback", "--site", site).OutputLines[0]);
        var analysed = ProgramRun.Of("analyze", AnalysedSite.Benign, "--site", site, "--alerts", folder["alerts"]);
        Assert.True(analysed.Status == 0, analysed.Error);
    }

    [Fact]
    public void Drift_names_what_moved()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(0, ProgramRun.Of("train", _tables.Benign, "--out", folder["m.onnx"], "--folds", "0").Status);
        var json = AnalysedSite.Parse(ProgramRun.Of("models", "drift", folder["m.onnx"], "--data", _tables.Attacks, "--before", _tables.Benign, "--json").Output);
        Assert.True(json.GetProperty("p_values").GetProperty("chance_too_many").GetDouble() < 0.001);
        Assert.True(json.GetProperty("features")[0].GetProperty("stability").GetDouble() > 0.25);
        var still = AnalysedSite.Parse(ProgramRun.Of("models", "drift", folder["m.onnx"], "--data", _tables.Benign, "--before", _tables.Benign, "--json").Output);
        Assert.All(still.GetProperty("features").EnumerateArray(), f => Assert.True(f.GetProperty("stability").GetDouble() < 0.01));
    }

    public static TheoryData<int, string, string[]> Mistakes => new()
    {
        { 2, "train needs a table and --out", ["train"] },
        { 2, "there is no engine nonsense", ["train", "BENIGN", "--engine", "nonsense", "--out", "x.onnx"] },
        { 2, "does not end in .onnx", ["train", "BENIGN", "--out", "x.zip"] },
        { 2, "must be a whole number from 1 to 10000", ["train", "BENIGN", "--out", "x.onnx", "--set", "trees=0"] },
        { 2, "it has trees", ["train", "BENIGN", "--out", "x.onnx", "--set", "tree=5"] },
        { 2, "learns from labels", ["train", "BENIGN", "--out", "x.onnx", "--engine", "gbt"] },
        { 3, "cannot read /nonexistent.csv", ["train", "/nonexistent.csv", "--out", "x.onnx"] },
        { 3, "is not a number", ["train", "/etc/passwd", "--out", "x.onnx"] },
        { 2, "evaluate needs --alerts and --labels, or --model and --data", ["evaluate"] },
        { 3, "cannot read /nonexistent.onnx", ["evaluate", "--model", "/nonexistent.onnx", "--data", "BENIGN"] },
        { 2, "cannot be used: damaged model", ["evaluate", "--model", "/etc/passwd", "--data", "BENIGN"] },
        { 2, "name the .onnx beside it", ["evaluate", "--model", "model.zip", "--data", "BENIGN"] },
        { 3, "line 1: columns without names: this is no table of features", ["train", AnalysedSite.Benign, "--out", "x.onnx"] },
        { 2, "does not exist", ["models", "list", "--site", "/nonexistent"] },
        { 2, "is not an .onnx file", ["models", "show", "0001"] },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void A_mistake_is_one_line(int status, string reason, string[] arguments)
    {
        using var folder = new TemporaryFolder();
        var run = ProgramRun.Of(Array.ConvertAll(arguments, a => a == "BENIGN" ? _tables.Benign : a == "x.onnx" ? folder["x.onnx"] : a));
        Assert.True(run.Status == status, $"{run.Status}: {run.Error}");
        Assert.Contains(reason, AnalysedSite.OneLine(run), StringComparison.Ordinal);
        Assert.False(File.Exists(folder["x.onnx"]));
    }

    private static HashSet<(string Version, string State)> List(string site)
    {
        var run = ProgramRun.Of("models", "list", "--site", site, "--format", "json");
        Assert.True(run.Status == 0, run.Error);
        return [.. AnalysedSite.Parse(run.Output).EnumerateArray().Select(r => (r.GetProperty("version").GetString()!, r.GetProperty("state").ValueKind == JsonValueKind.Null ? "" : r.GetProperty("state").GetString()!))];
    }

    /// <summary>Tables of the shipped captures, made once.</summary>
    public sealed class Tables : IDisposable
    {
        private readonly TemporaryFolder _folder = new();

        public Tables()
        {
            (Benign, Attacks) = (_folder["benign.csv"], _folder["attacks.csv"]);
            Assert.Equal(0, ProgramRun.Of("analyze", AnalysedSite.Benign, "--flows", Benign).Status);
            Assert.Equal(0, ProgramRun.Of("analyze", AnalysedSite.Attacks, "--flows", Attacks).Status);
        }

        public static string Labels => Path.ChangeExtension(AnalysedSite.Attacks, ".labels.jsonl");

        public string Benign { get; }

        public string Attacks { get; }

        public void Dispose() => _folder.Dispose();
    }
}
