using System.Text.Json;
using IoTGuard.TestSupport;

namespace IoTGuard.Tests.Oracle;

/// <summary>Over the shipped captures, what tshark sees of DICOM the program sees, with the same values.</summary>
public sealed class DicomTsharkTests
{
    /// <summary>Every difference that may be there, and why. A difference of any other kind fails the test.</summary>
    private static readonly (string What, Func<DicomConversation, DicomConversation, bool> Where, string Why)[] Differences =
    [
        ("connection", static (theirs, ours) => theirs.Pdus.Sum() == 0 && ours.Faults.Contains("association PDU above any sane size"),
            "a first PDU of 2 GiB: tshark does not take it for DICOM, we tell it as a fault"),
        ("titles", static (_, ours) => ours.Faults.Contains("association PDU above any sane size"),
            "of a request that says it has 4 GiB nothing but the header is believed"),
        ("accepts", static (_, ours) => ours.Faults.Contains("A-ASSOCIATE-AC that nobody asked for"),
            "an accept from the wrong side is a PDU to tshark and a fault to us"),
        ("bytes", static (_, ours) => ours.Faults.Count > 0,
            "P-DATA-TF that break the protocol belong to no operation: they are told as faults, not counted as bytes of one"),
        ("unreadable", static (_, ours) => ours.Faults.Count > 0, "a command set that breaks the standard is a malformed tag to tshark and a fault to us"),
        ("unreadable", static (theirs, ours) => theirs.Unreadable == ours.FinalResponses.Count - theirs.FinalResponses.Count,
            "tshark 4.0 joins a response to the JPEG fragments that came before it on the same context, and shows no elements of it"),
    ];

    private static readonly Dictionary<string, int> Fields = new(StringComparer.Ordinal)
    {
        ["c_store"] = 0x0001,
        ["c_get"] = 0x0010,
        ["c_find"] = 0x0020,
        ["c_move"] = 0x0021,
        ["c_echo"] = 0x0030,
        ["c_cancel"] = 0x0FFF,
        ["n_event_report"] = 0x0100,
        ["n_get"] = 0x0110,
        ["n_set"] = 0x0120,
        ["n_action"] = 0x0130,
        ["n_create"] = 0x0140,
        ["n_delete"] = 0x0150,
    };

    [Theory]
    [InlineData("hospital-benign.pcapng")]
    [InlineData("hospital-attacks.pcapng")]
    public void EveryAssociationPduAndCommandIsTheSame(string name)
    {
        var capture = Repository.PathOf("captures", name);
        Assert.SkipUnless(File.Exists(capture), $"no capture {name}");
        Assert.SkipUnless((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(p => File.Exists(Path.Combine(p, "tshark"))), "tshark is not installed");
        using var folder = new TemporaryFolder();
        var tshark = ProgramRun.Shell($"tshark -r '{capture}' {TsharkDicom.Options} > '{folder["dicom.pdml"]}'");
        Assert.True(tshark.Status == 0, tshark.Error);
        Assert.Equal(0, ProgramRun.Of("analyze", capture, "--transactions", folder["transactions.jsonl"]).Status);

        var theirs = TsharkDicom.Read(folder["dicom.pdml"]);
        var ours = ReadTransactions(folder["transactions.jsonl"]);
        Assert.True(theirs.Count > 100 && theirs.Values.Sum(c => c.Requests.Count) > 300, "tshark saw hardly anything");
        var unexplained = theirs.Keys.Union(ours.Keys).Order(StringComparer.Ordinal)
            .SelectMany(key => Compare(key, theirs.GetValueOrDefault(key), ours.GetValueOrDefault(key))).ToList();
        Assert.True(unexplained.Count == 0, string.Join('\n', unexplained.Take(40)));
    }

    private static IEnumerable<string> Compare(string key, DicomConversation? theirs, DicomConversation? ours)
    {
        var found = new List<(string What, string Text)>();
        if (theirs is null || ours is null)
        {
            found.Add(("connection", $"connection {key}: {(theirs is null ? "tshark" : "the program")} sees no DICOM"));
            return Unexplained(found, theirs ?? new DicomConversation(), ours ?? new DicomConversation());
        }

        void Differ<T>(string what, T their, T our)
        {
            if (!EqualityComparer<T>.Default.Equals(their, our))
                found.Add((what, $"{what} {key}: tshark {their}, we {our}; faults: {string.Join(", ", ours.Faults)}"));
        }

        Differ("titles", Text(theirs.Titles), Text(ours.Titles));
        Differ("requests", theirs.Pdus[1], ours.Pdus[1]);
        Differ("accepts", theirs.Pdus[2], ours.Pdus[2]);
        Differ("rejects", theirs.Pdus[3], ours.Pdus[3]);
        Differ("release responses", theirs.Pdus[6], ours.Pdus[6]);
        Differ("aborts", theirs.Pdus[7], ours.Pdus[7]);
        Differ("bytes", theirs.DataBytes, ours.DataBytes);
        Differ("commands", Text(theirs.Requests), Text(ours.Requests));
        Differ("unreadable", theirs.Unreadable, 0);
        if (theirs.Unreadable == 0)
        {
            Differ("final responses", Text(theirs.FinalResponses), Text(ours.FinalResponses));
            Differ("pending responses", theirs.PendingResponses, ours.PendingResponses);
        }

        return Unexplained(found, theirs, ours);
    }

    private static IEnumerable<string> Unexplained(List<(string What, string Text)> found, DicomConversation theirs, DicomConversation ours) =>
        found.Where(d => !Differences.Any(known => known.What == d.What && known.Where(theirs, ours))).Select(d => d.Text);

    private static string Text<T>(IEnumerable<T> values) => string.Join(", ", values.Select(v => v!.ToString()).Order(StringComparer.Ordinal));

    private static Dictionary<string, DicomConversation> ReadTransactions(string path)
    {
        var conversations = new Dictionary<string, DicomConversation>(StringComparer.Ordinal);
        foreach (var line in File.ReadLines(path))
        {
            using var json = JsonDocument.Parse(line);
            var transaction = json.RootElement;
            if (transaction.GetProperty("protocol").GetString() != "dicom")
                continue;
            var (client, server) = (transaction.GetProperty("client"), transaction.GetProperty("server"));
            var key = TsharkDicom.Key(
                client.GetProperty("ip").GetString()!, client.GetProperty("port").GetInt32(), server.GetProperty("ip").GetString()!, server.GetProperty("port").GetInt32());
            if (!conversations.TryGetValue(key, out var conversation))
                conversations[key] = conversation = new DicomConversation();
            Take(conversation, transaction);
        }

        return conversations;
    }

    private static void Take(DicomConversation conversation, JsonElement transaction)
    {
        var kind = transaction.GetProperty("event").GetString()!;
        switch (kind)
        {
            case "associate_accept" or "associate_reject" or "associate_request":
                conversation.Pdus[1]++;
                conversation.Titles.Add($"{Name(transaction, "calling_ae")}→{Name(transaction, "called_ae")}");
                if (kind != "associate_request")
                    conversation.Pdus[kind == "associate_accept" ? 2 : 3]++;
                break;
            case "release":
                conversation.Pdus[6] += transaction.GetProperty("duration").ValueKind == JsonValueKind.Null ? 0 : 1;
                break;
            case "abort":
                conversation.Pdus[7]++;
                break;
            case "fault":
                conversation.Faults.Add(Name(transaction, "fault"));
                if (Name(transaction, "fault") == "association PDU above any sane size")
                    conversation.Pdus[1]++;
                break;
            case "association_end":
                break;
            default:
                TakeOperation(conversation, transaction, Fields[kind]);
                break;
        }
    }

    private static void TakeOperation(DicomConversation conversation, JsonElement transaction, int field)
    {
        var id = transaction.GetProperty("message_id").GetInt32();
        var contextId = transaction.GetProperty("context_id").GetInt32();
        conversation.DataBytes += transaction.GetProperty("bytes").GetInt64();
        conversation.Add(new DicomCommandSeen(field, id, contextId, -1, Name(transaction, "sop_class")));
        conversation.PendingResponses += transaction.TryGetProperty("pending_responses", out var pending) ? pending.GetInt32() : 0;
        if (transaction.TryGetProperty("status", out var status))
            conversation.Add(new DicomCommandSeen(field, id, contextId, status.GetInt32(), null));
    }

    private static string Name(JsonElement transaction, string property) =>
        transaction.TryGetProperty(property, out var value) ? value.GetString()! : "";
}
