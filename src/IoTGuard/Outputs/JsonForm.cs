using System.Text.Encodings.Web;
using System.Text.Json;

namespace IoTGuard.Outputs;

/// <summary>How JSON is written: readable ("+" and "&amp;" are not escaped: none is ever put into HTML unescaped).</summary>
internal static class JsonForm
{
    /// <summary>Of JSON lines: compact.</summary>
    public static JsonWriterOptions Options { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>Of a single value, which people read too.</summary>
    public static JsonWriterOptions Indented { get; } = Options with { Indented = true, NewLine = "\n" };

    /// <summary>Writes a single value, indented, and a line feed behind it.</summary>
    public static void Write(Stream stream, Action<Utf8JsonWriter> write)
    {
        using (var json = new Utf8JsonWriter(stream, Indented))
            write(json);
        stream.WriteByte((byte)'\n');
    }

    /// <summary>The same, to standard output.</summary>
    public static void Print(Action<Utf8JsonWriter> write)
    {
        using var output = Console.OpenStandardOutput();
        Write(output, write);
    }
}
