using System.Text;

namespace IoTGuard.Analysis.Alerts;

/// <summary>Fills the sentence of a rule from the measures of an alert.</summary>
internal static class AlertText
{
    /// <summary>Replaces {device}, {peer}, {count} and the names of measures.</summary>
    public static string Render(string template, OpenAlert open)
    {
        var text = new StringBuilder(template.Length + 128);
        var rest = template.AsSpan();
        while (!rest.IsEmpty)
        {
            var start = rest.IndexOf('{');
            var end = start < 0 ? -1 : rest[start..].IndexOf('}') + start;
            if (end <= start)
            {
                text.Append(rest);
                break;
            }

            text.Append(rest[..start]).Append(Value(rest[(start + 1)..end], open));
            rest = rest[(end + 1)..];
        }

        if (text.Length > 0)
            text[0] = char.ToUpperInvariant(text[0]);
        return text.ToString();
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
                return measure.Unit is "s" or "%" ? $"{measure.Observed} {measure.Unit}" : measure.Observed;
        }

        return "?";
    }
}
