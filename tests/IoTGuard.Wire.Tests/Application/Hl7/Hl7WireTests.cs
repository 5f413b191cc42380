using System.Globalization;
using System.Text;
using IoTGuard.Wire.Application.Hl7;

namespace IoTGuard.Wire.Tests.Application.Hl7;

public sealed class Hl7WireTests
{
    private static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);

    [Theory]
    [InlineData("MSH|^~\\&|A", true, "|^~\\&")]
    [InlineData("MSH|^~\\&#|A", true, "|^~\\&")]
    [InlineData("MSH|^~}|A", true, "|^~}\0")]
    [InlineData("MSH#:|A", false, "#^~\\&")]
    [InlineData("MSH|^|A", true, "|^\0\0\0")]
    [InlineData("MSH|&&&&|A", false, "|^~\\&")]
    [InlineData("MSH||A", false, "|^~\\&")]
    [InlineData("MSH|^~\\&#*+|A", false, "|^~\\&")]
    [InlineData("MSHA^~\\&A", false, "|^~\\&")]
    [InlineData("MSH|^~ &|A", false, "|^~\\&")]
    [InlineData("MSH", false, "|^~\\&")]
    [InlineData("", false, "|^~\\&")]
    public void Delimiters(string header, bool usable, string expected)
    {
        Assert.Equal(usable, Hl7Delimiters.TryRead(Bytes(header), out var d));
        Assert.Equal(expected, Text([d.Field, d.Component, d.Repetition, d.Escape, d.Subcomponent]));
    }

    [Fact]
    public void FieldsAreNumberedAsInTheStandard()
    {
        var header = new Hl7Segment(Bytes("MSH|^~\\&|APP|FAC"), Hl7Delimiters.Recommended);
        Assert.Equal("^~\\&", Text(header[2].Bytes));
        Assert.Equal("APP", Text(header[3].Bytes));
        Assert.Equal("FAC", Text(header[4].Bytes));
        Assert.True(header[5].Bytes.IsEmpty);
        Assert.Equal(0, header[5].Number);

        var pid = new Hl7Segment(Bytes("PID|1||a^b&c^d~e^f|"), Hl7Delimiters.Recommended);
        Assert.Equal(Hl7SegmentId.Pid, pid.Id);
        Assert.Equal("1", Text(pid[1].Bytes));
        Assert.Equal("a^b&c^d", Text(pid[3].FirstRepetition));
        Assert.Equal("e^f", Text(pid[3].Repetition(2)));
        Assert.True(pid[3].Repetition(3).IsEmpty);
        Assert.Equal("b&c", Text(pid[3].Component(2)));
        Assert.Equal("c", Text(pid[3].Subcomponent(2, 2)));
        Assert.True(pid[3].Component(9).IsEmpty);
        Assert.Equal(4, pid[4].Number);
        Assert.True(new Hl7Segment(Bytes("PID|\"\""), Hl7Delimiters.Recommended)[1].IsNullOrEmpty);
    }

    [Fact]
    public void FieldsAreThoseOfASimpleSplit()
    {
        var random = new Random(3);
        for (var round = 0; round < 2000; round++)
        {
            var text = new string([.. Enumerable.Range(0, random.Next(30)).Select(_ => "|^~\\&ab"[random.Next(7)])]);
            var segment = new Hl7Segment(Bytes("ZZZ" + text), Hl7Delimiters.Recommended);
            var fields = new List<string>();
            foreach (var field in segment)
            {
                fields.Add(Text(field.Bytes));
                Assert.Equal(fields.Count, field.Number);
                var components = Text(field.FirstRepetition).Split('^');
                for (var i = 0; i < components.Length; i++)
                    Assert.Equal(components[i], Text(field.Component(i + 1)));
                var repetitions = Text(field.Bytes).Split('~');
                for (var i = 0; i < repetitions.Length; i++)
                    Assert.Equal(repetitions[i], Text(field.Repetition(i + 1)));
            }

            Assert.Equal(("ZZZ" + text).Split('|').Skip(1), fields);
        }
    }

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f", "a|b^c&d~e\\f")]
    [InlineData("\\H\\bold\\N\\", "bold")]
    [InlineData("x\\.br\\y", "xy")]
    [InlineData("\\X41424A\\", "ABJ")]
    [InlineData("\\X414\\", "A")]
    [InlineData("\\XZZ\\.", ".")]
    [InlineData("\\X\\", "")]
    [InlineData("C:\\dir", "C:\\dir")]
    [InlineData("\\", "\\")]
    [InlineData("\\\\", "")]
    [InlineData("\\Zlocal\\\\C2842\\\\M2842\\z", "z")]
    public void Escapes(string text, string expected)
    {
        var destination = new byte[64];
        Assert.Equal(expected, Text(destination.AsSpan(0, Hl7Escape.Decode(Bytes(text), Hl7Delimiters.Recommended, destination))));
        for (var room = 0; room < expected.Length; room++)
        {
            var small = new byte[room];
            Assert.Equal(expected[..room], Text(small.AsSpan(0, Hl7Escape.Decode(Bytes(text), Hl7Delimiters.Recommended, small))));
        }
    }

    [Theory]
    [InlineData("20260102030405.1234+0130", "2026-01-02T03:04:05.1234+01:30")]
    [InlineData("20260102030405-0500", "2026-01-02T03:04:05-05:00")]
    [InlineData("202601020304+0000", "2026-01-02T03:04:00+00:00")]
    [InlineData("2026010203+0000", "2026-01-02T03:00:00+00:00")]
    [InlineData("20240229+0000", "2024-02-29T00:00:00+00:00")]
    [InlineData("202412+0000", "2024-12-01T00:00:00+00:00")]
    [InlineData("2024-0000", "2024-01-01T00:00:00+00:00")]
    [InlineData("19691231235959.9999+0000", "1969-12-31T23:59:59.9999+00:00")]
    [InlineData(" 20260102030405Z", null)]
    [InlineData("20230229+0000", null)]
    [InlineData("20261302+0000", null)]
    [InlineData("20260102240000+0000", null)]
    [InlineData("2026010+0000", null)]
    [InlineData("20260102030405.+0000", null)]
    [InlineData("202601020304.5+0000", null)]
    [InlineData("20260102030405+01", null)]
    [InlineData("20260102030405+0160", null)]
    [InlineData("20260102030405+1401", null)]
    [InlineData("+0100", null)]
    [InlineData("", null)]
    public void Timestamps(string text, string? expected)
    {
        Assert.Equal(expected is not null, Hl7Timestamp.TryParse(Bytes(text), out var time));
        if (expected is not null)
        {
            var oracle = DateTimeOffset.Parse(expected, CultureInfo.InvariantCulture);
            Assert.Equal((oracle.UtcTicks - DateTime.UnixEpoch.Ticks) * 100, time.UtcNs);
        }
    }

    [Fact]
    public void TimeWithoutZoneIsNoMoment()
    {
        Assert.True(Hl7Timestamp.TryParse("20260102030405"u8, out var time));
        Assert.Null(time.ZoneMinutes);
        Assert.Equal(0, time.UtcNs);
        Assert.Equal((new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc) - DateTime.UnixEpoch).Ticks * 100, time.TicksNs);
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("M", null)]
    [InlineData("MSH", null)]
    [InlineData("MSH|", true)]
    [InlineData("FHS^", true)]
    [InlineData("BHS|", true)]
    [InlineData("MSHA", false)]
    [InlineData("PID|", false)]
    [InlineData("\u0006", null)]
    [InlineData("\u0006\u001c", true)]
    [InlineData("\u0015x", false)]
    public void StartOfAFrame(string after, bool? expected) => Assert.Equal(expected, Mllp.StartsFrame(Bytes(after)));

    [Theory]
    [InlineData("MSH|^~\\&|", true)]
    [InlineData("MSH|^~|", true)]
    [InlineData("MSH|^|", false)]
    [InlineData("MSH|^~\\&", null)]
    [InlineData("MSH|abc|", false)]
    [InlineData("MSH|^~\\&#$!*(", false)]
    [InlineData("MSHELL", false)]
    [InlineData("MSG", false)]
    [InlineData("", null)]
    public void StartOfABareMessage(string bytes, bool? expected) => Assert.Equal(expected, Hl7SegmentId.StartsBareMessage(Bytes(bytes)));

    [Theory]
    [InlineData("8859/2", "\u00e6", "ć")]
    [InlineData("8859/5", "\u00d0", "а")]
    [InlineData("UNICODE UTF-8", "\u00c3\u00a9", "é")]
    [InlineData("", "\u00c3\u00a9", "é")]
    [InlineData("ASCII", "\u00e9", "é")]
    [InlineData("unheard of", "\u00e9", "é")]
    [InlineData("GB 18030-2000", "\u00d6\u00d0", "中")]
    public void CharacterSets(string declared, string text, string expected) =>
        Assert.Equal(expected, Hl7CharacterSet.EncodingOf(Bytes(declared), Bytes(text)).GetString(Bytes(text)));

    [Fact]
    public void AnyBytesAreReadWithoutFault()
    {
        var random = new Random(11);
        var destination = new byte[100];
        for (var round = 0; round < 3000; round++)
        {
            var bytes = new byte[random.Next(60)];
            random.NextBytes(bytes);
            if (bytes.Length > 4 && random.Next(2) == 0)
                "MSH|"u8.CopyTo(bytes);
            Hl7Delimiters.TryRead(bytes, out var delimiters);
            foreach (var field in new Hl7Segment(bytes, delimiters))
                Assert.InRange(Hl7Escape.Decode(field.Subcomponent(2, 1), delimiters, destination), 0, field.Bytes.Length);
            if (Hl7Timestamp.TryParse(bytes, out var time))
                Assert.InRange(time.ZoneMinutes ?? 0, -14 * 60, 14 * 60);
            Mllp.StartsFrame(bytes);
            Hl7SegmentId.StartsBareMessage(bytes);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void FieldsFoundByNumberAreThoseOfTheWalk(int seed)
    {
        var random = new Random(seed);
        var places = new int[12];
        for (var i = 0; i < 2000; i++)
        {
            var bytes = new byte[random.Next(120)];
            for (var at = 0; at < bytes.Length; at++)
                bytes[at] = random.Next(6) == 0 ? (byte)'|' : (byte)random.Next('A', 'Z' + 1);
            if (random.Next(2) == 0 && bytes.Length >= 4)
                "MSH|"u8.CopyTo(bytes);
            var segment = new Hl7Segment(bytes, Hl7Delimiters.Recommended);
            var found = segment.FindSeparators(places);
            var number = segment.FirstNumber;
            foreach (var field in segment)
            {
                Assert.Equal(number, field.Number);
                Assert.True(field.Bytes == segment[number].Bytes);
                Assert.Equal(number, segment[number].Number);
                var separator = number - segment.FirstNumber;
                if (separator < places.Length)
                    Assert.True(field.Bytes == bytes.AsSpan(places[separator] + 1, field.Bytes.Length));
                number++;
            }

            Assert.Equal(Math.Min(number - segment.FirstNumber, places.Length), found);
            Assert.Equal(0, segment[number].Number);
            Assert.Equal(0, segment[segment.FirstNumber - 1].Number);
        }
    }
}
