using System.IO.Compression;
using System.Text;
using IoTGuard.Learning.Training;

namespace IoTGuard.Learning.Tests;

public sealed class TrainingTableTests
{
    private const string Text = """
        first_seen,originator_ip,responder_ip,state,a,"b,c",label
        2026-11-21T22:06:09.5Z,10.0.0.1,10.0.0.9,Open,1,2.5,benign
        2026-11-21T22:06:08.626116698Z,10.0.0.2,10.0.0.9,Open,,-3e2,scan
        2026-11-21T22:06:10Z,10.0.0.1,10.0.0.8,Open,inf,0,
        """;

    [Theory]
    [InlineData(false, "\n")]
    [InlineData(true, "\r\n")]
    public void ATableIsReadPlainOrCompressed(bool compressed, string lineEnd)
    {
        var table = Read(Text.ReplaceLineEndings(lineEnd), ["b,c", "a"], compressed: compressed);
        Assert.Equal([2.5f, 1, -300, float.NaN, 0, float.PositiveInfinity], table.Rows.Values.ToArray());
        Assert.Equal([0, 1, 0], table.Devices!);
        Assert.Equal([false, true, false], table.Anomalous!);
        Assert.Equal(-0.873883, table.Times![1] - table.Times[0], 5);
        Assert.Equal([-300f, 2.5f, 0], table.InOrder().Rows.Column("b,c"));
        Assert.Equal([true, false, false], table.InOrder().Anomalous!);
    }

    [Fact]
    public void LabelsAreJoinedByTimeAndAddresses()
    {
        var start = DateTimeOffset.Parse("2026-11-21T22:06:09Z", System.Globalization.CultureInfo.InvariantCulture).ToUnixTimeSeconds();
        var table = Read(Text, ["a"], (time, device, peer) => time >= start && device == "10.0.0.1" && peer == "10.0.0.8");
        Assert.Equal([false, false, true], table.Anomalous!);
    }

    [Fact]
    public void TablesFollowEachOther()
    {
        var one = Read(Text, ["a"]);
        var both = TrainingTable.Concat([one, one]);
        Assert.Equal(6, both.Rows.RowCount);
        Assert.Equal([0, 1, 0, 2, 3, 2], both.Devices!);
        Assert.Equal(6, both.Times!.Length);
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("a,b\n1,2\n3\n", "line 3: 1 fields where the header has 2; the file may be cut short")]
    [InlineData("a,b\n1,2\n3,4,5\n", "line 3: 3 fields where the header has 2")]
    [InlineData("\u0001,b\n1,2\n", "line 1: columns without names: this is no table of features")]
    [InlineData(",a,b\n1,2,3\n", "line 1: columns without names")]
    [InlineData("a,b\n1,2\n3,x\n", "line 3, column b: 'x' is not a number")]
    [InlineData("a\n1\n", "no column 'b'")]
    [InlineData("a,a,b\n1,2,3\n", "a")]
    public void WhatIsNoTableIsRefusedWithThePlace(string text, string reason)
    {
        var refused = Assert.Throws<InvalidDataException>(() => Read(text, ["a", "b"]));
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CrossValidationKeepsTimeAndDevicesApart()
    {
        var text = new StringBuilder("time,device,x,y,label\n");
        var random = new Xoshiro256(9);
        for (var i = 0; i < 3000; i++)
        {
            var attack = i % 40 == 39;
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"{i},{i * 7 % 23},{random.NextDouble() + (attack ? 3 : 0)},{random.NextDouble()},{(attack ? "scan" : "")}\n");
        }

        var table = Read(text.ToString(), ["x", "y"]);
        var engine = OwnEngines.All.Single(e => e.Name == "iforest");
        var schema = new TrainingSchema("", ["1", "1"], "t", "0.1.0");
        var task = new TrainingTask { Rows = table.Rows, Parameters = engine.Complete() };
        var result = CrossValidation.Run(engine, table, task, schema, folds: 4)!;
        Assert.Equal((4, 23), (result.Folds, result.HeldOutDevices));
        Assert.InRange(result.PValues.Length, 500, 700);
        Assert.True(Metrics.AreaUnderRoc(result.Surprise, result.Anomalous!) > 0.9, $"{Metrics.AreaUnderRoc(result.Surprise, result.Anomalous!)}");

        // Benign rows of devices that were never seen keep the calibration.
        var benign = result.PValues.Where((_, i) => !result.Anomalous![i]).ToArray();
        Assert.InRange(benign.Count(p => p <= 0.1) / (double)benign.Length, 0.06, 0.14);
        Assert.Equal(result.PValues, CrossValidation.Run(engine, table, task, schema, folds: 4)!.PValues);
        Assert.Null(CrossValidation.Run(engine, Read("x,y\n1,2\n3,4\n", ["x", "y"]), task, schema, folds: 2));
    }

    private static TrainingTable Read(string text, string[] features, Func<double, string, string, bool>? isAnomaly = null, bool compressed = false)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        if (compressed)
        {
            using var packed = new MemoryStream();
            using (var gzip = new GZipStream(packed, CompressionMode.Compress))
                gzip.Write(bytes);
            bytes = packed.ToArray();
        }

        return TrainingTable.Read(new MemoryStream(bytes), features, TableColumns.Usual, isAnomaly);
    }
}
