using System.Buffers.Binary;
using System.Text;
using IoTGuard.Wire.Application.Dicom;
using IoTGuard.TestSupport;

namespace IoTGuard.Wire.Tests.Application.Dicom;

public sealed class DataSetReaderTests
{
    private static readonly byte[] SequenceEnd = [0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0];
    private static readonly byte[] ItemEnd = [0xFE, 0xFF, 0x0D, 0xE0, 0, 0, 0, 0];

    public static TheoryData<string> Encodings => [.. DataSets().Select(d => d.Name)];

    [Theory]
    [MemberData(nameof(Encodings))]
    public void EverySplitGivesTheSameElements(string name)
    {
        var (_, encoding, bytes, expected) = DataSets().Single(d => d.Name == name);
        Assert.Equal(expected, Read(encoding, bytes));
        Assert.Equal(expected, Read(DataSetEncoding.Unknown, bytes));
        for (var at = 1; at < bytes.Length; at++)
            Assert.Equal(expected, Read(encoding, bytes[..at], bytes[at..]));
        Assert.Equal(expected, Read(encoding, [.. bytes.Select(b => new[] { b })]));
    }

    [Theory]
    [MemberData(nameof(Encodings))]
    public void ADataSetThatIsCutMayNotEnd(string name)
    {
        var (_, encoding, bytes, _) = DataSets().Single(d => d.Name == name);
        var ends = new List<int>();
        var reader = new DataSetReader();
        for (var length = 0; length <= bytes.Length; length++)
        {
            reader.Reset(encoding);
            Drain(reader, bytes[..length], null);
            Assert.True(reader.Fault.IsNone);
            if (reader.MayEnd)
                ends.Add(length);
        }

        // Only at the data set's own level, between elements.
        Assert.Contains(0, ends);
        Assert.Contains(bytes.Length, ends);
        Assert.True(ends.Count is >= 3 and <= 12, string.Join(' ', ends));
    }

    [Fact]
    public void ValuesThatNobodyTakesCanBeSkipped()
    {
        var reader = new DataSetReader();
        reader.Reset(DataSetEncoding.ExplicitLittleEndian);
        ReadOnlySpan<byte> bytes = Explicit(0x7FE0_0010, "OW", 1_000_000).AsSpan(0, 100);
        Assert.Equal(DataSetToken.Element, reader.Read(ref bytes, out _));
        Assert.Equal(DataSetToken.NeedMore, reader.Read(ref bytes, out _));
        Assert.Equal(1_000_000 - 88, reader.Skippable);
        reader.Skip(reader.Skippable);
        Assert.True(reader.MayEnd);
        Assert.Equal(1_000_012, reader.Position);
    }

    [Fact]
    public void ALongValueIsCut()
    {
        var reader = new DataSetReader();
        reader.Reset(DataSetEncoding.ExplicitLittleEndian);
        ReadOnlySpan<byte> bytes = Explicit(0x0008_0070, "LO", 1000);
        reader.Read(ref bytes, out _);
        reader.Take();
        Assert.Equal(DataSetToken.Value, reader.Read(ref bytes, out var value));
        Assert.Equal(DataSetReader.MaximumValueBytes, value.Length);
        Assert.Equal(DataSetToken.NeedMore, reader.Read(ref bytes, out _));
        Assert.True(reader.MayEnd);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ADepthBombIsAFault(bool taken)
    {
        var level = Join(Tag(0x0040_0100), "SQ\0\0"u8.ToArray(), [0xFF, 0xFF, 0xFF, 0xFF], [0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF]);
        var bomb = Join([.. Enumerable.Repeat(level, 10_000)]);
        var reader = new DataSetReader();
        reader.Reset(DataSetEncoding.ExplicitLittleEndian);
        ReadOnlySpan<byte> bytes = bomb;
        DataSetToken token;
        while ((token = reader.Read(ref bytes, out _)) is not (DataSetToken.Faulted or DataSetToken.NeedMore))
        {
            if (taken)
                reader.Take();
        }

        Assert.Equal((DataSetToken.Faulted, FaultKind.TooDeep), (token, reader.Fault.Kind));
        Assert.Equal(DataSetReader.MaximumDepth, reader.Depth);
    }

    [Theory]
    [InlineData("an element longer than its item", FaultKind.BadLength)]
    [InlineData("an item longer than its sequence", FaultKind.BadLength)]
    [InlineData("an element where an item must be", FaultKind.Garbage)]
    [InlineData("a delimiter without a sequence", FaultKind.Garbage)]
    [InlineData("no value representation", FaultKind.BadValue)]
    [InlineData("an endless sequence in a short one", FaultKind.BadLength)]
    public void BrokenDataSetsAreFaults(string what, FaultKind expected)
    {
        var bytes = what switch
        {
            "an element longer than its item" => Sequence(Item(Join(Tag(0x0008_0060), "CS"u8.ToArray(), [200, 0], "CT"u8.ToArray()))),
            "an item longer than its sequence" => Sequence([0xFE, 0xFF, 0x00, 0xE0, 100, 0, 0, 0]),
            "an element where an item must be" => Sequence(Explicit(0x0008_0060, "CS", 2)),
            "a delimiter without a sequence" => SequenceEnd,
            "an endless sequence in a short one" => Sequence(Item(Join(Tag(0x0040_0100), "SQ\0\0"u8.ToArray(), [0xFF, 0xFF, 0xFF, 0xFF]))),
            _ => [8, 0, 0x60, 0, 1, 2, 3, 4, 0, 0, 0, 0],
        };
        var reader = new DataSetReader();
        reader.Reset(DataSetEncoding.ExplicitLittleEndian);
        Drain(reader, Join(bytes, Explicit(0x0050_0010, "LO", 4)), null);
        Assert.Equal(expected, reader.Fault.Kind);
    }

    [Fact]
    public void MutatedDataSetsNeverThrow()
    {
        var random = new Random(1);
        foreach (var (_, encoding, bytes, _) in DataSets())
        {
            for (var round = 0; round < 3000; round++)
            {
                var mutated = bytes.ToArray();
                for (var i = 0; i <= random.Next(4); i++)
                    mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
                var reader = new DataSetReader();
                reader.Reset(random.Next(2) == 0 ? encoding : DataSetEncoding.Unknown);
                var at = random.Next(mutated.Length);
                Drain(reader, mutated[..at], null);
                Drain(reader, mutated[at..], null);
                Assert.InRange(reader.Depth, 0, DataSetReader.MaximumDepth);
                Assert.True(reader.Position <= mutated.Length || reader.Fault.IsNone);
            }
        }
    }

    [Fact]
    public void ReadingAllocatesNothing()
    {
        var (_, encoding, bytes, _) = DataSets().First();
        var reader = new DataSetReader();
        void Once()
        {
            reader.Reset(encoding);
            ReadOnlySpan<byte> rest = bytes;
            DataSetToken token;
            while ((token = reader.Read(ref rest, out _)) != DataSetToken.NeedMore)
            {
                if (token == DataSetToken.Element)
                    reader.Take();
            }
        }

        Assert.Equal(0, Allocations.Of(() =>
        {
            for (var i = 0; i < 1000; i++)
                Once();
        }));
    }

    private static IEnumerable<(string Name, DataSetEncoding Encoding, byte[] Bytes, string Expected)> DataSets()
    {
        const string expected = "0:00080060=CT;2:00080100=A1;2:00080104=B2;0:00100010=X^Y;0:00280010=0002;";
        yield return ("explicit, defined lengths", DataSetEncoding.ExplicitLittleEndian, Join(
            ExplicitText(0x0008_0060, "CS", "CT"),
            Explicit(0x0008_2112, "SQ", Join(Item(Join(ExplicitText(0x0008_0100, "SH", "A1"), ExplicitText(0x0008_0104, "LO", "B2"))))),
            ExplicitText(0x0010_0010, "PN", "X^Y "),
            Explicit(0x0028_0010, "US", [2, 0])), expected);
        yield return ("explicit, undefined lengths", DataSetEncoding.ExplicitLittleEndian, Join(
            ExplicitText(0x0008_0060, "CS", "CT"),
            Tag(0x0008_2112), "SQ\0\0"u8.ToArray(), [0xFF, 0xFF, 0xFF, 0xFF],
            [0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF],
            ExplicitText(0x0008_0100, "SH", "A1"), ExplicitText(0x0008_0104, "LO", "B2"),
            ItemEnd, SequenceEnd,
            ExplicitText(0x0010_0010, "PN", "X^Y "),
            Explicit(0x0028_0010, "US", [2, 0])), expected);
        yield return ("explicit, unknown VR with implicit content", DataSetEncoding.ExplicitLittleEndian, Join(
            ExplicitText(0x0008_0060, "CS", "CT"),
            Tag(0x0008_2112), "UN\0\0"u8.ToArray(), [0xFF, 0xFF, 0xFF, 0xFF],
            Item(Join(ImplicitText(0x0008_0100, "A1"), ImplicitText(0x0008_0104, "B2"))), SequenceEnd,
            ExplicitText(0x0010_0010, "PN", "X^Y "),
            Explicit(0x0028_0010, "US", [2, 0])), expected);
        yield return ("implicit, defined lengths", DataSetEncoding.ImplicitLittleEndian, Join(
            ImplicitText(0x0008_0060, "CT"),
            Implicit(0x0008_2112, Item(Join(ImplicitText(0x0008_0100, "A1"), ImplicitText(0x0008_0104, "B2")))),
            ImplicitText(0x0010_0010, "X^Y "),
            Implicit(0x0028_0010, [2, 0])), expected);
        yield return ("implicit, undefined lengths", DataSetEncoding.ImplicitLittleEndian, Join(
            ImplicitText(0x0008_0060, "CT"),
            Tag(0x0008_2112), [0xFF, 0xFF, 0xFF, 0xFF],
            [0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF],
            ImplicitText(0x0008_0100, "A1"), ImplicitText(0x0008_0104, "B2"),
            ItemEnd, SequenceEnd,
            ImplicitText(0x0010_0010, "X^Y "),
            Implicit(0x0028_0010, [2, 0])), expected);
        yield return ("big endian", DataSetEncoding.ExplicitBigEndian, Join(
            BigText(0x0008_0060, "CS", "CT"),
            [0x00, 0x08, 0x21, 0x12, (byte)'S', (byte)'Q', 0, 0, 0, 0, 0, 28, 0xFF, 0xFE, 0xE0, 0x00, 0, 0, 0, 20],
            BigText(0x0008_0100, "SH", "A1"), BigText(0x0008_0104, "LO", "B2"),
            BigText(0x0010_0010, "PN", "X^Y "),
            [0x00, 0x28, 0x00, 0x10, (byte)'U', (byte)'S', 0, 2, 0, 2]), expected);
        yield return ("encapsulated pixels", DataSetEncoding.ExplicitLittleEndian, Join(
            ExplicitText(0x0008_0060, "CS", "CT"),
            Tag(0x7FE0_0010), "OB\0\0"u8.ToArray(), [0xFF, 0xFF, 0xFF, 0xFF],
            Item([]), Item([0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]), SequenceEnd,
            ExplicitText(0xFFFC_FFFC, "LO", "P ")), "0:00080060=CT;0:FFFCFFFC=P;");
    }

    private static string Read(DataSetEncoding encoding, params byte[][] fragments)
    {
        var reader = new DataSetReader();
        reader.Reset(encoding);
        var text = new StringBuilder();
        foreach (var fragment in fragments)
            Drain(reader, fragment, text);
        Assert.True(reader.Fault.IsNone, reader.Fault.ToString());
        Assert.True(reader.MayEnd);
        Assert.Equal(fragments.Sum(f => f.Length), reader.Position);
        return text.ToString();
    }

    private static void Drain(DataSetReader reader, byte[] fragment, StringBuilder? text)
    {
        ReadOnlySpan<byte> bytes = fragment;
        while (true)
        {
            switch (reader.Read(ref bytes, out var value))
            {
                case DataSetToken.NeedMore or DataSetToken.Faulted:
                    return;
                case DataSetToken.Element:
                    reader.Take();
                    break;
                default:
                    var content = reader.Tag == DicomTag.Rows && value.Length == 2
                        ? (reader.IsLittleEndian ? BinaryPrimitives.ReadUInt16LittleEndian(value) : BinaryPrimitives.ReadUInt16BigEndian(value)).ToString("X4")
                        : Encoding.Latin1.GetString(value).TrimEnd();
                    text?.Append(reader.Depth).Append(':').Append(reader.Tag.ToString("X8")).Append('=').Append(content).Append(';');
                    break;
            }
        }
    }

    private static byte[] Join(params byte[][] parts) => [.. parts.SelectMany(p => p)];

    private static byte[] Tag(uint tag) => [(byte)(tag >> 16), (byte)(tag >> 24), (byte)tag, (byte)(tag >> 8)];

    private static byte[] Length(int length) => [(byte)length, (byte)(length >> 8), (byte)(length >> 16), (byte)(length >> 24)];

    private static byte[] Implicit(uint tag, byte[] value) => Join(Tag(tag), Length(value.Length), value);

    private static byte[] ImplicitText(uint tag, string value) => Implicit(tag, Encoding.Latin1.GetBytes(value));

    private static byte[] Explicit(uint tag, string vr, byte[] value) => vr is "SQ" or "OW" or "OB"
        ? Join(Tag(tag), Encoding.Latin1.GetBytes(vr), [0, 0], Length(value.Length), value)
        : Join(Tag(tag), Encoding.Latin1.GetBytes(vr), [(byte)value.Length, (byte)(value.Length >> 8)], value);

    private static byte[] Explicit(uint tag, string vr, int length) => Explicit(tag, vr, new byte[length]);

    private static byte[] ExplicitText(uint tag, string vr, string value) => Explicit(tag, vr, Encoding.Latin1.GetBytes(value));

    private static byte[] BigText(uint tag, string vr, string value) =>
        Join([(byte)(tag >> 24), (byte)(tag >> 16), (byte)(tag >> 8), (byte)tag], Encoding.Latin1.GetBytes(vr), [0, (byte)value.Length], Encoding.Latin1.GetBytes(value));

    private static byte[] Item(byte[] content) => Join([0xFE, 0xFF, 0x00, 0xE0], Length(content.Length), content);

    private static byte[] Sequence(byte[] content) => Explicit(0x0008_2112, "SQ", content);
}
