using IoTGuard.Analysis.Features;
using IoTGuard.Learning;
using IoTGuard.Sites;

namespace IoTGuard.Tests.Sites;

/// <summary>Versions of models side by side, and the pointer that chooses among them.</summary>
public sealed class ModelStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ModelStore _store;

    public ModelStoreTests() => _store = new ModelStore(_folder["models"]);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_folder_without_models_has_none()
    {
        Assert.Empty(_store.Versions());
        Assert.Equal(ModelPointer.None, _store.Pointer());
        Assert.Empty(_store.LoadCurrent().Active.Entries);
    }

    [Fact]
    public void A_version_is_used_once_it_is_promoted_and_can_be_rolled_back()
    {
        Assert.Equal(["0001", "0002"], new[] { _store.Add(Set(1), "# one"), _store.Add(Set(2), "# two") });
        Assert.Equal(ModelPointer.None, _store.Pointer());
        _store.Promote("0001");
        Assert.Equal(new ModelPointer("0002", null, "0001"), _store.Promote("0002"));
        Assert.Equal(new ModelPointer("0001", null, "0002"), _store.RollBack());
        Assert.Equal("seed 1", _store.LoadCurrent().Active.Source);
        Assert.Equal("# one", File.ReadAllText(_store.PathOf("0001", ModelStore.CardFile)));
    }

    [Fact]
    public void A_shadow_ends_when_it_is_promoted()
    {
        _store.Promote(_store.Add(Set(1), ""));
        _store.Shadow(_store.Add(Set(2), ""));
        Assert.Equal("seed 2", _store.LoadCurrent().Shadow!.Source);
        Assert.Equal(new ModelPointer("0002", null, "0001"), _store.Promote("0002"));
        Assert.Null(_store.LoadCurrent().Shadow);
    }

    [Fact]
    public void The_oldest_versions_that_are_not_in_use_go_first()
    {
        _store.Promote(_store.Add(Set(1), ""));
        for (var i = 0; i < ModelStore.MaximumVersions + 1; i++)
            _store.Add(Set(2), "");
        var versions = _store.Versions();
        Assert.Equal(ModelStore.MaximumVersions, versions.Count);
        Assert.Equal("0001", versions[0]);
        Assert.Equal("0004", versions[1]);
    }

    [Fact]
    public void What_is_not_there_or_not_whole_is_refused_in_one_line()
    {
        Assert.Contains("there are: none", Assert.Throws<UserException>(() => _store.Promote("0007")).Message, StringComparison.Ordinal);
        Assert.Contains("no version before", Assert.Throws<UserException>(() => _store.RollBack()).Message, StringComparison.Ordinal);
        var version = _store.Add(Set(1), "");
        var file = _store.PathOf(version, "flows.site.iforest.onnx");
        var content = File.ReadAllBytes(file);
        content[content.Length / 2] ^= 1;
        File.WriteAllBytes(file, content);
        Assert.Contains("flows.site.iforest.onnx: the file is not the one that set.json lists", Assert.Throws<UserException>(() => _store.Promote(version)).Message, StringComparison.Ordinal);
        Assert.Null(_store.Pointer().Active);
    }

    [Theory]
    [InlineData("current.json")]
    [InlineData("0001/set.json")]
    public void A_cut_file_is_refused_by_name(string name)
    {
        _store.Promote(_store.Add(Set(1), ""));
        var path = Path.Combine(_store.Folder, name);
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..20]);
        Assert.Contains(Path.GetFileName(name), Assert.Throws<UserException>(() => _store.LoadCurrent()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Models_of_another_schema_are_refused_by_file()
    {
        var set = Set(1);
        var entry = set.Entries[0];
        var info = entry.Model.Info with { SchemaHash = new string('0', 64) };
        var foreign = set with { Entries = [entry with { Model = AnomalyModel.Create(Forest(1), info) }] };
        var refused = Assert.Throws<UserException>(() => _store.Promote(_store.Add(foreign, "")));
        Assert.Contains("flows.site.iforest.onnx", refused.Message, StringComparison.Ordinal);
        Assert.Contains("schema", refused.Message, StringComparison.Ordinal);
    }

    private static ModelSet Set(ulong seed)
    {
        var info = new ModelInfo(FlowFeatures.Schema.Hash, [.. FlowFeatures.Schema.Columns.Select(c => new FeatureInfo(c.Name, c.Unit, 0, 1, 2))], null, "0");
        return new ModelSet { Source = $"seed {seed}", Entries = [new ModelEntry(ModelInput.Flows, null, "iforest", AnomalyModel.Create(Forest(seed), info))] };
    }

    private static IsolationForest Forest(ulong seed)
    {
        var rows = new FeatureMatrix(FlowFeatures.Schema.Columns.Select(c => c.Name));
        for (var i = 0; i < 16; i++)
            rows.AddRow([.. Enumerable.Range(0, rows.ColumnCount).Select(c => (float)((i * (c + 3)) % 17))]);
        return IsolationForest.Train(rows, new IsolationForestOptions { Trees = 3, SampleSize = 8, Seed = seed });
    }
}
