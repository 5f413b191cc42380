using System.Collections.Concurrent;
using System.Text.Json;
using IoTGuard.TestSupport;

namespace IoTGuard.Tests.Oracle;

/// <summary>What tshark reads of names, addresses, management, building technology and the web, the program reads too: every message, with the same values, and none more.</summary>
/// <remarks>
/// A transaction of ours holds a request with its answer, so requests and answers are compared apart. Not compared, since the two tell different things:
/// tshark shows a request whose body does not come to its end only when it is told not to put bodies together.
/// mDNS and WS-Discovery (we tell one line per message, tshark each record), POCT1-A, LIS and IntelliVue, which tshark 4.0 does not know.
/// </remarks>
public sealed class NamesAndWebTsharkTests
{
    private const string Ndpi = "ndpi/tests/cfgs/default/pcap/";

    /// <summary>What both can tell of messages of one kind.</summary>
    /// <param name="Filter">Frames that tshark looks at.</param>
    /// <param name="Fields">Fields of tshark, which make one text a message, with a blank between them.</param>
    /// <param name="Protocols">Protocols of our transactions.</param>
    /// <param name="Ours">The same text from a transaction; null = it tells nothing of the kind.</param>
    private sealed record Telling(string Filter, string[] Fields, string[] Protocols, Func<JsonElement, string?> Ours)
    {
        /// <summary>f = the first value of a field in a frame, a = all of them: frames that hold several messages.</summary>
        public string Occurrence { get; init; } = "f";

        /// <summary>What tshark must be told of the capture.</summary>
        public string[] Arguments { get; init; } = [];
    }

    private static readonly Dictionary<string, Telling> Tellings = new(StringComparer.Ordinal)
    {
        ["dns queries"] = new("dns && (udp.port==53 || tcp.port==53) && dns.flags.response==0", ["dns.qry.name", "dns.qry.type"], ["dns"], t => Number(t, "query_bytes") > 0 ? Texts(t, "name") + " " + TypeCode(t) : null),
        ["dns answers"] = new("dns && (udp.port==53 || tcp.port==53) && dns.flags.response==1", ["dns.qry.name", "dns.flags.rcode", "dns.count.answers"], ["dns"],
            t => Number(t, "response_bytes") > 0 ? $"{Texts(t, "name")} {Rcode(t)} {Texts(t, "answers")}" : null),
        ["llmnr"] = new("llmnr", ["dns.qry.name", "dns.count.answers"], ["llmnr"], t => Texts(t, "name") + " " + Texts(t, "answers")),
        ["dhcp"] = new("dhcp", ["dhcp.option.dhcp", "dhcp.hw.mac_addr", "dhcp.option.hostname", "dhcp.option.vendor_class_id"], ["dhcp"],
            t => $"{DhcpCode(Event(t))} {Texts(t, "hardware_address", "host_name", "vendor_class")}"),
        ["dhcpv6"] = new("dhcpv6", ["dhcpv6.msgtype", "dhcpv6.xid"], ["dhcpv6"], t => $"{Dhcpv6Code(Event(t))} {Texts(t, "transaction_id")}"),
        ["snmp requests"] = new("snmp.version < 3 && (snmp.get_request_element || snmp.get_next_request_element || snmp.getBulkRequest_element || snmp.snmpV2_trap_element)",
            ["snmp.version"], ["snmp"], t => Texts(t, "version") switch { "1" => "0", "2c" => "1", _ => null }),
        ["ntp requests"] = new("ntp.flags.mode==3", ["ntp.flags.vn"], ["ntp"], t => Texts(t, "version")),
        ["radius requests"] = new("radius.code==1", ["radius.code"], ["radius"], t => Event(t) == "access_request" ? "1" : null),
        ["kerberos requests"] = new("kerberos.msg_type==10 || kerberos.msg_type==12", ["kerberos.msg_type", "kerberos.realm"], ["kerberos"],
            t => Event(t) switch { "as_request" => "10 ", "tgs_request" => "12 ", _ => null } + Texts(t, "realm")),
        ["coap requests"] = new("coap.code >= 1 && coap.code <= 4", ["coap.code"], ["coap"], t => Event(t) switch { "get" => "1", "post" => "2", "put" => "3", "delete" => "4", _ => null }),
        ["bacnet writes"] = new("bacapp.type==0 && bacapp.confirmed_service==15", ["bacapp.instance_number"], ["bacnet"], t => Event(t) == "write_property" ? Texts(t, "instance") : null),
        ["http requests"] = new("http.request && tcp", ["http.request.method", "http.host"], ["http"], t => t.TryGetProperty("method", out _) ? Texts(t, "method", "host") : null) { Arguments = ["-o", "http.desegment_body:FALSE"] },
        ["http responses"] = new("tcp && http.response && http.response.code >= 200", ["http.response.code"], ["http"], t => Texts(t, "status") is { Length: > 0 } status ? status : null),
        ["http2 requests"] = new("http2.headers.method", ["http2.headers.method", "http2.headers.authority"], ["http2"], t => Texts(t, "method", "host")) { Occurrence = "a", Arguments = ["-d", "tcp.port==8081,http2"] },
        ["sip"] = new("sip && !(sip.Status-Code)", ["sip.Method"], ["sip"], t => Event(t) == "request" ? Texts(t, "method") : null),
        ["tftp"] = new("tftp.opcode==1", ["tftp.type"], ["tftp"], t => Event(t) == "read" ? Texts(t, "mode") : null),
    };

    private static readonly ConcurrentDictionary<string, List<JsonElement>> Transactions = new(StringComparer.Ordinal);

    [Theory]
    [InlineData("names.pcapng", "dns queries", 10)]
    [InlineData("names.pcapng", "dns answers", 8)]
    [InlineData("names.pcapng", "llmnr", 2)]
    [InlineData("names.pcapng", "dhcp", 4)]
    [InlineData("names.pcapng", "dhcpv6", 6)]
    [InlineData("names.pcapng", "snmp requests", 15)]
    [InlineData("names.pcapng", "ntp requests", 1)]
    [InlineData("names.pcapng", "radius requests", 2)]
    [InlineData("names.pcapng", "kerberos requests", 8)]
    [InlineData("names.pcapng", "coap requests", 2)]
    [InlineData("names.pcapng", "bacnet writes", 1)]
    [InlineData("names.pcapng", "tftp", 1)]
    [InlineData("web.pcapng", "http requests", 40)]
    [InlineData("web.pcapng", "http responses", 40)]
    [InlineData("web.pcapng", "http2 requests", 3)]
    [InlineData("web.pcapng", "sip", 3)]
    public void Own_captures_agree(string capture, string telling, int least) => Compare(Repository.PathOf("captures", capture), telling, least);

    [Theory]
    [InlineData("dns.pcap", "dns queries", 1)]
    [InlineData("http_auth.pcap", "http requests", 1)]
    [InlineData("sip.pcap", "sip", 1)]
    public void Others_captures_agree(string capture, string telling, int least) =>
        Compare(Repository.SharedDataOrSkip(["captures", .. (Ndpi + capture).Split('/')]), telling, least);

    private static void Compare(string capture, string name, int least)
    {
        Assert.SkipUnless((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(p => File.Exists(Path.Combine(p, "tshark"))), "tshark is not installed");
        var telling = Tellings[name];
        string[] arguments = ["-n", "-r", capture, "-o", "tcp.reassemble_out_of_order:TRUE", .. telling.Arguments, "-Y", $"({telling.Filter}) && !icmp && !icmpv6", "-T", "fields", "-E", "separator=|", "-E", "occurrence=" + telling.Occurrence, .. telling.Fields.SelectMany(static f => (string[])["-e", f])];
        var theirs = ProgramRun.Start("tshark", arguments, null, Repository.Root).OutputLines.SelectMany(static l => Messages(l.Split('|'))).Order(StringComparer.Ordinal).ToList();
        var ours = Transactions.GetOrAdd(capture, Analyze).Where(t => telling.Protocols.Contains(t.GetProperty("protocol").GetString()))
            .Select(telling.Ours).OfType<string>().Order(StringComparer.Ordinal).ToList();
        Assert.True(theirs.Count >= least, $"tshark tells {theirs.Count}");
        Assert.Equal(theirs, ours);
    }

    private static List<JsonElement> Analyze(string capture)
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(0, ProgramRun.Of("analyze", capture, "--transactions", folder["transactions.jsonl"]).Status);
        return [.. File.ReadLines(folder["transactions.jsonl"]).Select(l => JsonDocument.Parse(l).RootElement)];
    }

    /// <summary>The n-th values of all fields of a frame belong together.</summary>
    private static IEnumerable<string> Messages(string[] fields) =>
        Enumerable.Range(0, fields[0].Split(',').Length).Select(i => string.Join(' ', fields.Select(f => Plain(i < f.Split(',').Length ? f.Split(',')[i] : ""))));

    /// <summary>tshark shows the root as "&lt;Root&gt;", and some numbers in hexadecimal.</summary>
    private static string Plain(string value) =>
        value.StartsWith("0x", StringComparison.Ordinal) ? Convert.ToInt64(value, 16).ToString(System.Globalization.CultureInfo.InvariantCulture) : value == "<Root>" ? "." : value;

    private static string Event(JsonElement transaction) => transaction.GetProperty("event").GetString()!;

    private static string Texts(JsonElement transaction, params ReadOnlySpan<string> fields)
    {
        var texts = new List<string>();
        foreach (var field in fields)
            texts.Add(transaction.TryGetProperty(field, out var value) ? value.ToString() : "");
        return string.Join(' ', texts);
    }

    private static long Number(JsonElement transaction, string field) => transaction.TryGetProperty(field, out var value) ? value.GetInt64() : 0;

    private static int TypeCode(JsonElement transaction) => Texts(transaction, "type") switch
    {
        "A" => 1,
        "NS" => 2,
        "CNAME" => 5,
        "SOA" => 6,
        "PTR" => 12,
        "MX" => 15,
        "TXT" => 16,
        "AAAA" => 28,
        "SRV" => 33,
        "HTTPS" => 65,
        "ANY" => 255,
        var other => int.Parse(other.Replace("TYPE", "", StringComparison.Ordinal), System.Globalization.CultureInfo.InvariantCulture),
    };

    private static int Rcode(JsonElement transaction) => Texts(transaction, "rcode") switch { "NOERROR" => 0, "FORMERR" => 1, "SERVFAIL" => 2, "NXDOMAIN" => 3, "NOTIMP" => 4, "REFUSED" => 5, var other => throw new InvalidOperationException(other) };

    private static int DhcpCode(string name) => 1 + Array.IndexOf(["discover", "offer", "request", "decline", "ack", "nak", "release", "inform"], name);

    private static int Dhcpv6Code(string name) => 1 + Array.IndexOf(["solicit", "advertise", "request", "confirm", "renew", "rebind", "reply", "release", "decline", "reconfigure", "information_request"], name);
}
