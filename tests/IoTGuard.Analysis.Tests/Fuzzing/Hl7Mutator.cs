using System.Text;

namespace IoTGuard.Analysis.Tests.Fuzzing;

/// <summary>Changes what a side of an HL7 connection sent: frames, segments, fields, components, delimiters.</summary>
internal static class Hl7Mutator
{
    /// <summary>Bytes that one repetition makes at most: repetitions of repetitions would fill all memory before anything is tested.</summary>
    private const int MaximumRepeatedBytes = 1 << 20;

    private static readonly string[] Values =
    [
        "", "\"\"", "^", "^^^^", "~", "&&&", "\\F\\", "\\X0D0A\\", "\\", "|", "A01", "ADT^A01", "ORU^R01^ORU_R01", "2.99", "99999999999999999999", "-1", "\v", "\u001c", "\u001c\r",
        "\0", "\u00e9\u00ff", "MSH", "BHS", "ACK", new('x', 300), new('^', 3000), new('~', 70_000), "20269999", "UNICODE UTF-8",
    ];

    public static byte[] Mutate(byte[] bytes, Random random)
    {
        var segments = Encoding.Latin1.GetString(bytes).Split('\r').ToList();
        for (var change = 1 + random.Next(3); change > 0; change--)
        {
            var at = random.Next(segments.Count);
            switch (random.Next(8))
            {
                case 0 when segments.Count > 1:
                    segments.RemoveAt(at);
                    break;
                case 1:
                    segments.Insert(random.Next(segments.Count + 1), segments[at]);
                    break;
                case 2:
                    (segments[at], segments[0]) = (segments[0], segments[at]);
                    break;
                case 3 when segments[at].Length > 8:
                    // MSH-1 and MSH-2 are the delimiters themselves.
                    var text = segments[at].ToCharArray();
                    text[random.Next(3, 9) % text.Length] = "|^~\\&#!\r\v\0A"[random.Next(11)];
                    segments[at] = new string(text);
                    break;
                case 4:
                    segments[at] = string.Concat(Enumerable.Repeat(segments[at] + "\r", Math.Min(random.Next(300), MaximumRepeatedBytes / (segments[at].Length + 1))));
                    break;
                default:
                    segments[at] = InField(segments[at], random);
                    break;
            }
        }

        return Encoding.Latin1.GetBytes(string.Join('\r', segments));
    }

    private static string InField(string segment, Random random)
    {
        var fields = segment.Split('|');
        var at = random.Next(fields.Length);
        var components = fields[at].Split('^');
        components[random.Next(components.Length)] = Values[random.Next(Values.Length)];
        fields[at] = random.Next(3) == 0 ? Values[random.Next(Values.Length)] : string.Join('^', components);
        return string.Join('|', fields);
    }
}
