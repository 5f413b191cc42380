using IoTGuard.Analysis.Features;
using IoTGuard.Analysis.Inventory;
using IoTGuard.Learning;
using IoTGuard.Wire.Network;
using IoTGuard.TestSupport;

namespace IoTGuard.Analysis.Tests.Features;

/// <summary>Training per role, and judging by all opinions together.</summary>
public sealed class JudgeTests
{
    private static readonly IpAddress Rich = new(0, 1);
    private static readonly IpAddress Poor = new(0, 2);

    [Fact]
    public void A_role_with_enough_rows_has_models_of_its_own_and_the_rest_shares_the_sites()
    {
        var set = Train(Rows(1800, 100));
        Assert.Equal(
            ["flows.pacs.ecod.onnx", "flows.pacs.iforest.onnx", "flows.site.ecod.onnx", "flows.site.iforest.onnx"],
            set.Entries.Select(e => e.FileName).Order(StringComparer.Ordinal));
        Assert.All(set.Entries.Where(e => e.Role is not null), e => Assert.Equal(600, e.Model.Calibration!.SampleCount));
        Assert.All(set.Entries.Where(e => e.Role is null), e => Assert.Equal(34, e.Model.Calibration!.SampleCount));
        Assert.Equal(set.ToFiles().Select(f => f.Value.Length), ModelSet.FromFiles(set.ToFiles()).ToFiles().Select(f => f.Value.Length));
    }

    [Fact]
    public void The_joint_p_value_is_the_largest_opinion()
    {
        var set = Train(Rows(1800, 100));
        var judge = new Judge(set, ModelInput.Flows);
        var (rows, roles) = Batch(40);
        var joint = new double[roles.Length];
        judge.Score(rows, roles, joint);
        for (var i = 0; i < roles.Length; i++)
        {
            var row = rows[(i * FlowFeatures.Schema.Count)..((i + 1) * FlowFeatures.Schema.Count)];
            Assert.Equal(judge.OpinionsOf(roles[i], row).Max(o => o.PValue), joint[i]);
        }
    }

    [Fact]
    public void Benign_rows_keep_the_level_and_judging_allocates_nothing()
    {
        var inputs = Rows(9000, 0);
        var set = Train(inputs);
        var figure = Assert.Single(SiteTrainer.Measure(set, [inputs], RoleOf, _ => 0.001));
        Assert.InRange(figure.AtOnePercent, 0, 0.015);
        Assert.InRange(figure.AtBudget, 0, 10);

        var judge = new Judge(set, ModelInput.Flows);
        var (rows, roles) = Batch(Judge.BatchRows);
        var joint = new double[roles.Length];
        Assert.Equal(0, Allocations.Of(() => judge.Score(rows, roles, joint)));
    }

    [Fact]
    public void A_row_is_rare_when_both_say_so_and_its_odd_features_are_named()
    {
        var judge = new Judge(Train(Rows(6000, 0)), ModelInput.Flows);
        var row = Row(7, FlowFeatures.Schema.Count);
        int[] odd = [.. Enumerable.Range(0, row.Length).Where(static i => i % 2 == 0)];
        foreach (var i in odd)
            row[i] = 101 + i;
        var pValue = new double[1];
        judge.Score(row, [DeviceRole.Pacs], pValue);
        Assert.InRange(pValue[0], 0, 0.002);
        var shares = new double[row.Length];
        Assert.NotNull(judge.Explain(DeviceRole.Pacs, row, shares));
        Assert.Subset(odd.ToHashSet(), Enumerable.Range(0, row.Length).OrderByDescending(i => shares[i]).Take(5).ToHashSet());
        Assert.InRange(shares.Sum(), 0.99, 1.01);
    }

    [Fact]
    public void Few_rows_calibrate_what_was_trained_elsewhere_and_fewer_make_nothing()
    {
        var elsewhere = Train(Rows(1200, 0));
        Assert.Null(SiteTrainer.Train([Rows(100, 0)], RoleOf, "", "0", elsewhere));
        var set = SiteTrainer.Train([Rows(250, 0)], RoleOf, "", "0", elsewhere);
        Assert.NotNull(set);
        Assert.All(set.Entries, e => Assert.Equal(250, e.Model.Calibration!.SampleCount));
        Assert.All(set.Entries, e => Assert.Null(e.Role));
    }

    [Fact]
    public void Without_models_nothing_is_rare()
    {
        var judge = new Judge(ModelSet.Empty, ModelInput.Flows);
        Assert.True(judge.IsSilent);
        var pValues = new double[1];
        judge.Score(Row(1, FlowFeatures.Schema.Count), [DeviceRole.Pacs], pValues);
        Assert.Equal(1, pValues[0]);
    }

    private static ModelSet Train(TrainingRows inputs) => SiteTrainer.Train([inputs], RoleOf, "a test", "0", ModelSet.Empty)!;

    private static DeviceRole RoleOf(IpAddress device) => device == Rich ? DeviceRole.Pacs : DeviceRole.Modality;

    private static TrainingRows Rows(int rich, int poor)
    {
        var rows = new List<SampledRow>();
        for (var i = 0; i < rich + poor; i++)
            rows.Add(new SampledRow(i, i < poor ? Poor : Rich, default, Row((ulong)i, FlowFeatures.Schema.Count)));
        return new TrainingRows(ModelInput.Flows, rows);
    }

    private static (float[] Rows, DeviceRole[] Roles) Batch(int count) =>
        ([.. Enumerable.Range(0, count).SelectMany(i => Row((ulong)(100_000 + i), FlowFeatures.Schema.Count))],
            [.. Enumerable.Range(0, count).Select(i => i % 3 == 0 ? DeviceRole.Modality : DeviceRole.Pacs)]);

    /// <summary>Independent values, uniform in 0 to 100.</summary>
    private static float[] Row(ulong seed, int columns)
    {
        var random = new Xoshiro256(seed, 1);
        var row = new float[columns];
        foreach (ref var value in row.AsSpan())
            value = (float)(random.NextDouble() * 100);
        return row;
    }
}
