using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;
using System.Xml.Schema;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Outputs.Delivery;
using IoTGuard.Outputs.Formats;
using IoTGuard.TestSupport;
using IoTGuard.Tests.Syslog;

namespace IoTGuard.Tests.Outputs;

/// <summary>Every form of messages is held against its grammar or schema, for alerts of all kinds, at every size, and for heartbeats.</summary>
public sealed class FormatTests
{
    private static readonly Heartbeat Status = new(
        DateTimeOffset.FromUnixTimeSeconds(1_767_323_100), DateTimeOffset.FromUnixTimeSeconds(1_767_319_500), Packets: 1_234_567, KernelDrops: 8, Alerts: 3, Waiting: 2, Lost: 1);

    public static TheoryData<string> Forms => [.. FormatTable.All.Select(f => f.Name)];

    public static TheoryData<string> SyslogForms => [.. FormatTable.All.Where(f => f != FormatTable.PandoraEvent).Select(f => f.Name)];

    private static readonly AlertPhase[] Phases = [AlertPhase.Opened, AlertPhase.Updated, AlertPhase.Closed];

    private static MessageWriter Writer(string form, string address = "tcp://siem", int? max = null)
    {
        if (form == "pandora-event")
            address = "pandora+http://console/pandora_console";
        Assert.True(OutputSettings.TryParse($"{address}?format={form}{(max is null ? "" : $"&max={max}")}", out var settings, out var error), error);
        return new MessageWriter(settings!, new FormatContext("sensor-1", 4711, settings!.Enterprise));
    }

    /// <summary>The form itself, without a syslog header.</summary>
    private static string Body(string form, Alert alert, AlertPhase phase, int? max = null) => Encoding.UTF8.GetString(Writer(form, "file:///x", max).Write(alert, phase));

    private static IEnumerable<Alert> Alerts()
    {
        yield return Samples.Alert(1);
        var bare = Samples.Alert(2, "Something.");
        bare.Peer = null;
        bare.Ports = [];
        bare.CommunityIds = [];
        bare.Evidence = [];
        bare.PatientsAffected = null;
        bare.Protocol = null;
        bare.Device = new AlertEndpoint(null, "02:00:00:00:00:01", null, null, null, null);
        yield return bare;
        var model = Samples.Alert(3, severity: 10);
        model.Score = new ModelScore(0.0000123, [new Contribution("bytes_out", 1e9, "bytes", 0.7), new Contribution("duration", 0.1, "s", 0.3)]);
        model.Incident = "i-17";
        model.Device = model.Device with { Zone = "radiology" };
        yield return model;
        var hostile = Samples.Alert(4, "a|b=c\\d\ne\tf\r\0<x>&\"]\u2028\uD800 \uFFFE é中😀");
        hostile.Device = new AlertEndpoint("2001:db8::7", "00:11:22:33:44:55", "work=station", "|evil\n= ]>\"\\\tname\uDC00", "v\u0001", "m");
        hostile.Evidence = [new Evidence("e|=\n", "<&>\"", "\\", "\t")];
        yield return hostile;
        var large = Samples.Alert(5, string.Concat(Enumerable.Repeat("é中😀 long ", 2000)));
        large.CommunityIds = [.. Enumerable.Range(0, 300).Select(i => $"1:{i:d26}=")];
        large.Ports = [.. Enumerable.Range(1, 1000)];
        large.Evidence = [.. Enumerable.Range(0, 100).Select(i => new Evidence($"measure {i}", new string('9', 500), "1", "per hour"))];
        yield return large;
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Every_alert_in_every_phase_keeps_to_the_grammar(string form)
    {
        foreach (var alert in Alerts())
        {
            foreach (var phase in Phases)
                Validate(form, Body(form, alert, phase), alert, phase);
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Every_size_gives_a_whole_message(string form)
    {
        foreach (var alert in Alerts())
        {
            for (var max = FormatTable.Find(form)!.LeastBytes; max < 9000; max += 331)
            {
                var body = Body(form, alert, AlertPhase.Opened, max);
                Assert.InRange(Encoding.UTF8.GetByteCount(body), 1, max);
                Validate(form, body, alert, AlertPhase.Opened);
                Assert.InRange(Writer(form, "tcp://siem", max).Write(alert, AlertPhase.Opened).Length, 1, max);
            }
        }
    }

    [Theory]
    [MemberData(nameof(SyslogForms))]
    public void Messages_are_one_line_in_a_syslog_header(string form)
    {
        foreach (var alert in Alerts())
        {
            var text = Encoding.UTF8.GetString(Writer(form).Write(alert, AlertPhase.Closed));
            Assert.DoesNotContain(text, static c => char.IsControl(c) && c != '\t');
            var facility = form == "dicom-audit" ? 10 : 16;
            var header = Regex.Match(text, "^<(?<pri>[0-9]{1,3})>1 2026-01-02T03:04:05\\.123456Z sensor-1 iotguard 4711 (?<msgid>[!-~]{1,32}) ", RegexOptions.None, TimeSpan.FromSeconds(1));
            Assert.True(header.Success, text[..80]);
            Assert.Equal(facility, int.Parse(header.Groups["pri"].Value, CultureInfo.InvariantCulture) / 8);
            Assert.Equal(form == "dicom-audit" ? "DICOM+RFC3881" : alert.Rule, header.Groups["msgid"].Value);
            if (form != "rfc5424")
                Assert.StartsWith("- ", text[header.Length..], StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Heartbeats_have_a_form_of_their_own(string form)
    {
        var body = Encoding.UTF8.GetString(Writer(form, "file:///x").Write(Status));
        Assert.Contains(form == "ocsf" ? "Heartbeat" : form == "eve" ? "\"stats\"" : form == "pandora" ? "Heartbeat of the sensor" : "heartbeat", body, StringComparison.Ordinal);
        Assert.Contains(form == "dicom-audit" ? Convert.ToBase64String(Encoding.UTF8.GetBytes(Status.Sentence)) : form == "pandora-event" ? Uri.EscapeDataString(Status.Sentence) : "1234567", body, StringComparison.Ordinal);
        if (form != "pandora-event")
            Assert.Contains(" heartbeat ", Encoding.UTF8.GetString(Writer(form).Write(Status)), StringComparison.Ordinal);
        switch (form)
        {
            case "cef":
                Cef(body);
                break;
            case "leef":
                Leef(body);
                break;
            case "ecs":
                Ecs(JsonElement.Parse(body));
                break;
            case "ocsf":
                var ocsf = JsonElement.Parse(body);
                Assert.Equal((0, 99L, 1767323100000), (ocsf.GetProperty("class_uid").GetInt32(), ocsf.GetProperty("type_uid").GetInt64(), ocsf.GetProperty("time").GetInt64()));
                break;
            case "dicom-audit":
                Audit(body);
                break;
            case "pandora":
                Pandora(body);
                break;
            case "pandora-event":
                PandoraEvent(body);
                break;
        }
    }

    /// <summary>docs/outputs.md shows what the program writes.</summary>
    [Theory]
    [MemberData(nameof(Forms))]
    public void The_guide_shows_a_line_of_each_form(string form)
    {
        var guide = File.ReadAllText(Repository.PathOf("docs", "outputs.md"));
        var text = Encoding.UTF8.GetString(Writer(form).Write(Guide(), AlertPhase.Opened));
        Assert.True(guide.Contains(text, StringComparison.Ordinal), $"docs/outputs.md does not show {form}:\n{text}");
    }

    [Fact]
    public void The_guide_lists_every_form_and_option()
    {
        var guide = File.ReadAllText(Repository.PathOf("docs", "outputs.md"));
        foreach (var row in FormatTable.All.Select(f => $"| `{f.Name}` | {f.Description} |").Concat(OutputOption.All.Select(o => $"| `{o.Name}` | {o.Default} | {o.Meaning} |")))
            Assert.True(guide.Contains(row, StringComparison.Ordinal), $"docs/outputs.md lacks: {row}");
    }

    [Fact]
    public void Signature_ids_of_rules_are_local_and_different()
    {
        var ids = IoTGuard.Analysis.Rules.RuleTable.Rules.Select(r => EveFormat.SignatureOf(r.Id)).ToList();
        Assert.All(ids, id => Assert.InRange(id, 1_000_000u, 1_999_999u));
        Assert.Equal(ids.Count, ids.Distinct().Count());
    }

    /// <summary>The alert that the guide shows.</summary>
    private static Alert Guide()
    {
        var alert = Samples.Alert(1);
        alert.Device = alert.Device with { Name = "WS7", Vendor = null, Mac = "00:11:22:33:44:55" };
        alert.Peer = new AlertEndpoint("10.20.30.10", null, "pacs", "HOSPPACS", null, null);
        alert.CommunityIds = ["1:X3h7YFfZDt9YYS49rgPULidQTGk="];
        return alert;
    }

    private static void Validate(string form, string body, Alert alert, AlertPhase phase)
    {
        switch (form)
        {
            case "rfc5424":
                Assert.Equal(alert.Id, Samples.Parse(Encoding.UTF8.GetBytes(body)).Parameters["id"]);
                break;
            case "cef":
                var (header, pairs) = Cef(body);
                Assert.Equal((alert.Rule, alert.Id), (header[4], pairs["externalId"]));
                break;
            case "leef":
                Assert.Equal(alert.Id, Leef(body)["alertId"]);
                break;
            case "ecs":
                var ecs = Ecs(JsonElement.Parse(body));
                Assert.Equal((alert.Id, alert.Rule), (ecs.GetProperty("event").GetProperty("id").GetString(), ecs.GetProperty("rule").GetProperty("id").GetString()));
                break;
            case "ocsf":
                Ocsf(JsonElement.Parse(body), phase);
                break;
            case "eve":
                Eve(JsonElement.Parse(body));
                break;
            case "json":
                var json = JsonElement.Parse(body);
                Assert.Equal((alert.Id, true), (json.GetProperty("id").GetString(), json.TryGetProperty("phase", out _)));
                break;
            case "dicom-audit":
                Audit(body);
                break;
            case "pandora":
                Pandora(body);
                break;
            case "pandora-event":
                Assert.Equal(alert.Id, PandoraEvent(body)[18]);
                break;
        }
    }

    /// <summary>Splits by the format's own rules: header by bars that are not escaped, then key=value with escapes.</summary>
    private static (string[] Header, Dictionary<string, string> Pairs) Cef(string text)
    {
        var parts = Regex.Split(text, @"(?<!\\)(?:\\\\)*\|", RegexOptions.None, TimeSpan.FromSeconds(1));
        Assert.True(parts.Length >= 8, text);
        Assert.Equal(("CEF:0", "IoTGuard"), (parts[0], parts[1]));
        Assert.InRange(int.Parse(parts[6], CultureInfo.InvariantCulture), 0, 10);
        var extension = text[(text.IndexOf($"|{parts[6]}|", StringComparison.Ordinal) + parts[6].Length + 2)..];
        var pairs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (Match pair in Regex.Matches(extension, @"(?:^| )(?<key>[A-Za-z0-9]+)=(?<value>(?:[^=\\]|\\[=\\nr])*?)(?= [A-Za-z0-9]+=|$)", RegexOptions.None, TimeSpan.FromSeconds(1)))
            Assert.True(pairs.TryAdd(pair.Groups["key"].Value, pair.Groups["value"].Value), pair.Value);
        Assert.Equal(extension.Length, pairs.Sum(p => p.Key.Length + p.Value.Length + 2) - 1);
        string[] known = ["externalId", "act", "cat", "start", "end", "rt", "cnt", "src", "dst", "smac", "dmac", "shost", "dhost", "dpt", "app", "msg", "c6a2", "c6a3",
            "cs1", "cs2", "cs3", "cs4", "cs5", "cs6", "cn1", "cn2", "cn3", "cfp1", "cfp2"];
        Assert.All(pairs.Keys, k => Assert.Contains(k.EndsWith("Label", StringComparison.Ordinal) ? k[..^5] : k, known));
        Assert.All(pairs.Keys.Where(k => k.Length == 3 && k[0] == 'c' && char.IsDigit(k[2])), k => Assert.Contains(k + "Label", pairs.Keys));
        foreach (var address in pairs.Where(static p => p.Key is "src" or "dst"))
            Assert.Equal(System.Net.Sockets.AddressFamily.InterNetwork, System.Net.IPAddress.Parse(address.Value).AddressFamily);
        return (parts, pairs);
    }

    private static Dictionary<string, string> Leef(string text)
    {
        var parts = text.Split('|', 7);
        Assert.Equal(("LEEF:2.0", "IoTGuard", "x09"), (parts[0], parts[1], parts[5]));
        var attributes = parts[6].Split('\t').Select(a => a.Split('=', 2)).ToDictionary(a => a[0], a => a[1], StringComparer.Ordinal);
        Assert.InRange(int.Parse(attributes["sev"], CultureInfo.InvariantCulture), 1, 10);
        Assert.Matches("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}\\+0000$", attributes["devTime"]);
        return attributes;
    }

    /// <summary>Fields of ECS 8.11 that are used, with their types.</summary>
    private static readonly Dictionary<string, string> EcsFields = new(StringComparer.Ordinal)
    {
        ["@timestamp"] = "date",
        ["message"] = "text",
        ["ecs.version"] = "text",
        ["event.kind"] = "text",
        ["event.category"] = "texts",
        ["event.type"] = "texts",
        ["event.id"] = "text",
        ["event.code"] = "text",
        ["event.action"] = "text",
        ["event.severity"] = "number",
        ["event.risk_score"] = "number",
        ["event.start"] = "date",
        ["event.end"] = "date",
        ["event.module"] = "text",
        ["event.dataset"] = "text",
        ["event.provider"] = "text",
        ["rule.id"] = "text",
        ["rule.name"] = "text",
        ["rule.category"] = "text",
        ["source.address"] = "text",
        ["source.ip"] = "ip",
        ["source.mac"] = "mac",
        ["destination.address"] = "text",
        ["destination.ip"] = "ip",
        ["destination.mac"] = "mac",
        ["destination.port"] = "number",
        ["network.protocol"] = "text",
        ["network.community_id"] = "text",
        ["threat.framework"] = "text",
        ["threat.technique.id"] = "texts",
        ["threat.technique.name"] = "texts",
        ["related.ip"] = "texts",
        ["related.hosts"] = "texts",
        ["observer.vendor"] = "text",
        ["observer.product"] = "text",
        ["observer.type"] = "text",
        ["observer.version"] = "text",
        ["observer.hostname"] = "text",
    };

    private static JsonElement Ecs(JsonElement root)
    {
        Walk(root, "");
        Assert.True(root.GetProperty("event").GetProperty("kind").GetString() is "alert" or "metric");
        Assert.Equal("iotguard", root.GetProperty("event").GetProperty("module").GetString());
        Assert.True(root.TryGetProperty("@timestamp", out _) && root.TryGetProperty("ecs", out _));
        return root;

        static void Walk(JsonElement element, string path)
        {
            foreach (var member in element.EnumerateObject())
            {
                var name = path.Length == 0 ? member.Name : $"{path}.{member.Name}";
                if (name == "iotguard")
                    continue;
                if (member.Value.ValueKind == JsonValueKind.Object)
                {
                    Walk(member.Value, name);
                    continue;
                }

                Assert.True(EcsFields.TryGetValue(name, out var type), $"ECS has no field {name}, or it is not in the table");
                switch (type)
                {
                    case "number":
                        Assert.Equal(JsonValueKind.Number, member.Value.ValueKind);
                        break;
                    case "texts":
                        Assert.All(member.Value.EnumerateArray(), v => Assert.Equal(JsonValueKind.String, v.ValueKind));
                        break;
                    case "date":
                        DateTimeOffset.Parse(member.Value.GetString()!, CultureInfo.InvariantCulture);
                        break;
                    case "ip":
                        System.Net.IPAddress.Parse(member.Value.GetString()!);
                        break;
                    case "mac":
                        Assert.Matches("^[0-9A-F]{2}(-[0-9A-F]{2}){5}$", member.Value.GetString());
                        break;
                    default:
                        Assert.Equal(JsonValueKind.String, member.Value.ValueKind);
                        break;
                }
            }
        }
    }

    /// <summary>Attributes that OCSF 1.5 requires of a Detection Finding and of the objects that are used, and those that are allowed.</summary>
    private static readonly Dictionary<string, (string[] Required, string[] Optional)> OcsfObjects = new(StringComparer.Ordinal)
    {
        [""] = (["activity_id", "category_uid", "class_uid", "finding_info", "metadata", "severity_id", "time", "type_uid"],
            ["activity_name", "category_name", "class_name", "start_time", "end_time", "count", "status_id", "status", "confidence_score", "confidence_id", "is_alert", "message", "anomaly_analyses",
                "evidences", "observables", "remediation", "resources", "unmapped"]),
        ["metadata"] = (["product", "version"], ["log_name", "correlation_uid"]),
        ["metadata.product"] = ([], ["name", "vendor_name", "version"]),
        ["finding_info"] = (["uid"], ["title", "desc", "first_seen_time", "last_seen_time", "types", "analytic", "attacks"]),
        ["finding_info.analytic"] = (["type_id"], ["uid", "name"]),
        ["finding_info.attacks"] = ([], ["technique"]),
        ["finding_info.attacks.technique"] = ([], ["uid", "name"]),
        ["anomaly_analyses"] = (["analysis_targets", "anomalies"], ["baselines"]),
        ["anomaly_analyses.analysis_targets"] = (["name"], ["type"]),
        ["anomaly_analyses.anomalies"] = (["observations", "observation_parameter"], []),
        ["anomaly_analyses.baselines"] = (["observations", "observation_parameter"], []),
        ["anomaly_analyses.anomalies.observations"] = (["value"], []),
        ["anomaly_analyses.baselines.observations"] = (["value"], []),
        ["evidences"] = ([], ["src_endpoint", "dst_endpoint", "connection_info"]),
        ["evidences.src_endpoint"] = ([], ["ip", "mac", "name", "zone", "svc_name", "port"]),
        ["evidences.dst_endpoint"] = ([], ["ip", "mac", "name", "zone", "svc_name", "port"]),
        ["evidences.connection_info"] = (["direction_id"], ["community_uid"]),
        ["observables"] = (["type_id"], ["name", "type", "value"]),
        ["remediation"] = (["desc"], []),
        ["resources"] = ([], ["uid", "name", "type"]),
    };

    private static void Ocsf(JsonElement root, AlertPhase phase)
    {
        Walk(root, "");
        var activity = phase switch { AlertPhase.Opened => 1, AlertPhase.Updated => 2, _ => 3 };
        Assert.Equal((activity, 2004, 2, 200400 + activity),
            (root.GetProperty("activity_id").GetInt32(), root.GetProperty("class_uid").GetInt32(), root.GetProperty("category_uid").GetInt32(), root.GetProperty("type_uid").GetInt32()));
        Assert.InRange(root.GetProperty("severity_id").GetInt32(), 0, 6);
        Assert.InRange(root.GetProperty("time").GetInt64(), 1_600_000_000_000, 2_000_000_000_000);

        static void Walk(JsonElement element, string path)
        {
            if (path == "unmapped")
                return;
            Assert.True(OcsfObjects.TryGetValue(path, out var rule), $"no object {path} in the table");
            var names = element.EnumerateObject().Select(m => m.Name).ToList();
            Assert.Equal(names.Count, names.Distinct(StringComparer.Ordinal).Count());
            Assert.Subset(rule.Required.Concat(rule.Optional).ToHashSet(StringComparer.Ordinal), names.ToHashSet(StringComparer.Ordinal));
            Assert.Superset(rule.Required.ToHashSet(StringComparer.Ordinal), names.ToHashSet(StringComparer.Ordinal));
            foreach (var member in element.EnumerateObject())
            {
                var name = path.Length == 0 ? member.Name : $"{path}.{member.Name}";
                if (member.Value.ValueKind == JsonValueKind.Object)
                    Walk(member.Value, name);
                else if (member.Value.ValueKind == JsonValueKind.Array)
                    foreach (var item in member.Value.EnumerateArray().Where(i => i.ValueKind == JsonValueKind.Object))
                        Walk(item, name);
            }
        }
    }

    private static void Eve(JsonElement root)
    {
        Assert.Matches("^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d+[+\\-]\\d+$", root.GetProperty("timestamp").GetString());
        Assert.Equal("alert", root.GetProperty("event_type").GetString());
        string[] known = ["timestamp", "flow_id", "event_type", "host", "src_ip", "dest_ip", "dest_port", "app_proto", "community_id", "alert"];
        Assert.All(root.EnumerateObject(), m => Assert.Contains(m.Name, known));
        Assert.InRange(root.GetProperty("flow_id").GetInt64(), 0, 1L << 53);
        var alert = root.GetProperty("alert");
        Assert.Equal(["action", "gid", "signature_id", "rev", "signature", "category", "severity", "metadata"], alert.EnumerateObject().Select(m => m.Name));
        Assert.InRange(alert.GetProperty("severity").GetInt32(), 1, 4);
        Assert.All(alert.GetProperty("metadata").EnumerateObject(), m => Assert.All(m.Value.EnumerateArray(), v => Assert.Equal(JsonValueKind.String, v.ValueKind)));
    }

    /// <summary>The elements and attributes of PS3.15 A.5.1 that are used, in their order, as a schema.</summary>
    private const string AuditSchema = """
        <xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
          <xs:complexType name="Code">
            <xs:attribute name="csd-code" use="required"/><xs:attribute name="codeSystemName"/><xs:attribute name="displayName"/><xs:attribute name="originalText" use="required"/>
          </xs:complexType>
          <xs:simpleType name="Ip"><xs:restriction base="xs:string"><xs:enumeration value="1"/><xs:enumeration value="2"/><xs:enumeration value="3"/><xs:enumeration value="4"/><xs:enumeration value="5"/></xs:restriction></xs:simpleType>
          <xs:element name="AuditMessage"><xs:complexType><xs:sequence>
            <xs:element name="EventIdentification"><xs:complexType><xs:sequence>
                <xs:element name="EventID" type="Code"/><xs:element name="EventTypeCode" type="Code" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>
              <xs:attribute name="EventActionCode"><xs:simpleType><xs:restriction base="xs:string"><xs:pattern value="[CRUDE]"/></xs:restriction></xs:simpleType></xs:attribute>
              <xs:attribute name="EventDateTime" type="xs:dateTime" use="required"/>
              <xs:attribute name="EventOutcomeIndicator" use="required"><xs:simpleType><xs:restriction base="xs:string"><xs:pattern value="0|4|8|12"/></xs:restriction></xs:simpleType></xs:attribute>
            </xs:complexType></xs:element>
            <xs:element name="ActiveParticipant" maxOccurs="unbounded"><xs:complexType><xs:sequence><xs:element name="RoleIDCode" type="Code" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>
              <xs:attribute name="UserID" use="required"/><xs:attribute name="AlternativeUserID"/><xs:attribute name="UserName"/><xs:attribute name="UserIsRequestor" type="xs:boolean" use="required"/>
              <xs:attribute name="NetworkAccessPointID"/><xs:attribute name="NetworkAccessPointTypeCode" type="Ip"/>
            </xs:complexType></xs:element>
            <xs:element name="AuditSourceIdentification"><xs:complexType><xs:sequence><xs:element name="AuditSourceTypeCode" minOccurs="0"><xs:complexType><xs:attribute name="csd-code" use="required"/></xs:complexType></xs:element></xs:sequence>
              <xs:attribute name="AuditEnterpriseSiteID"/><xs:attribute name="AuditSourceID" use="required"/>
            </xs:complexType></xs:element>
            <xs:element name="ParticipantObjectIdentification" minOccurs="0" maxOccurs="unbounded"><xs:complexType><xs:sequence>
                <xs:element name="ParticipantObjectIDTypeCode" type="Code"/><xs:element name="ParticipantObjectName" type="xs:string"/>
                <xs:element name="ParticipantObjectDetail" minOccurs="0" maxOccurs="unbounded"><xs:complexType><xs:attribute name="type" use="required"/><xs:attribute name="value" type="xs:base64Binary" use="required"/></xs:complexType></xs:element></xs:sequence>
              <xs:attribute name="ParticipantObjectID" use="required"/><xs:attribute name="ParticipantObjectTypeCode" type="Ip"/><xs:attribute name="ParticipantObjectTypeCodeRole"/>
            </xs:complexType></xs:element>
          </xs:sequence></xs:complexType></xs:element>
        </xs:schema>
        """;

    private static void Audit(string text)
    {
        var schemas = new XmlSchemaSet();
        schemas.Add(null, XmlReader.Create(new StringReader(AuditSchema)));
        var settings = new XmlReaderSettings { ValidationType = ValidationType.Schema, Schemas = schemas, ValidationFlags = XmlSchemaValidationFlags.ReportValidationWarnings };
        settings.ValidationEventHandler += (_, e) => Assert.Fail(e.Message + "\n" + text);
        using var reader = XmlReader.Create(new StringReader(text), settings);
        var message = XDocument.Load(reader).Root!;
        var code = message.Element("EventIdentification")!.Element("EventID")!.Attribute("csd-code")!.Value;
        Assert.True(code is "110113" or "110100");
        if (code == "110113")
        {
            var description = message.Descendants("ParticipantObjectDetail").Single(d => d.Attribute("type")!.Value == "Alert Description").Attribute("value")!.Value;
            Assert.StartsWith("Query harvesting: ", Encoding.UTF8.GetString(Convert.FromBase64String(description)), StringComparison.Ordinal);
        }
    }

    /// <summary>The 21 parameters of create_event, decoded.</summary>
    private static string[] PandoraEvent(string text)
    {
        Assert.Matches("^[A-Za-z0-9%._~|-]+$", text);
        var values = text.Split('|').Select(Uri.UnescapeDataString).ToArray();
        Assert.Equal(21, values.Length);
        Assert.InRange(int.Parse(values[3], CultureInfo.InvariantCulture), 0, 1);
        Assert.InRange(int.Parse(values[6], CultureInfo.InvariantCulture), 0, 6);
        Assert.True(values[5] is "alert_fired" or "system");
        Assert.Equal(("iotguard-sensor-1", "1"), (values[19], values[20]));
        return values;
    }

    private static void Pandora(string text)
    {
        var agent = XDocument.Parse(text).Root!;
        Assert.Equal(("agent_data", "iotguard-sensor-1", "300"), (agent.Name.LocalName, agent.Attribute("agent_name")!.Value, agent.Attribute("interval")!.Value));
        Assert.Matches("^2026/01/02 03:0[45]:\\d\\d$", agent.Attribute("timestamp")!.Value);
        Assert.NotEmpty(agent.Elements("module"));
        foreach (var module in agent.Elements("module"))
        {
            Assert.True(module.Element("type")!.Value is "async_string" or "async_data" or "generic_data" or "generic_data_inc");
            Assert.NotEqual("", module.Element("name")!.Value);
            if (module.Element("type")!.Value != "async_string")
                double.Parse(module.Element("data")!.Value, CultureInfo.InvariantCulture);
        }
    }
}
