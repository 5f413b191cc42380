using System.Text.Json;
using IoTGuard.TestSupport;

namespace IoTGuard.Tests.Oracle;

/// <summary>Every HL7 message that tshark sees, the program sees once, with the same header and acknowledgement code.</summary>
public sealed class Hl7TsharkTests
{
    /// <summary>
    /// Three traps of tshark 4.0: in one pass its heuristics miss the first message of a connection (hence -2), of several messages in the segment that
    /// shows it the protocol it takes only the first (hence the ports, which a first run of it finds), and a last segment without CR is missing among
    /// hl7.segment (hence hl7.raw).
    /// </summary>
    private const string Options = "-n -2 -o tcp.reassemble_out_of_order:TRUE -o hl7.display_raw:TRUE -Y hl7 -T json -e ip.src -e ipv6.src -e tcp.srcport -e hl7.raw";

    /// <summary>Every message that we may see and tshark not, and why. Any other difference fails the test.</summary>
    private static readonly (Func<JsonElement, bool> Where, string Why)[] OnlyOurs =
    [
        (static m => m.TryGetProperty("batched", out _), "tshark does not take a frame that begins with FHS or BHS for HL7"),
        (static m => Text(m, "fault") == "no_end_block", "tshark shows nothing of a frame without its end block"),
    ];

    /// <summary>A message as either side has it.</summary>
    private sealed record Seen(
        string Sender, string Type, string ControlId, string SendingApplication, string SendingFacility, string ReceivingApplication, string ReceivingFacility, string AckCode);

    [Theory]
    [InlineData("hospital-benign.pcapng")]
    [InlineData("hospital-attacks.pcapng")]
    public void EveryMessageOfTheShippedCapturesIsTheSame(string name)
    {
        var capture = Repository.PathOf("captures", name);
        Assert.SkipUnless(File.Exists(capture), $"no capture {name}");
        Assert.InRange(Compare(capture), 1000, int.MaxValue);
    }

    [Theory]
    [InlineData("tapirx/testdata/HL7-ADT.pcap")]
    [InlineData("tapirx/testdata/HL7-ORM.pcap")]
    [InlineData("tapirx/testdata/HL7-ORU.pcap")]
    [InlineData("tapirx/testdata/HL7-ADT-UDI-PRT.pcap")]
    [InlineData("tapirx/testdata/HL7-ADT-UDI-OBX.pcap")]
    [InlineData("ndpi/tests/cfgs/default/pcap/hl7.pcap")]
    public void EveryMessageOfOthersCapturesIsTheSame(string path) =>
        Assert.InRange(Compare(Repository.SharedDataOrSkip(["captures", .. path.Split('/')])), 2, int.MaxValue);

    /// <summary>Compares and returns the number of messages that both saw.</summary>
    private static int Compare(string capture)
    {
        Assert.SkipUnless((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(p => File.Exists(Path.Combine(p, "tshark"))), "tshark is not installed");
        using var folder = new TemporaryFolder();
        var ports = ProgramRun.Shell($"tshark -n -r '{capture}' -Y hl7 -T fields -e tcp.srcport -e tcp.dstport");
        var decodeAs = string.Concat(ports.OutputLines.Select(l => l.Split('\t').Min(int.Parse)).Distinct().Select(p => $" -d tcp.port=={p},hl7"));
        var tshark = ProgramRun.Shell($"tshark -r '{capture}'{decodeAs} {Options} > '{folder["hl7.json"]}'");
        Assert.True(tshark.Status == 0, tshark.Error);
        Assert.Equal(0, ProgramRun.Of("analyze", capture, "--transactions", folder["transactions.jsonl"]).Status);

        using var json = JsonDocument.Parse(File.ReadAllText(folder["hl7.json"]));
        var theirs = json.RootElement.EnumerateArray().SelectMany(p => Theirs(p.GetProperty("_source").GetProperty("layers"))).ToList();
        var (ours, explained) = Ours(folder["transactions.jsonl"]);

        var onlyTheirs = Minus(theirs, [.. ours, .. explained]);
        Assert.True(onlyTheirs.Count == 0, $"only tshark sees {onlyTheirs.Count}: {string.Join('\n', onlyTheirs.Take(20))}");
        var onlyOurs = Minus(ours, theirs);
        Assert.True(onlyOurs.Count == 0, $"only the program sees {onlyOurs.Count}: {string.Join('\n', onlyOurs.Take(20))}");
        return theirs.Count;
    }

    private static IEnumerable<Seen> Theirs(JsonElement layers)
    {
        string First(string name) => layers.TryGetProperty(name, out var values) ? values[0].GetString()! : "";
        var sender = $"{(First("ip.src").Length > 0 ? First("ip.src") : First("ipv6.src"))} {First("tcp.srcport")}";
        foreach (var raw in layers.GetProperty("hl7.raw").EnumerateArray())
        {
            // tshark writes CR and LF as \r and \n, and no backslash is escaped before them.
            var segments = raw.GetString()!.Replace("\\r", "\r", StringComparison.Ordinal).Replace("\\n", "\r", StringComparison.Ordinal).Split(['\r', '\n']);
            string[] header = [];
            var code = "";
            foreach (var segment in segments)
            {
                if (segment.StartsWith("MSH", StringComparison.Ordinal) && header.Length > 0)
                    yield return Message(header, code);
                if (segment.StartsWith("MSH", StringComparison.Ordinal))
                    (header, code) = (segment.Split(segment[3]), "");
                else if (segment.StartsWith("MSA", StringComparison.Ordinal) && header.Length > 0)
                    code = segment.Split(segment[3]).ElementAtOrDefault(1) ?? "";
            }

            Assert.NotEmpty(header);
            yield return Message(header, code);
        }

        Seen Message(string[] header, string code)
        {
            string Field(int number) => (header.ElementAtOrDefault(number - 1) ?? "").Trim();
            var type = Field(9).Split(header[1][0]);
            var joined = type.Length > 1 && type[1].Length > 0 ? $"{type[0]}^{type[1]}" : type[0];
            return new Seen(sender, joined, Field(10), Field(3), Field(4), Field(5), Field(6), code);
        }
    }

    private static (List<Seen> Ours, List<Seen> Explained) Ours(string path)
    {
        var (ours, explained) = (new List<Seen>(), new List<Seen>());
        foreach (var line in File.ReadLines(path))
        {
            using var json = JsonDocument.Parse(line);
            var m = json.RootElement;
            if (Text(m, "protocol") != "hl7" || Text(m, "event") == "fault")
                continue;
            // An acknowledgement's client is the endpoint that it acknowledges.
            var isAck = Text(m, "event") == "ack";
            var sender = m.GetProperty(isAck ? "server" : "client");
            var seen = new Seen(
                $"{Text(sender, "ip")} {sender.GetProperty("port").GetInt32()}", Text(m, "message_type"), Text(m, "control_id"), Text(m, "sending_application"),
                Text(m, "sending_facility"), Text(m, "receiving_application"), Text(m, "receiving_facility"), isAck ? Text(m, "ack_code") : "");
            (OnlyOurs.Any(known => known.Where(m)) ? explained : ours).Add(seen);
        }

        return (ours, explained);
    }

    private static List<Seen> Minus(List<Seen> all, List<Seen> without)
    {
        var counts = without.CountBy(s => s).ToDictionary();
        return [.. all.Where(s => !counts.TryGetValue(s, out var left) || (counts[s] = left - 1) < 0)];
    }

    private static string Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
