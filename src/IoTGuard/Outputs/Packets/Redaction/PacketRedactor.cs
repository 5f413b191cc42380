using IoTGuard.Wire;
using IoTGuard.Wire.Network;

namespace IoTGuard.Outputs.Packets.Redaction;

/// <summary>
/// Blanks patient data in packets, in place: lengths stay, checksums are brought in line. Of DICOM the structure stays (PDUs, PDVs, commands, tags and
/// lengths of data sets) and every value of a data set goes; of HL7 v2 the segment names, delimiters, MSH and MSA stay. Handshakes and records of TLS, SSH,
/// DNS, DHCP, NTP, ARP and neighbour discovery stay as they are. The payload of everything else, and what cannot be followed (a stream met in its middle, behind a gap, sent again) goes
/// altogether.
/// </summary>
internal sealed class PacketRedactor
{
    private const int TcpChecksumOffset = 16;
    private const int TcpFixedHeader = 20;
    private const int UdpHeader = 8;
    private const int UdpChecksumOffset = 6;
    private const int IcmpChecksumSize = 2;

    /// <summary>DNS, DHCP, NTP, mDNS, LLMNR.</summary>
    private static readonly ushort[] KeptUdpPorts = [53, 67, 68, 123, 5353, 5355];

    private readonly Dictionary<(ulong Flow, IpAddress Sender, ushort Port), StreamRedactor> _streams = [];
    private PacketView _view;

    /// <param name="frame">The whole captured frame.</param>
    /// <param name="header">What the capture says about it.</param>
    /// <param name="flow">Number of its flow.</param>
    public void Redact(Span<byte> frame, in FrameHeader header, ulong flow)
    {
        PacketDecoder.Decode(frame, header, ref _view);
        if (_view.Kind is PacketKind.Arp || !HasPayload(frame))
            return;
        var payload = frame.Slice(_view.PayloadOffset, _view.PayloadLength);
        Span<byte> before = payload.ToArray();
        switch (_view.Kind)
        {
            case PacketKind.Tcp when !_view.IsFragment:
                StreamOf(flow).Redact(payload, _view.TcpSequence, isStart: (_view.TcpFlags & TcpFlags.Syn) != 0);
                break;
            case PacketKind.Udp when !_view.IsFragment && (KeptUdpPorts.Contains(_view.SourcePort) || KeptUdpPorts.Contains(_view.DestinationPort)):
            case PacketKind.Icmp or PacketKind.Icmpv6 when payload.Length <= UdpHeader || NeighborMessage.TryRead(frame, _view, out _):
                return;
            default:
                payload.Clear();
                break;
        }

        if (_view.IsFragment)
            return; // its checksum stands in another packet
        var checksum = _view.Kind switch
        {
            PacketKind.Tcp => _view.PayloadOffset - _view.TcpOptionsLength - TcpFixedHeader + TcpChecksumOffset,
            PacketKind.Udp => _view.PayloadOffset - UdpHeader + UdpChecksumOffset,
            PacketKind.Icmp or PacketKind.Icmpv6 => _view.PayloadOffset - IcmpChecksumSize,
            _ => -1,
        };
        if (checksum >= 0)
            Checksum.Adjust(frame.Slice(checksum, 2), before, payload, isUdp: _view.Kind == PacketKind.Udp);
    }

    /// <summary>True when there are bytes to look at. What no decoder knows counts as payload from its first byte.</summary>
    private bool HasPayload(Span<byte> frame)
    {
        if (_view.Kind == PacketKind.Other)
        {
            const int LinkAddresses = 14;
            frame[Math.Min(LinkAddresses, frame.Length)..].Clear();
            return false;
        }

        return _view.PayloadLength > 0;
    }

    private StreamRedactor StreamOf(ulong flow)
    {
        var key = (flow, _view.Source, _view.SourcePort);
        if (!_streams.TryGetValue(key, out var stream))
            _streams.Add(key, stream = new StreamRedactor());
        return stream;
    }
}
