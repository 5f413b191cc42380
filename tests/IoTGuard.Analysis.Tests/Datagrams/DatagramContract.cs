using System.Globalization;
using System.Text;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Analysis.Tests.Dicom;
using IoTGuard.Analysis.Tests.Flows;
using IoTGuard.Analysis.Tests.Sessions;
using IoTGuard.TestSupport;

namespace IoTGuard.Analysis.Tests.Datagrams;

/// <summary>Conversations as frames through the whole sensor, and such of a real capture.</summary>
internal static class DatagramContract
{
    /// <summary>A transaction as one line: protocol, endpoints, event, fields, claims.</summary>
    public static string Describe(Transaction transaction)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{transaction.Protocol} {transaction.Client}>{transaction.Server}:{transaction.ServerPort} ");
        text.Append(TextFieldWriter.Describe(transaction));
        foreach (var claim in transaction.Claims)
            text.Append(CultureInfo.InvariantCulture, $" claim({claim.Device} {claim.Kind} '{claim.Value}')");
        return text.ToString();
    }

    /// <summary>Runs datagrams through frames, probes and the whole table of protocols.</summary>
    public static Outcome Run(IEnumerable<Turn> turns, int serverPort, Packet? template = null)
    {
        var capture = new Capture();
        var connection = new Connection(capture) { Template = (template ?? new Packet()) with { Protocol = 17, DestinationPort = serverPort } };
        foreach (var turn in turns)
            capture.Add(connection.Make(turn.Direction == 0, default, 0, turn.Bytes));
        return capture.Run();
    }

    /// <summary>The UDP conversations of the capture in which a port takes part, in the order they began.</summary>
    public static List<List<Turn>> ConversationsOf(string name, params int[] ports)
    {
        var path = Repository.PathOf("captures", name);
        Assert.True(File.Exists(path), path);
        var conversations = new List<(string Key, string First, List<Turn> Turns)>();
        var view = default(IoTGuard.Wire.PacketView);
        foreach (var frame in CaptureFile.Read(path))
        {
            var header = new IoTGuard.Wire.FrameHeader(0, 0, frame.Bytes.Length, frame.WireLength, (IoTGuard.Wire.LinkType)frame.LinkType);
            IoTGuard.Wire.PacketDecoder.Decode(frame.Bytes, header, ref view);
            if (view.Kind != IoTGuard.Wire.PacketKind.Udp || view.PayloadLength == 0 || !(ports.Contains(view.SourcePort) || ports.Contains(view.DestinationPort)))
                continue;
            var (one, other) = ($"{view.Source} {view.SourcePort}", $"{view.Destination} {view.DestinationPort}");
            var key = string.CompareOrdinal(one, other) < 0 ? one + other : other + one;
            var index = conversations.FindIndex(c => c.Key == key);
            if (index < 0)
            {
                index = conversations.Count;
                conversations.Add((key, one, []));
            }

            var bytes = frame.Bytes.AsSpan(view.PayloadOffset, view.PayloadLength).ToArray();
            var turns = conversations[index].Turns;
            turns.Add(conversations[index].First == one ? Turn.Client(bytes, turns.Count * 0.01) : Turn.Server(bytes, turns.Count * 0.01));
        }

        return [.. conversations.Select(c => c.Turns)];
    }

    /// <summary>The probe answers on every prefix, never throws, and never calls random bytes its own for certain.</summary>
    public static void ProbeIsTotal(ProtocolProbe probe, IReadOnlyList<Turn> turns, int seed)
    {
        foreach (var turn in turns)
        {
            for (var length = 0; length <= turn.Bytes.Length; length++)
                probe(turn.Direction, turn.Bytes.AsSpan(0, length));
        }

        var random = new Random(seed);
        for (var run = 0; run < 20_000; run++)
        {
            var bytes = new byte[random.Next(1, 200)];
            random.NextBytes(bytes);
            Assert.NotEqual(ProbeResult.Certain, probe(default, bytes));
        }
    }
}
