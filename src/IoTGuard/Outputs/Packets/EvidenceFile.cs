using System.Buffers;
using System.Globalization;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Outputs.Packets.Redaction;
using IoTGuard.Wire;

namespace IoTGuard.Outputs.Packets;

/// <summary>The packets of one alert on their way into its pcapng file. Interfaces carry the alert's id and title as comment, packets the community id of their flow.</summary>
internal sealed class EvidenceFile
{
    private const int BlockBytes = 256 * 1024;

    /// <summary>A live file is written out this often, ns of packet time.</summary>
    private const long FlushNs = 2_000_000_000;

    private readonly EvidenceSettings _settings;
    private readonly EvidenceFolder _folder;
    private readonly string _name;
    private readonly string _comment;
    private readonly Dictionary<ulong, string> _flows = [];
    private readonly List<LinkType> _interfaces = [];
    private readonly PacketRedactor? _redactor;
    private ArrayBufferWriter<byte> _buffer = new(4096);
    private byte[] _frame = [];
    private long _bytes;
    private long _flushedNs;
    private bool _hasBegun;

    public EvidenceFile(Alert alert, EvidenceSettings settings, EvidenceFolder folder)
    {
        AlertId = alert.Id;
        _settings = settings;
        _folder = folder;
        _redactor = settings.Redact ? new PacketRedactor() : null;
        _comment = $"IoTGuard alert {alert.Id}: {alert.Title}" + (settings.Redact ? " (patient data blanked)" : "");
        var time = DateTime.UnixEpoch.AddTicks(alert.FirstSeenNs / 100);
        _name = string.Create(CultureInfo.InvariantCulture, $"{time:yyyyMMdd'T'HHmmss'Z'}-{alert.Rule}-{alert.Id}.pcapng");
        PcapngBlocks.WriteSection(_buffer, $"IoTGuard {ProgramVersion.Text}");
    }

    public string AlertId { get; }

    /// <summary>Numbers of the flows that it follows.</summary>
    public IEnumerable<ulong> Flows => _flows.Keys;

    /// <summary>Follows a flow from now on, with a name for the comments of its packets; false when it does already, or follows enough.</summary>
    public bool Follow(ulong flow, string name) => _flows.Count < EvidenceCollector.MaximumFlows && _flows.TryAdd(flow, name);

    /// <summary>Adds a frame of a flow that it follows, unless the file is full.</summary>
    public void Add(in KeptFrame frame)
    {
        if (_bytes >= (long)_settings.AlertMegabytes << 20)
            return;
        var before = _buffer.WrittenCount;
        var link = _interfaces.IndexOf(frame.Header.Link);
        if (link < 0)
        {
            link = _interfaces.Count;
            _interfaces.Add(frame.Header.Link);
            PcapngBlocks.WriteInterface(_buffer, frame.Header.Link, _settings.SnapBytes, $"link {link}", _comment);
        }

        var bytes = WithVlanTag(frame, out var wireLength);
        if (_redactor is not null)
            _redactor.Redact(bytes, frame.Header with { Offset = 0, Length = bytes.Length, WireLength = wireLength, AuxVlan = 0 }, frame.Flow);
        PcapngBlocks.WritePacket(_buffer, link, frame.Header.TimeNs, bytes, wireLength, $"alert {AlertId} {_flows[frame.Flow]}");
        _bytes += _buffer.WrittenCount - before;
        if (_buffer.WrittenCount >= BlockBytes)
            Flush();
    }

    public void FlushIfDue(long clockNs)
    {
        if (clockNs - _flushedNs < FlushNs)
            return;
        _flushedNs = clockNs;
        Flush();
    }

    public void Close() => Flush(isLast: true);

    private void Flush(bool isLast = false)
    {
        if (_interfaces.Count == 0 || (_buffer.WrittenCount == 0 && !isLast))
            return;
        _folder.Write(_name, _buffer, isFirst: !_hasBegun, isLast);
        _hasBegun = true;
        _buffer = new ArrayBufferWriter<byte>(4096);
    }

    /// <summary>A copy of the frame, with the VLAN tag that the kernel had taken off.</summary>
    private Span<byte> WithVlanTag(in KeptFrame frame, out int wireLength)
    {
        const int Addresses = 12;
        const int Tag = 4;
        var bytes = frame.Bytes;
        wireLength = frame.Header.WireLength;
        if (_frame.Length < bytes.Length + Tag)
            _frame = new byte[bytes.Length + Tag];
        if (frame.Header.AuxVlan == 0 || frame.Header.Link != LinkType.Ethernet || bytes.Length < Addresses)
        {
            bytes.CopyTo(_frame);
            return _frame.AsSpan(0, bytes.Length);
        }

        bytes[..Addresses].CopyTo(_frame);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(_frame.AsSpan(Addresses), frame.Header.AuxVlan);
        bytes[Addresses..].CopyTo(_frame.AsSpan(Addresses + Tag));
        wireLength += Tag;
        return _frame.AsSpan(0, bytes.Length + Tag);
    }
}
