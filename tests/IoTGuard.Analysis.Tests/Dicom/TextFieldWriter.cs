using System.Globalization;
using System.Text;
using IoTGuard.Analysis.Sessions;

namespace IoTGuard.Analysis.Tests.Dicom;

/// <summary>Writes the fields of a transaction as name=value, for comparison.</summary>
internal readonly struct TextFieldWriter(StringBuilder text) : IFieldWriter
{
    public static string Describe(Transaction transaction)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{transaction.EventName} time={transaction.TimeNs} client={transaction.ClientPort} duration={transaction.DurationNs} bytes={transaction.Bytes}");
        var writer = new TextFieldWriter(text);
        transaction.WriteFields(ref writer);
        return text.ToString();
    }

    public void Text(string name, string? value)
    {
        if (value is not null)
            text.Append(CultureInfo.InvariantCulture, $" {name}='{value}'");
    }

    public void Text(string name, ReadOnlySpan<byte> value)
    {
        if (!value.IsEmpty)
            text.Append(CultureInfo.InvariantCulture, $" {name}='{Encoding.Latin1.GetString(value)}'");
    }

    public void Number(string name, long value) => text.Append(CultureInfo.InvariantCulture, $" {name}={value}");

    public void Real(string name, double value) => text.Append(CultureInfo.InvariantCulture, $" {name}={value}");

    public void Flag(string name, bool value) => text.Append(CultureInfo.InvariantCulture, $" {name}={value}");

    public void Pseudonym(string name, Pseudonym value) => text.Append(CultureInfo.InvariantCulture, $" {name}={value}");

    public void List(string name, ReadOnlySpan<string> values) => text.Append(CultureInfo.InvariantCulture, $" {name}=[{string.Join(',', values.ToArray())}]");

    public void BeginObject(string name) => text.Append(CultureInfo.InvariantCulture, $" {name}{{");

    public void EndObject() => text.Append(" }");
}
