using System.Globalization;
using IoTGuard.TestSupport;
using IoTGuard.Wire;

namespace IoTGuard.PacketDotNet.Tests;

/// <summary>Every frame of our captures and of ../shared/data: our headers against PacketDotNet's.</summary>
public sealed class DifferentialTests(ITestOutputHelper output)
{
    private sealed record Explanation(string Why, Func<CapturedFrame, PacketView, string, string, string, bool> Covers);

    private static readonly Explanation[] Explanations =
    [
        new("IP version or length that cannot be: PacketDotNet reads on, we stop", static (_, view, _, _, _) =>
            view.Fault is { Kind: FaultKind.BadValue or FaultKind.BadLength, Layer: Layer.Network }),
        new("header longer than its datagram or than the capture: PacketDotNet reads on into what lies behind, we stop", static (_, view, _, _, _) =>
            view.Fault is { Kind: FaultKind.BadLength, Layer: Layer.Transport } or { Kind: FaultKind.Truncated }),
        new("capture cut: PacketDotNet's payload is as long as the datagram was, ours what was captured", static (_, view, name, ours, theirs) =>
            name is "tcp.payload" or "udp.payload" && view.PayloadLength < view.PayloadWireLength && theirs == Text(view.PayloadWireLength)),
        new("UDP length shorter than the datagram: PacketDotNet takes the datagram's", static (frame, view, name, _, theirs) =>
            name == "udp.payload" && int.TryParse(theirs, out var length) && view.PayloadLength < length),
        new("IPv6 payload length 0 (jumbogram, offloaded segmentation): PacketDotNet reads no payload", static (frame, view, _, _, theirs) =>
            view.EtherType == 0x86DD && frame.Bytes[view.NetworkOffset + 4] == 0 && frame.Bytes[view.NetworkOffset + 5] == 0 && theirs.Length == 0),
        new("VXLAN: PacketDotNet follows the tunnel and counts the inner packet", static (_, view, name, _, _) =>
            name == "udp.payload" && view is { Fault.Kind: FaultKind.Tunnel, DestinationPort: 4789 }),
        new("IPv4 with an authentication header: PacketDotNet does not look behind it", static (_, _, name, _, theirs) =>
            name == "ip.protocol" ? theirs == "51" : theirs.Length == 0),
        new("ARP whose addresses are not 6 and 4 bytes: PacketDotNet cuts four bytes out, we say it is unsupported", static (_, view, name, _, _) =>
            name is "arp.sender" or "arp.target" && view.Fault.Kind == FaultKind.Unsupported),
    ];

    [Fact]
    public void AgreesOnTheCapturesOfTheRepository()
    {
        var folder = Repository.PathOf("captures");
        var frames = Directory.Exists(folder) ? CaptureFile.ReadAll(folder).ToList() : [];
        Assert.SkipWhen(frames.Count == 0, "no captures in captures/");
        Compare(frames);
    }

    [Fact]
    public void AgreesOnTheSharedCaptures() => Compare(CaptureFile.ReadAll(Repository.SharedDataOrSkip("captures")));

    private void Compare(IEnumerable<CapturedFrame> frames)
    {
        var explained = new int[Explanations.Length];
        var unexplained = new List<string>();
        var (count, refused, fields) = (0, 0, 0);
        foreach (var frame in frames.Where(frame => Oracle.LinkTypes.Contains(frame.LinkType)))
        {
            count++;
            var theirs = Oracle.Read(frame.LinkType, frame.Bytes);
            if (theirs is null)
            {
                refused++;
                continue;
            }

            var view = default(PacketView);
            PacketDecoder.Decode(frame.Bytes, (LinkType)frame.LinkType, 0, ref view);
            var ours = Ours(frame, view);
            foreach (var name in ours.Keys.Union(theirs.Keys))
            {
                fields++;
                var mine = ours.GetValueOrDefault(name, "");
                var other = theirs.GetValueOrDefault(name, "");
                if (mine == other)
                    continue;
                var at = Array.FindIndex(Explanations, explanation => explanation.Covers(frame, view, name, mine, other));
                if (at >= 0)
                    explained[at]++;
                else
                    unexplained.Add($"{frame.Origin} [{frame.LinkType}] {name}: ours '{mine}', PacketDotNet '{other}' {view.Kind} {view.Fault}");
            }
        }

        output.WriteLine($"{count} frames, {fields} fields compared; PacketDotNet threw on {refused} frames");
        for (var i = 0; i < explained.Length; i++)
            output.WriteLine($"{explained[i],6}  {Explanations[i].Why}");
        Assert.True(unexplained.Count == 0, string.Join("\n", unexplained.Take(4000)));
    }

    private static Dictionary<string, string> Ours(CapturedFrame frame, in PacketView view)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        if (frame.LinkType == (ushort)LinkType.Ethernet && frame.Bytes.Length >= 14)
        {
            fields["eth.src"] = view.SourceMac.ToString();
            fields["eth.dst"] = view.DestinationMac.ToString();
        }

        fields["vlan"] = string.Join(',', new[] { view.Vlan, view.InnerVlan }.Where(id => id != 0));
        if (view.Kind == PacketKind.Arp)
        {
            fields["arp.operation"] = Text((ushort)view.ArpOperation);
            fields["arp.sender"] = view.Source.ToString();
            fields["arp.target"] = view.Destination.ToString();
        }
        else if (view.Kind != PacketKind.Other)
        {
            fields["ip.src"] = view.Source.ToString();
            fields["ip.dst"] = view.Destination.ToString();
            fields["ip.ttl"] = Text(view.TimeToLive);
            fields["ip.protocol"] = Text(view.IpProtocol);
        }

        switch (view.Kind)
        {
            case PacketKind.Tcp:
                fields["tcp.ports"] = $"{view.SourcePort} {view.DestinationPort}";
                fields["tcp.sequence"] = Text(view.TcpSequence);
                fields["tcp.acknowledgment"] = Text(view.TcpAcknowledgment);
                fields["tcp.flags"] = Text((byte)view.TcpFlags);
                fields["tcp.window"] = Text(view.TcpWindow);
                fields["tcp.checksum"] = Text(view.TransportChecksum);
                fields["tcp.payload"] = Text(view.PayloadLength);
                break;
            case PacketKind.Udp:
                fields["udp.ports"] = $"{view.SourcePort} {view.DestinationPort}";
                fields["udp.checksum"] = Text(view.TransportChecksum);
                fields["udp.payload"] = Text(view.PayloadLength);
                break;
            case PacketKind.Icmp or PacketKind.Icmpv6:
                fields["icmp.type"] = Text(view.IcmpTypeCode);
                break;
        }

        return fields;
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
