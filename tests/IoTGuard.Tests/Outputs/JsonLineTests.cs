using System.Text;
using System.Text.Json;
using IoTGuard.Outputs;

namespace IoTGuard.Tests.Outputs;

/// <summary>The writer of JSON lines against <see cref="Utf8JsonWriter"/>: the same bytes for any value, and nothing allocated.</summary>
public sealed class JsonLineTests
{
    public static TheoryData<string> Texts =>
    [
        "", "plain", "with \"quotes\" and \\ and /", "\b\t\n\f\r\0\u001f\u007f\u0080\u009f", "Größe ñ é", "\u2028 \u2029 \uFEFF \u00AD", "<script>&'+", "日本語 \U0001F600",
        "half a pair \uD800 and \uDC00 the other", new string('x', 5000), new string('"', 5000), new string('ü', 5000),
    ];

    [Theory]
    [MemberData(nameof(Texts))]
    public void A_text_is_written_as_the_framework_writes_it(string text)
    {
        Assert.Equal(Expected(w => w.WriteString("name", text)), Actual(l => l.Text("name", text)));
        var all = Actual(l =>
        {
            l.BeginArray("list");
            l.Text(text);
            l.Text(text);
            l.EndArray();
        });
        Assert.Equal(
            Expected(w =>
            {
                w.WriteStartArray("list");
                w.WriteStringValue(text);
                w.WriteStringValue(text);
                w.WriteEndArray();
            }),
            all);
    }

    [Fact]
    public void Every_character_is_written_as_the_framework_writes_it()
    {
        for (var c = 0; c <= char.MaxValue; c++)
        {
            var text = $"a{(char)c}b";
            var expected = Expected(w => w.WriteString("n", text));
            if (expected != Actual(l => l.Text("n", text)))
                Assert.Fail($"U+{c:X4}: expected {expected}");
        }

        for (var b = 0; b <= byte.MaxValue; b++)
        {
            byte[] bytes = [(byte)'a', (byte)b];
            Assert.Equal(Expected(w => w.WriteString("n", Encoding.Latin1.GetString(bytes))), Actual(l => l.Latin1("n", bytes)));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.000001)]
    [InlineData(0.1)]
    [InlineData(1.5e-7)]
    [InlineData(-12345678.000000001)]
    [InlineData(1e300)]
    public void A_number_is_written_as_the_framework_writes_it(double number)
    {
        Assert.Equal(Expected(w => w.WriteNumber("n", number)), Actual(l => l.Number("n", number)));
        Assert.Equal(Expected(w => w.WriteNumber("n", (long)number)), Actual(l => l.Number("n", (long)number)));
    }

    [Fact]
    public void Nested_objects_are_separated_as_they_must_be()
    {
        var line = Actual(l =>
        {
            l.Members("\"a\":1"u8);
            l.BeginObject("b");
            l.BeginObject("c");
            l.EndObject();
            l.Flag("d", true);
            l.EndObject();
            l.BeginArray("e");
            l.EndArray();
            l.Null("f");
            l.Number("g", double.PositiveInfinity);
            "xyz"u8.CopyTo(l.PlainText("h", 3));
        });
        Assert.Equal("""{"a":1,"b":{"c":{},"d":true},"e":[],"f":null,"g":null,"h":"xyz"}""", line);
    }

    [Theory]
    [InlineData(0L, "1970-01-01T00:00:00.000000000Z")]
    [InlineData(-1L, "1969-12-31T23:59:59.999999999Z")]
    [InlineData(951_782_400_000_000_001L, "2000-02-29T00:00:00.000000001Z")]
    [InlineData(1_795_305_599_987_654_321L, "2026-11-21T23:59:59.987654321Z")]
    [InlineData(long.MaxValue, "2262-04-11T23:47:16.854775807Z")]
    [InlineData(long.MinValue, "1677-09-21T00:12:43.145224192Z")]
    public void A_time_has_all_its_digits(long timeNs, string expected) => Assert.Equal(expected, PacketTime.ToText(timeNs));

    private static string Expected(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, JsonForm.Options))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static string Actual(Action<JsonLine> write)
    {
        var line = new JsonLine();
        line.BeginObject();
        write(line);
        line.EndObject();
        return Encoding.UTF8.GetString(line.Written);
    }
}
