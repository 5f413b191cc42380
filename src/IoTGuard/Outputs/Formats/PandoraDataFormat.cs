using System.Buffers;
using System.Globalization;
using System.Text;
using System.Xml;
using IoTGuard.Analysis.Alerts;

namespace IoTGuard.Outputs.Formats;

/// <summary>
/// Pandora FMS data file: the sensor as an agent with two modules per rule that alerted, the sentence and the severity (0 once closed, so that thresholds
/// recover). A heartbeat is the agent's own contact with modules of its counters.
/// </summary>
internal sealed class PandoraDataFormat(string host) : AlertFormat
{
    /// <summary>What Pandora takes for the agent's interval of contact, seconds: its default.</summary>
    private const string Interval = "300";

    private static readonly XmlWriterSettings Settings = new() { Encoding = new UTF8Encoding(false), CheckCharacters = true };

    public override void Write(IBufferWriter<byte> target, Alert alert, AlertPhase phase, int limit) => Write(target, alert.LastSeenNs, xml =>
    {
        var isOpen = phase != AlertPhase.Closed;
        var party = alert.Peer is { } peer ? $"{alert.Device.Ip} to {peer.Ip}" : alert.Device.Ip ?? alert.Device.Mac ?? "unknown";
        Module(xml, $"Alert {alert.Rule}", "async_string", $"{PhaseName(phase)}: {alert.Title} ({party}): {alert.Description} {alert.Recommendation} [{alert.Id}]", alert.Title, thresholds: false);
        Module(xml, $"Severity {alert.Rule}", "async_data", Number(isOpen ? alert.Severity : 0), alert.Title, thresholds: true);
    });

    public override void Write(IBufferWriter<byte> target, Heartbeat status) => Write(target, status.TimeNs, xml =>
    {
        Module(xml, "IoTGuard status", "async_string", status.Sentence, "Heartbeat of the sensor", thresholds: false);
        Module(xml, "IoTGuard packets", "generic_data_inc", Number(status.Packets), "Packets captured", thresholds: false);
        Module(xml, "IoTGuard kernel drops", "generic_data_inc", Number(status.KernelDrops), "Packets that the kernel dropped", thresholds: false);
        Module(xml, "IoTGuard messages lost", "generic_data", Number(status.Lost), "Messages lost since the start", thresholds: false);
    });

    private void Write(IBufferWriter<byte> target, long timeNs, Action<XmlWriter> modules)
    {
        using var stream = new MemoryStream();
        using (var xml = XmlWriter.Create(stream, Settings))
        {
            xml.WriteStartElement("agent_data");
            xml.WriteAttributeString("agent_name", Clean($"iotguard-{host}"));
            xml.WriteAttributeString("description", "IoTGuard sensor");
            xml.WriteAttributeString("version", ProgramVersion.Text);
            xml.WriteAttributeString("os_name", "Linux");
            xml.WriteAttributeString("interval", Interval);
            var time = DateTime.UnixEpoch.AddTicks(timeNs / 100);
            xml.WriteAttributeString("timestamp", time.ToString("yyyy'/'MM'/'dd HH:mm:ss", CultureInfo.InvariantCulture));
            xml.WriteAttributeString("timezone_offset", "0"); // the time is UTC
            modules(xml);
            xml.WriteEndElement();
        }

        target.Write(stream.GetBuffer().AsSpan(0, (int)stream.Length));
    }

    private static void Module(XmlWriter xml, string name, string type, string data, string description, bool thresholds)
    {
        xml.WriteStartElement("module");
        xml.WriteElementString("name", Clean(name));
        xml.WriteElementString("type", type);
        xml.WriteElementString("description", Clean(description));
        if (thresholds)
        {
            xml.WriteElementString("min_warning", "4");
            xml.WriteElementString("max_warning", "6.9");
            xml.WriteElementString("min_critical", "7");
            xml.WriteElementString("max_critical", "10");
        }

        xml.WriteElementString("data", Clean(data));
        xml.WriteEndElement();
    }

    private static string Clean(string text) => XmlText.Clean(Printable(text));
}
