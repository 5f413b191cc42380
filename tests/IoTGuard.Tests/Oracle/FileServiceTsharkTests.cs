using System.Collections.Concurrent;
using System.Text.Json;
using IoTGuard.TestSupport;

namespace IoTGuard.Tests.Oracle;

/// <summary>What tshark counts in file, directory, broker, controller, procedure and database traffic is what the program counts.</summary>
public sealed class FileServiceTsharkTests
{
    private const string Ndpi = "ndpi/tests/cfgs/default/pcap/";

    /// <summary>A count that both can make.</summary>
    /// <param name="Filter">Frames that tshark looks at.</param>
    /// <param name="Field">Field that is counted in them.</param>
    /// <param name="Value">Its value; empty = any.</param>
    /// <param name="Ours">What a transaction adds.</param>
    private sealed record Count(string Filter, string Field, string Value, Func<JsonElement, long> Ours);

    /// <summary>What the program says of each capture, asked once.</summary>
    private static readonly ConcurrentDictionary<string, List<JsonElement>> Transactions = new(StringComparer.Ordinal);

    private static readonly Dictionary<string, Count> Counts = new(StringComparer.Ordinal)
    {
        ["smb2 opens"] = new("smb2.cmd==5 && smb2.flags.response==0 && !(smb2.tree contains \"IPC$\")", "smb2.cmd", "5", t => Of(t, "smb", "files", "opens", 2)),
        ["smb2 writes"] = new("smb2.cmd==9 && smb2.flags.response==0 && !(smb2.tree contains \"IPC$\")", "smb2.cmd", "9", t => Of(t, "smb", "files", "writes", 2)),
        ["smb2 reads"] = new("smb2.cmd==8 && smb2.flags.response==0 && !(smb2.tree contains \"IPC$\")", "smb2.cmd", "8", t => Of(t, "smb", "files", "reads", 2)),
        ["smb2 trees"] = new("smb2.cmd==3 && smb2.flags.response==1", "smb2.cmd", "3", t => Of(t, "smb", "tree", "", 2)),
        ["smb2 refused log-ons"] = new("smb2.cmd==1 && smb2.nt_status==0xc000006d", "smb2.nt_status", "0xc000006d", t => t.TryGetProperty("status_name", out var s) && s.GetString() == "logon_failure" ? Of(t, "smb", "session", "", 2) : 0),
        ["smb2 encrypted messages"] = new("smb2.header.transform.msg_size", "smb2.header.transform.msg_size", "", t => Of(t, "smb", "files", "encrypted_messages", 2)),
        ["smb1 opens"] = new("smb.cmd==0xa2 && smb.flags.response==0", "smb.cmd", "0xa2", t => Of(t, "smb", "files", "opens", 1)),
        ["smb1 trees"] = new("smb.cmd==0x75 && smb.flags.response==1", "smb.cmd", "0x75", t => Of(t, "smb", "tree", "", 1)),
        ["ldap binds"] = new("ldap.protocolOp==0", "ldap.protocolOp", "0", t => Of(t, "ldap", "bind", "")),
        ["ldap entries"] = new("ldap.protocolOp==4", "ldap.protocolOp", "4", t => Of(t, "ldap", "search", "entries")),
        ["mqtt connects"] = new("mqtt.msgtype==1", "mqtt.msgtype", "1", t => Of(t, "mqtt", "connect", "")),
        ["mqtt messages"] = new("mqtt.msgtype==3", "mqtt.msgtype", "3", t => Of(t, "mqtt", "publish", "messages")),
        ["modbus requests"] = new("modbus && tcp.dstport==502", "modbus.func_code", "", t => Of(t, "modbus", "function", "requests")),
        ["modbus exceptions"] = new("modbus.exception_code", "modbus.exception_code", "", t => Of(t, "modbus", "function", "exceptions")),
        ["rpc calls"] = new("rpc.msgtyp==0", "rpc.msgtyp", "0", t => Of(t, "oncrpc", "call", "calls")),
        ["mysql greetings"] = new("mysql.version", "mysql.version", "", t => t.TryGetProperty("server_version", out _) ? Of(t, "mysql", "connect", "") : 0),
        ["postgresql start-ups"] = new("pgsql.parameter_name==\"user\"", "pgsql.parameter_name", "user", t => Of(t, "postgresql", "connect", "")),
    };

    [Theory]
    [InlineData("smb.pcapng", "smb2 opens", 10)]
    [InlineData("smb.pcapng", "smb2 writes", 8)]
    [InlineData("smb.pcapng", "smb2 reads", 4)]
    [InlineData("smb.pcapng", "smb2 trees", 10)]
    [InlineData("smb.pcapng", "smb2 encrypted messages", 10)]
    [InlineData("smb.pcapng", "smb1 opens", 2)]
    [InlineData("smb.pcapng", "smb1 trees", 4)]
    [InlineData("smb-attacks.pcapng", "smb2 opens", 100)]
    [InlineData("smb-attacks.pcapng", "smb2 writes", 30)]
    [InlineData("smb-attacks.pcapng", "smb2 reads", 30)]
    [InlineData("smb-attacks.pcapng", "smb2 trees", 100)]
    [InlineData("smb-attacks.pcapng", "smb2 refused log-ons", 14)]
    [InlineData("services.pcapng", "ldap binds", 5)]
    [InlineData("services.pcapng", "ldap entries", 10)]
    [InlineData("services.pcapng", "mqtt connects", 5)]
    [InlineData("services.pcapng", "mqtt messages", 5)]
    [InlineData("services.pcapng", "modbus requests", 12)]
    [InlineData("services.pcapng", "modbus exceptions", 1)]
    [InlineData("services.pcapng", "rpc calls", 4)]
    [InlineData("services.pcapng", "mysql greetings", 2)]
    [InlineData("services.pcapng", "postgresql start-ups", 2)]
    public void Own_captures_agree(string capture, string count, int least) => Compare(Repository.PathOf("captures", capture), count, least);

    [Theory]
    [InlineData("smb_deletefile.pcap", "smb2 opens", 1)]
    [InlineData("mqtt.pcap", "mqtt messages", 1)]
    [InlineData("modbus.pcap", "modbus requests", 10)]
    [InlineData("nfsv2.pcap", "rpc calls", 10)]
    [InlineData("nfsv3.pcap", "rpc calls", 10)]
    public void Others_captures_agree(string capture, string count, int least) =>
        Compare(Repository.SharedDataOrSkip(["captures", .. (Ndpi + capture).Split('/')]), count, least);

    private static List<JsonElement> Analyze(string capture)
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(0, ProgramRun.Of("analyze", capture, "--transactions", folder["transactions.jsonl"]).Status);
        return [.. File.ReadLines(folder["transactions.jsonl"]).Select(l => JsonDocument.Parse(l).RootElement)];
    }

    private static void Compare(string capture, string name, int least)
    {
        Assert.SkipUnless((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(p => File.Exists(Path.Combine(p, "tshark"))), "tshark is not installed");
        var count = Counts[name];
        var tshark = ProgramRun.Shell($"tshark -n -2 -d tcp.port==1884,mqtt -r '{capture}' -Y '{count.Filter}' -T fields -e {count.Field} -E occurrence=a -E aggregator=,");
        Assert.True(tshark.Status == 0, tshark.Error);
        var theirs = tshark.OutputLines.SelectMany(l => l.Split(',')).LongCount(v => v.Length > 0 && (count.Value.Length == 0 || v == count.Value));
        var ours = Transactions.GetOrAdd(capture, Analyze).Sum(count.Ours);
        Assert.InRange(theirs, least, long.MaxValue);
        Assert.Equal(theirs, ours);
    }

    /// <summary>A number of the transactions of one kind; 1 each when no field is named.</summary>
    private static long Of(JsonElement transaction, string protocol, string kind, string field, int version = 0)
    {
        if (transaction.GetProperty("protocol").GetString() != protocol || transaction.GetProperty("event").GetString() != kind)
            return 0;
        if (version != 0 && transaction.GetProperty("version").GetInt32() != version)
            return 0;
        return field.Length == 0 ? 1 : transaction.TryGetProperty(field, out var value) ? value.GetInt64() : 0;
    }
}
