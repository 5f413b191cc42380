using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace IoTGuard.Learning.Tests;

public sealed class FeatureCsvTests
{
    [Fact]
    public void AnyFloatReadsBackBitForBit() => Prop.ForAll(
        ArbMap.Default.ArbFor<int[]>(),
        bits =>
        {
            var matrix = new FeatureMatrix(["a", "b,\"x\"\n"]);
            foreach (var bit in bits)
                matrix.AddRow([BitConverter.Int32BitsToSingle(bit * 7919), bit]);
            var read = Read(Write(matrix));
            return read.Columns.SequenceEqual(matrix.Columns, StringComparer.Ordinal) && SameBits(read.Values, matrix.Values);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void SpecialValuesReadBack()
    {
        float[] values = [0, -0f, float.Epsilon, float.MaxValue, float.MinValue, float.NaN, float.PositiveInfinity, float.NegativeInfinity, 1 / 3f];
        var matrix = new FeatureMatrix(["v"]);
        foreach (var value in values)
            matrix.AddRow([value]);
        Assert.True(SameBits(Read(Write(matrix)).Values, matrix.Values));
    }

    [Theory]
    [InlineData("a,b\n1,2\n3,4\n")]
    [InlineData("a,b\r\n1,2\r\n3,4\r\n")]
    [InlineData("a,b\n1,2\n3,4")]
    [InlineData("\"a\",\"b\"\n 1 ,\"2\"\n\n3,4\n\n")]
    [InlineData("\uFEFFa,b\n1,2\n3,4\n")]
    public void TheUsualFormsOfCsvAreRead(string csv) => Assert.Equal([1, 2, 3, 4], Read(csv).Values.ToArray());

    [Fact]
    public void WantedColumnsArePickedAndOthersNeedNotBeNumbers()
    {
        var matrix = Read("time,src,b,a\n12:00,10.0.0.1,1,2\n12:01,\"x,\ny\",3,\n", ["a", "b"]);
        Assert.Equal(["a", "b"], matrix.Columns);
        Assert.Equal([2, 1, float.NaN, 3], matrix.Values.ToArray());
    }

    [Theory]
    [InlineData("", "line 1: the file is empty, a header line is needed")]
    [InlineData("a,a\n", "line 1: column 'a' stands twice")]
    [InlineData("a,,b\n", "line 1: a column without a name")]
    [InlineData("a,b\n1,2\n3,x\n", "line 3, column 2 (b): 'x' is not a number")]
    [InlineData("a,b\n1\n", "line 2, column 1: the line ends early; the header has 2 columns")]
    [InlineData("a,b\n1,2,3\n", "line 2, column 2: more fields; the header has 2 columns")]
    [InlineData("a,\"b\n1,2\n", "line 1, column 2: no closing quote")]
    [InlineData("a,b\n\"1\"2,2\n", "line 2, column 1: text after the closing quote")]
    public void WhatIsWrongIsSaidWithLineAndColumn(string csv, string message)
    {
        var refused = Assert.Throws<InvalidDataException>(() => Read(csv));
        Assert.StartsWith(message, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LimitsAndAbsentColumnsAreNamed()
    {
        Assert.Contains("no column 'c'", Assert.Throws<InvalidDataException>(() => Read("a,b\n1,2\n", ["c"])).Message, StringComparison.Ordinal);
        var wide = string.Join(',', Enumerable.Range(0, FeatureCsv.MaxColumns + 1));
        Assert.Contains("more than 4096 columns", Assert.Throws<InvalidDataException>(() => Read(wide)).Message, StringComparison.Ordinal);
        var longField = "a\n" + new string('1', FeatureCsv.MaxFieldLength + 1);
        Assert.Contains("line 2, column 1", Assert.Throws<InvalidDataException>(() => Read(longField)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void RowsAndColumnsAreSelectedByIndexAndName()
    {
        var matrix = Read("a,b\n1,2\n3,4\n5,6\n");
        Assert.Equal([6, 2], matrix.SelectRows([2, 0]).SelectColumns(["b"]).Values.ToArray());
        Assert.Equal([2, 4, 6], matrix.Column("b"));
        Assert.Throws<ArgumentException>(() => matrix.SelectColumns(["z"]));
        Assert.Throws<ArgumentException>(() => matrix.AddRow([1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => matrix.Row(3));
    }

    private static FeatureMatrix Read(string csv, IReadOnlyList<string>? columns = null) =>
        FeatureCsv.Read(new MemoryStream(Encoding.UTF8.GetBytes(csv)), columns);

    private static string Write(FeatureMatrix matrix)
    {
        using var stream = new MemoryStream();
        FeatureCsv.Write(matrix, stream);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>All NaNs are one missing value.</summary>
    private static bool SameBits(ReadOnlySpan<float> x, ReadOnlySpan<float> y)
    {
        if (x.Length != y.Length)
            return false;
        for (var i = 0; i < x.Length; i++)
        {
            if (BitConverter.SingleToInt32Bits(x[i]) != BitConverter.SingleToInt32Bits(y[i]) && !(float.IsNaN(x[i]) && float.IsNaN(y[i])))
                return false;
        }

        return true;
    }
}
