using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Tests.Dicom;
using IoTGuard.Analysis.Tests.Hl7;
using IoTGuard.Analysis.Tests.Sessions;
using IoTGuard.TestSupport;
using IoTGuard.Wire;
using IoTGuard.Wire.Transport;

namespace IoTGuard.Analysis.Tests.Fuzzing;

/// <summary>What one flow said, in order.</summary>
internal sealed record FuzzSeed(byte IpProtocol, ushort ServerPort, IReadOnlyList<Turn> Turns)
{
    public int Size => Turns.Sum(turn => turn.Bytes.Length);
}

/// <summary>Seeds of fuzzing: conversations made by hand, those of our captures, and those of ../shared/data where it is.</summary>
internal static class FuzzSeeds
{
    /// <summary>Frames of a capture that are looked at.</summary>
    private const int FramesPerCapture = 3000;

    /// <summary>Conversations with one port in one capture.</summary>
    private const int SeedsPerPort = 2;

    /// <summary>Bytes of a conversation; what follows is left away.</summary>
    private const int MaximumSize = 48 << 10;

    public static FuzzSeed Dicom { get; } = new(6, 104, [.. DicomScript.Turns.Select(turn => new Turn(turn.From, turn.Bytes))]);

    public static FuzzSeed Hl7 { get; } = new(6, 2575,
    [
        Turn.Client(Messages.Framed(Messages.Admit("1")) + Messages.Framed(Messages.Admit("2"))),
        Turn.Server(Messages.Framed(Messages.Ack("1")) + Messages.Framed(Messages.Ack("2", "AE"))),
        Turn.Client(Messages.Framed(Messages.Admit("3"))),
        Turn.Server(Messages.Framed(Messages.Ack("3"))),
    ]);

    public static IReadOnlyList<FuzzSeed> Conversations { get; } =
        [Dicom, Hl7, .. Captures().SelectMany(path => Read(CaptureFile.Read(path).Take(FramesPerCapture)))];

    /// <summary>Ethernet frames of all kinds.</summary>
    public static IReadOnlyList<byte[]> Frames { get; } =
    [
        .. Captures().SelectMany(path => CaptureFile.Read(path).Take(FramesPerCapture).Where((frame, i) => frame.LinkType == 1 && i % 20 == 0 && frame.Bytes.Length is > 14 and < 4000))
            .Select(frame => frame.Bytes),
    ];

    private static IEnumerable<string> Captures()
    {
        var shared = Path.Combine(Repository.Root, "..", "shared", "data", "captures");
        var folders = new[] { Repository.PathOf("captures"), shared }.Where(Directory.Exists);
        return folders.SelectMany(folder => Directory.EnumerateFiles(folder, "*.pcap*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
            .Where(path => new FileInfo(path).Length < 16 << 20);
    }

    private static IEnumerable<FuzzSeed> Read(IEnumerable<CapturedFrame> frames)
    {
        var flows = new Dictionary<FlowKey, (ushort Port, Endpoint Client, List<Turn> Turns, uint[] Next)>();
        var view = default(PacketView);
        foreach (var frame in frames)
        {
            PacketDecoder.Decode(frame.Bytes, (LinkType)frame.LinkType, 0, ref view);
            if (view.Kind is not (PacketKind.Tcp or PacketKind.Udp) || view.PayloadLength == 0 || view.IsFragment)
                continue;
            var key = FlowKey.From(view, false, out var sender);
            if (!flows.TryGetValue(key, out var flow))
                flows[key] = flow = (view.DestinationPort, sender, [], [0, 0]);
            ref var next = ref flow.Next[(int)sender];
            if (view.Kind == PacketKind.Tcp && next != 0 && next != view.TcpSequence)
                continue;
            next = view.TcpSequence + (uint)view.PayloadLength;
            if (flow.Turns.Sum(turn => turn.Bytes.Length) < MaximumSize)
                flow.Turns.Add(new Turn((FlowDirection)(sender == flow.Client ? 0 : 1), frame.Bytes.AsSpan(view.PayloadOffset, view.PayloadLength).ToArray()));
        }

        return flows.Select(flow => new FuzzSeed(flow.Key.Protocol, flow.Value.Port, flow.Value.Turns))
            .GroupBy(seed => (seed.IpProtocol, seed.ServerPort))
            .SelectMany(group => group.OrderByDescending(seed => seed.Size).Take(SeedsPerPort));
    }
}
