using System.Globalization;
using System.Xml;

namespace IoTGuard.Tests.Oracle;

/// <summary>A command set as either side of the comparison has it.</summary>
/// <param name="Field">Command Field (0000,0100).</param>
/// <param name="MessageId">Message ID of a request, the one responded to of a response or cancel.</param>
/// <param name="ContextId">Presentation context id.</param>
/// <param name="Status">Status of a response; -1 for a request.</param>
/// <param name="SopClass">SOP class UID of a request; null for a response.</param>
internal sealed record DicomCommandSeen(int Field, int MessageId, int ContextId, int Status, string? SopClass);

/// <summary>The DICOM of one TCP connection (both endpoints, in order) as one side of the comparison has it.</summary>
internal sealed class DicomConversation
{
    /// <summary>PDUs by type (PS3.8 9.3.1).</summary>
    public int[] Pdus { get; } = new int[8];

    /// <summary>Bytes of all P-DATA-TF, headers included.</summary>
    public long DataBytes { get; set; }

    /// <summary>"calling→called" of each association request.</summary>
    public List<string> Titles { get; } = [];

    public List<DicomCommandSeen> Requests { get; } = [];

    public List<DicomCommandSeen> FinalResponses { get; } = [];

    public int PendingResponses { get; set; }

    /// <summary>Command sets that tshark shows without a readable Command Field.</summary>
    public int Unreadable { get; set; }

    /// <summary>Faults that the sensor told.</summary>
    public List<string> Faults { get; } = [];

    public void Add(DicomCommandSeen command)
    {
        if (command.Status < 0)
            Requests.Add(command);
        else if (command.Status is 0xFF00 or 0xFF01)
            PendingResponses++;
        else
            FinalResponses.Add(command);
    }
}

/// <summary>Reads tshark's PDML of a capture.</summary>
internal static class TsharkDicom
{
    /// <summary>What tshark needs to read DICOM right: segments put in order, every element in the tree.</summary>
    public const string Options = "-n -o tcp.reassemble_out_of_order:TRUE -o dicom.tag_tree:TRUE -Y dicom -T pdml -J 'dicom ip ipv6 tcp'";

    public static Dictionary<string, DicomConversation> Read(string pdml)
    {
        var conversations = new Dictionary<string, DicomConversation>(StringComparer.Ordinal);
        using var reader = XmlReader.Create(pdml);
        var packet = new Packet();
        while (reader.Read())
        {
            if (reader is { NodeType: XmlNodeType.Element, Name: "packet" })
                packet = new Packet();
            else if (reader is { NodeType: XmlNodeType.Element, Name: "field" })
                packet.Take(reader.GetAttribute("name") ?? "", reader.GetAttribute("show") ?? "");
            else if (reader is { NodeType: XmlNodeType.EndElement, Name: "packet" })
                packet.End(conversations);
        }

        return conversations;
    }

    public static string Key(string addressA, int portA, string addressB, int portB)
    {
        var (a, b) = ($"{addressA} {portA}", $"{addressB} {portB}");
        return string.CompareOrdinal(a, b) < 0 ? $"{a} - {b}" : $"{b} - {a}";
    }

    private sealed class Packet
    {
        private readonly Dictionary<string, string> _addresses = new(StringComparer.Ordinal);
        private readonly DicomConversation _seen = new();
        private readonly Dictionary<uint, string> _command = [];
        private bool _hasCommand;
        private int _pduType;
        private int _contextId;
        private string _called = "";
        private uint _tag;

        public void Take(string name, string show)
        {
            switch (name)
            {
                case "ip.src" or "ip.dst" or "ipv6.src" or "ipv6.dst" or "tcp.srcport" or "tcp.dstport":
                    _addresses.TryAdd(name, show);
                    break;
                case "dicom.pdu.type":
                    EndCommand();
                    _pduType = Number(show);
                    _seen.Pdus[_pduType]++;
                    break;
                case "dicom.pdu.len" when _pduType == 4:
                    _seen.DataBytes += 6 + long.Parse(show, CultureInfo.InvariantCulture);
                    break;
                case "dicom.assoc.ae.called":
                    _called = show.Trim();
                    break;
                case "dicom.assoc.ae.calling" when _pduType == 1:
                    _seen.Titles.Add($"{show.Trim()}→{_called}");
                    break;
                case "dicom.pdv.ctx":
                    EndCommand();
                    _contextId = Number(show);
                    break;
                case "dicom.pdv.flags":
                    _hasCommand = (Number(show) & 3) == 3;
                    break;
                case "dicom.tag":
                    _tag = Convert.ToUInt32(show, 16);
                    break;
                default:
                    if (_hasCommand && name.StartsWith("dicom.tag.value", StringComparison.Ordinal) && _tag >> 16 == 0)
                        _command[_tag] = show;
                    break;
            }
        }

        public void End(Dictionary<string, DicomConversation> conversations)
        {
            EndCommand();
            var source = _addresses.GetValueOrDefault("ip.src") ?? _addresses["ipv6.src"];
            var destination = _addresses.GetValueOrDefault("ip.dst") ?? _addresses["ipv6.dst"];
            var key = Key(source, Number(_addresses["tcp.srcport"]), destination, Number(_addresses["tcp.dstport"]));
            if (!conversations.TryGetValue(key, out var all))
                conversations[key] = all = new DicomConversation();
            for (var i = 0; i < all.Pdus.Length; i++)
                all.Pdus[i] += _seen.Pdus[i];
            all.DataBytes += _seen.DataBytes;
            all.Titles.AddRange(_seen.Titles);
            all.Requests.AddRange(_seen.Requests);
            all.FinalResponses.AddRange(_seen.FinalResponses);
            all.PendingResponses += _seen.PendingResponses;
            all.Unreadable += _seen.Unreadable;
        }

        private static int Number(string text) =>
            text.StartsWith("0x", StringComparison.Ordinal) ? Convert.ToInt32(text, 16) : int.Parse(text, CultureInfo.InvariantCulture);

        private void EndCommand()
        {
            if (!_hasCommand)
                return;
            _hasCommand = false;
            var field = Element(0x0100);
            var id = Element(0x0110) >= 0 && field < 0x8000 ? Element(0x0110) : Element(0x0120);
            if (field < 0 || id < 0)
                _seen.Unreadable++;
            else if (field >= 0x8000)
                _seen.Add(new DicomCommandSeen(field & 0x7FFF, id, _contextId, Element(0x0900), null));
            else
                _seen.Add(new DicomCommandSeen(field, id, _contextId, -1, _command.GetValueOrDefault(0x0002u, _command.GetValueOrDefault(0x0003u, "")).Split(' ')[0]));
            _command.Clear();
        }

        private int Element(uint tag) => int.TryParse(_command.GetValueOrDefault(tag), CultureInfo.InvariantCulture, out var value) ? value : -1;
    }
}
