using System.Buffers;
using System.Text;
using System.Xml;
using IoTGuard.Analysis.Alerts;

namespace IoTGuard.Outputs.Formats;

/// <summary>
/// DICOM audit message (PS3.15 A.5): each alert as Security Alert (A.5.3.11), with the device and its peer as performing participants and what it is
/// about as node. A heartbeat is an Application Activity (A.5.3.1) of the sensor's own type.
/// </summary>
internal sealed class DicomAuditFormat(FormatContext context) : AlertFormat
{
    /// <summary>Coding scheme of the sensor's rules: designators of private ones begin with 99 (PS3.3, 8.2).</summary>
    private const string OwnCodes = "99IOTGUARD";

    private static readonly XmlWriterSettings Settings = new() { OmitXmlDeclaration = false, Encoding = new UTF8Encoding(false), CheckCharacters = true };

    /// <summary>MSGID by which audit repositories know these messages (PS3.15 A.6.1).</summary>
    public override string IdOf(Alert alert) => "DICOM+RFC3881";

    /// <summary>Notice, or Warning where an alert is severe (PS3.15 A.6.1).</summary>
    public override int SyslogSeverityOf(Alert alert) => alert.Severity >= 7 ? 4 : 5;

    public override void Write(IBufferWriter<byte> target, Alert alert, AlertPhase phase, int limit) => Write(target, xml =>
    {
        Event(xml, "110113", "Security Alert", alert.LastSeenNs, alert.Severity switch { <= 2 => "0", <= 5 => "4", <= 8 => "8", _ => "12" }, alert.Rule, alert.Title);
        Reporter(xml);
        Performer(xml, alert.Device, isRequestor: true);
        if (alert.Peer is { } peer)
            Performer(xml, peer, isRequestor: false);
        Source(xml);
        var subject = alert.Peer ?? alert.Device;
        xml.WriteStartElement("ParticipantObjectIdentification");
        xml.WriteAttributeString("ParticipantObjectID", subject.Ip ?? subject.Mac ?? "unknown");
        xml.WriteAttributeString("ParticipantObjectTypeCode", "2"); // system object
        xml.WriteAttributeString("ParticipantObjectTypeCodeRole", "13"); // security resource
        Code(xml, "ParticipantObjectIDTypeCode", "110182", "DCM", "Node ID");
        xml.WriteElementString("ParticipantObjectName", Clean(subject.Name ?? subject.Ip ?? subject.Mac ?? "unknown"));
        Detail(xml, "Alert Description", $"{alert.Title}: {alert.Description} {alert.Recommendation}");
        Detail(xml, "Alert ID", alert.Id);
        Detail(xml, "Phase", PhaseName(phase));
        Detail(xml, "Category", alert.Category);
        Detail(xml, "Severity", Number(alert.Severity));
        Detail(xml, "Confidence", Number(alert.Confidence, "0.###"));
        Detail(xml, "First Seen", Time(alert.FirstSeenNs));
        Detail(xml, "Count", Number(alert.Count));
        Detail(xml, "Incident", alert.Incident);
        Detail(xml, "Protocol", alert.Protocol);
        Detail(xml, "Ports", string.Join(',', alert.Ports));
        Detail(xml, "ATT&CK", string.Join(',', alert.Attack.Select(static a => a.Id)));
        Detail(xml, "Patients Affected", alert.PatientsAffected is { } patients ? Number(patients) : null);
        Detail(xml, "Community ID", string.Join(',', alert.CommunityIds));
        Detail(xml, "Evidence", string.Join("; ", alert.Evidence.Select(Describe)));
        xml.WriteEndElement();
    });

    public override void Write(IBufferWriter<byte> target, Heartbeat status) => Write(target, xml =>
    {
        Event(xml, "110100", "Application Activity", status.TimeNs, "0", HeartbeatId, "Heartbeat");
        Reporter(xml);
        Source(xml);
        xml.WriteStartElement("ParticipantObjectIdentification");
        xml.WriteAttributeString("ParticipantObjectID", Clean(context.Host));
        xml.WriteAttributeString("ParticipantObjectTypeCode", "2");
        Code(xml, "ParticipantObjectIDTypeCode", "110182", "DCM", "Node ID");
        xml.WriteElementString("ParticipantObjectName", "IoTGuard");
        Detail(xml, "Status", status.Sentence);
        xml.WriteEndElement();
    });

    private static void Write(IBufferWriter<byte> target, Action<XmlWriter> content)
    {
        using var stream = new MemoryStream();
        using (var xml = XmlWriter.Create(stream, Settings))
        {
            xml.WriteStartElement("AuditMessage");
            content(xml);
            xml.WriteEndElement();
        }

        target.Write(stream.GetBuffer().AsSpan(0, (int)stream.Length));
    }

    private static void Event(XmlWriter xml, string code, string name, long timeNs, string outcome, string type, string typeName)
    {
        xml.WriteStartElement("EventIdentification");
        xml.WriteAttributeString("EventActionCode", "E");
        xml.WriteAttributeString("EventDateTime", Time(timeNs));
        xml.WriteAttributeString("EventOutcomeIndicator", outcome);
        Code(xml, "EventID", code, "DCM", name);
        Code(xml, "EventTypeCode", type, OwnCodes, typeName);
        xml.WriteEndElement();
    }

    private void Reporter(XmlWriter xml)
    {
        xml.WriteStartElement("ActiveParticipant");
        xml.WriteAttributeString("UserID", Number(context.ProcessId));
        xml.WriteAttributeString("AlternativeUserID", "iotguard@" + Clean(context.Host));
        xml.WriteAttributeString("UserIsRequestor", "false");
        xml.WriteAttributeString("NetworkAccessPointID", Clean(context.Host));
        xml.WriteAttributeString("NetworkAccessPointTypeCode", "1"); // machine name
        Code(xml, "RoleIDCode", "110150", "DCM", "Application");
        xml.WriteEndElement();
    }

    private static void Performer(XmlWriter xml, AlertEndpoint endpoint, bool isRequestor)
    {
        xml.WriteStartElement("ActiveParticipant");
        xml.WriteAttributeString("UserID", endpoint.Ip ?? endpoint.Mac ?? "unknown");
        if (endpoint.Name is not null)
            xml.WriteAttributeString("UserName", Clean(endpoint.Name));
        xml.WriteAttributeString("UserIsRequestor", isRequestor ? "true" : "false");
        if (endpoint.Ip is not null)
        {
            xml.WriteAttributeString("NetworkAccessPointID", endpoint.Ip);
            xml.WriteAttributeString("NetworkAccessPointTypeCode", "2"); // IP address
        }

        xml.WriteEndElement();
    }

    private void Source(XmlWriter xml)
    {
        xml.WriteStartElement("AuditSourceIdentification");
        xml.WriteAttributeString("AuditSourceID", Clean(context.Host));
        xml.WriteStartElement("AuditSourceTypeCode");
        xml.WriteAttributeString("csd-code", "9"); // other
        xml.WriteEndElement();
        xml.WriteEndElement();
    }

    private static void Code(XmlWriter xml, string element, string code, string system, string text)
    {
        xml.WriteStartElement(element);
        xml.WriteAttributeString("csd-code", code);
        xml.WriteAttributeString("codeSystemName", system);
        xml.WriteAttributeString("originalText", Clean(text));
        xml.WriteEndElement();
    }

    /// <summary>Values are base64 (xs:base64Binary).</summary>
    private static void Detail(XmlWriter xml, string type, string? value)
    {
        if (string.IsNullOrEmpty(value))
            return;
        xml.WriteStartElement("ParticipantObjectDetail");
        xml.WriteAttributeString("type", type);
        xml.WriteAttributeString("value", Convert.ToBase64String(Encoding.UTF8.GetBytes(Clean(value))));
        xml.WriteEndElement();
    }

    private static string Clean(string text) => XmlText.Clean(Printable(text));
}
