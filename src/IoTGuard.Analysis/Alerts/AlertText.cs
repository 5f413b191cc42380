using System.Text;

namespace IoTGuard.Analysis.Alerts;

/// <summary>Fills the sentence of a rule from the measures of an alert.</summary>
internal static class AlertText
{
    /// <summary>Replaces {device}, {peer}, {count} and the names of measures. What stands in brackets at the end is left out where its measure is not there.</summary>
    public static string Render(string template, OpenAlert open)
    {
        var text = new StringBuilder(template.Length + 128);
        var optional = template.EndsWith(']') ? template.LastIndexOf('[') : -1;
        if (optional < 0 || MeasureIn(template.AsSpan(optional)) is not { IsEmpty: false } name)
        {
            Render(template, open, text);
        }
        else
        {
            Render(template.AsSpan(0, optional), open, text);
            if (Has(name, open))
                Render(template.AsSpan(optional).Trim("[]"), open, text);
        }

        if (text.Length > 0)
            text[0] = char.ToUpperInvariant(text[0]);
        return text.ToString();
    }

    /// <summary>The first name in braces; empty when there is none.</summary>
    private static ReadOnlySpan<char> MeasureIn(ReadOnlySpan<char> part)
    {
        var start = part.IndexOf('{') + 1;
        var length = part[start..].IndexOf('}');
        return start == 0 || length < 0 ? default : part.Slice(start, length);
    }

    private static bool Has(ReadOnlySpan<char> name, OpenAlert open)
    {
        foreach (var measure in open.Measures)
        {
            if (name.SequenceEqual(measure.Name))
                return true;
        }

        return false;
    }

    private static void Render(ReadOnlySpan<char> rest, OpenAlert open, StringBuilder text)
    {
        while (!rest.IsEmpty)
        {
            var start = rest.IndexOf('{');
            var end = start < 0 ? -1 : rest[start..].IndexOf('}') + start;
            if (end <= start)
            {
                text.Append(rest);
                break;
            }

            var name = rest[(start + 1)..end];
            text.Append(rest[..start]).Append(Value(name, open));
            rest = rest[(end + 1)..];
            if (UnitOfOne(name, open) is { } unit && rest.Length > unit.Length && rest[0] == ' ' && rest[1..].StartsWith(unit, StringComparison.Ordinal))
            {
                text.Append(' ').Append(Singular(unit));
                rest = rest[(unit.Length + 1)..];
            }
        }
    }

    /// <summary>A device for people: role, name and address, as far as they are known.</summary>
    public static string Name(AlertEndpoint? endpoint)
    {
        if (endpoint is null)
            return "an unknown device";
        var address = endpoint.Ip ?? endpoint.Mac ?? "unknown";
        if (endpoint.Role == "outside")
            return $"the outside address {address}";
        var role = (endpoint.Role ?? "device").Replace('-', ' ');
        return endpoint.Name is null ? $"the {role} {address}" : $"the {role} {endpoint.Name} ({address})";
    }

    private static string Bytes(double number)
    {
        var (scale, unit) = number switch { >= 1e9 => (1e9, "GB"), >= 1e6 => (1e6, "MB"), >= 1e4 => (1e3, "kB"), 1 => (1, "byte"), _ => (1, "bytes") };
        return string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{number / scale:0.#} {unit}");
    }

    /// <summary>The last word of the unit of a measure that is 1: the sentence speaks of one record, not of "1 records".</summary>
    private static string? UnitOfOne(ReadOnlySpan<char> name, OpenAlert open)
    {
        foreach (var measure in open.Measures)
        {
            if (name.SequenceEqual(measure.Name) && measure.Observed == "1" && measure.Unit.EndsWith('s') && measure.Unit.Length > 1)
                return measure.Unit;
        }

        return null;
    }

    private static string Singular(string plural) =>
        plural.EndsWith("ies", StringComparison.Ordinal) ? plural[..^3] + "y"
        : plural.EndsWith("sses", StringComparison.Ordinal) ? plural[..^2]
        : plural[..^1];

    private static string Value(ReadOnlySpan<char> name, OpenAlert open)
    {
        switch (name)
        {
            case "device":
                return Name(open.Alert.Device);
            case "peer":
                return open.Alert.Peer is null ? "another device" : Name(open.Alert.Peer);
            case "count":
                return Measure.Format(open.Alert.Count);
        }

        foreach (var measure in open.Measures)
        {
            if (name.SequenceEqual(measure.Name))
            {
                return measure.Unit switch
                {
                    "s" or "%" => $"{measure.Observed} {measure.Unit}",
                    "bytes" => Bytes(measure.Number),
                    _ => measure.Observed,
                };
            }
        }

        return "?";
    }
}
