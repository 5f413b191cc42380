using System.Buffers.Binary;
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
        new("IP length 0 (jumbogram, offloaded segmentation): PacketDotNet reads no payload", static (frame, view, _, _, theirs) =>
            theirs is "" or "0" && LengthOf(frame.Bytes.AsSpan(view.NetworkOffset)) == 0),
        new("payload above 65,535 bytes: PacketDotNet loses the higher bits of its length", static (_, view, _, _, theirs) =>
            view.PayloadLength > ushort.MaxValue && theirs == Text((ushort)view.PayloadLength)),
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

    /// <summary>PacketDotNet's list of TCP options never ends on an option of length 0: one crafted SYN would take all memory.</summary>
    [Fact(Timeout = 10_000)]
    public async Task OptionOfLengthZeroDoesNotHoldTheOracleUp()
    {
        byte[] frame =
        [
            2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0,
            0x45, 0, 0, 44, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
            0x80, 1, 0, 104, 0, 0, 0, 1, 0, 0, 0, 0, 0x60, 2, 1, 0, 0, 0, 0, 0,
            2, 0, 0, 0,
        ];
        await Task.Run(() => Compare([new CapturedFrame("crafted", (ushort)LinkType.Ethernet, frame, frame.Length)]), TestContext.Current.CancellationToken);
    }

    private void Compare(IEnumerable<CapturedFrame> frames)
    {
        var explained = new int[Explanations.Length];
        var unexplained = new List<string>();
        var (count, tunnelled, refused, fields) = (0, 0, 0, 0);
        foreach (var frame in frames.Where(frame => Oracle.LinkTypes.Contains(frame.LinkType)))
        {
            count++;
            var view = default(PacketView);
            PacketDecoder.Decode(frame.Bytes, (LinkType)frame.LinkType, 0, ref view);
            // Of a frame with tunnels we say what the innermost packet is: PacketDotNet is given that packet, from its IP header on.
            var isInner = view.TunnelDepth > 0;
            if (isInner)
                tunnelled++;
            if (isInner && view.Kind is PacketKind.Arp or PacketKind.Other)
                continue;
            var theirs = isInner ? Oracle.Read((ushort)LinkType.Raw, frame.Bytes[view.NetworkOffset..]) : Oracle.Read(frame.LinkType, frame.Bytes);
            if (theirs is null)
            {
                refused++;
                continue;
            }

            var ours = Ours(frame, view);
            if (isInner)
                theirs["vlan"] = ours["vlan"];
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

        output.WriteLine($"{count} frames, {tunnelled} of them in tunnels, {fields} fields compared; PacketDotNet threw on {refused} frames");
        for (var i = 0; i < explained.Length; i++)
            output.WriteLine($"{explained[i],6}  {Explanations[i].Why}");
        Assert.True(unexplained.Count == 0, string.Join("\n", unexplained.Take(4000)));
    }

    private static Dictionary<string, string> Ours(CapturedFrame frame, in PacketView view)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        if (view.TunnelDepth == 0 && frame.LinkType == (ushort)LinkType.Ethernet && frame.Bytes.Length >= 14)
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
                fields["tcp.options"] = Text(view.TcpOptionsLength);
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

    /// <summary>Total length of IPv4, payload length of IPv6.</summary>
    private static int LengthOf(ReadOnlySpan<byte> ip) => BinaryPrimitives.ReadUInt16BigEndian(ip[(ip[0] >> 4 == 4 ? 2 : 4)..]);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
