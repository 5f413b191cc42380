using System.Text.Encodings.Web;
using System.Text.Json;

namespace IoTGuard.Outputs;

/// <summary>How JSON lines are written: compact, and readable ("+" and "&amp;" are not escaped: no line is ever put into HTML unescaped).</summary>
internal static class JsonForm
{
    public static JsonWriterOptions Options { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };
}
