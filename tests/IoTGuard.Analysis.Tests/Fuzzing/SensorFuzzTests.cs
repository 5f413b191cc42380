using System.Buffers.Binary;
using IoTGuard.Analysis.Tests.Flows;
using IoTGuard.Analysis.Tests.Sessions;
using IoTGuard.TestSupport;

namespace IoTGuard.Analysis.Tests.Fuzzing;

/// <summary>
/// The whole sensor under damaged traffic: frames of all captures changed, in tunnels and in fragments, and conversations changed inside correct TCP.
/// It neither fails nor takes long, and what it tells is the same for one worker and for three.
/// </summary>
public sealed class SensorFuzzTests
{
    private const int FrameRounds = 150;
    private const int FramesPerRound = 120;
    private const int ConversationRounds = 400;

    [Fact]
    public void DamagedFrames() => FuzzRun.Of(
        FrameRounds,
        static random =>
        {
            var capture = new Capture();
            for (var i = 0; i < FramesPerRound; i++)
            {
                capture.Now += random.Next(5) == 0 ? random.Next(1_000_000_000) : -random.Next(100_000);
                foreach (var frame in Damaged(random))
                    capture.AddFrame(frame, random.Next(2_000_000));
            }

            return capture;
        },
        static (capture, _) => RunTwice(capture),
        static capture => 40 * capture.Frames.Sum(frame => frame.Frame.Length));

    [Fact]
    public void DamagedConversations() => FuzzRun.Of(
        ConversationRounds,
        static random =>
        {
            var capture = new Capture();
            var seed = random.Next(3) switch { 0 => FuzzSeeds.Dicom, 1 => FuzzSeeds.Hl7, _ => FuzzSeeds.Conversations[random.Next(FuzzSeeds.Conversations.Count)] };
            Converse(capture, seed, random);
            return capture;
        },
        static (capture, _) => RunTwice(capture),
        static capture => 40 * capture.Frames.Sum(frame => frame.Frame.Length));

    private static void RunTwice(Capture capture)
    {
        var one = capture.Run();
        var three = capture.Run(workers: 3);
        Assert.Equal(one.Text.ToString(), three.Text.ToString());
        Assert.Equal(one.Counters.Frames, three.Counters.Frames);
        Assert.Equal(capture.Frames.Count, one.Counters.Frames);
    }

    private static IEnumerable<byte[]> Damaged(Random random)
    {
        var frame = FuzzSeeds.Frames[random.Next(FuzzSeeds.Frames.Count)];
        var wraps = Wrap.All.Values.ToArray();
        if (random.Next(3) == 0 && Wrap.TypeOf(frame) is 0x0800 or 0x86DD)
            frame = wraps[random.Next(wraps.Length)](frame);
        if (random.Next(4) > 0)
            frame = InHeaders(frame, random);
        if (random.Next(4) > 0 || frame.Length < 100 || frame[12] != 8 || frame[13] != 0 || frame[14] != 0x45)
            return [frame];
        var fragments = Fragments.Of(frame, 8 * random.Next(1, 60), (uint)random.Next(16)).ToArray();
        random.Shuffle(fragments);
        return fragments.Select(fragment => random.Next(6) == 0 ? InHeaders(fragment, random) : fragment);
    }

    /// <summary>Most changes fall on the first bytes, where the headers are.</summary>
    private static byte[] InHeaders(byte[] frame, Random random)
    {
        var headers = Math.Min(frame.Length, 14 + random.Next(100));
        return random.Next(2) == 0 ? ByteMutator.Mutate(frame, random) : [.. ByteMutator.Mutate(frame[..headers], random), .. frame.AsSpan(headers)];
    }

    private static void Converse(Capture capture, FuzzSeed seed, Random random)
    {
        var template = new Packet { Protocol = seed.IpProtocol, DestinationPort = seed.ServerPort, SourcePort = 40_000 + random.Next(1000) };
        var changed = random.Next(seed.Turns.Count);
        if (seed.IpProtocol != 6)
        {
            for (var i = 0; i < seed.Turns.Count; i++)
            {
                var bytes = i == changed ? ByteMutator.Mutate(seed.Turns[i].Bytes, random) : seed.Turns[i].Bytes;
                var client = seed.Turns[i].Direction == 0;
                capture.Add(client
                    ? template with { Payload = bytes[..Math.Min(bytes.Length, 60_000)] }
                    : template with { Source = template.Destination, Destination = template.Source, SourcePort = template.DestinationPort, DestinationPort = template.SourcePort, Payload = bytes[..Math.Min(bytes.Length, 60_000)] });
            }

            return;
        }

        var connection = new Connection(capture, (uint)random.Next(), (uint)random.Next()) { Template = template };
        connection.Handshake();
        for (var i = 0; i < seed.Turns.Count; i++)
        {
            var turn = seed.Turns[i];
            var bytes = i == changed ? Change(seed, turn, random) : turn.Bytes;
            foreach (var piece in bytes.Chunk(1 + random.Next(3000)))
            {
                connection.Send(turn.Direction == 0, Wire.TcpFlags.Ack | Wire.TcpFlags.Psh, piece);
                Disturb(capture, random);
            }
        }

        connection.Close();
    }

    private static byte[] Change(FuzzSeed seed, Turn turn, Random random)
    {
        if (seed == FuzzSeeds.Hl7)
            return Hl7Mutator.Mutate(turn.Bytes, random);
        if (seed != FuzzSeeds.Dicom)
            return ByteMutator.Mutate(turn.Bytes, random);
        var tree = DicomTree.Read(turn.Bytes);
        tree.Mutate(random);
        return tree.Write();
    }

    /// <summary>A segment is lost, comes twice, comes late, overlaps what came, or has other flags.</summary>
    private static void Disturb(Capture capture, Random random)
    {
        var frames = capture.Frames;
        switch (random.Next(40))
        {
            case 0:
                frames.RemoveAt(frames.Count - 1);
                break;
            case 1:
                frames.Add(frames[^1]);
                break;
            case 2 when frames.Count > 2:
                (frames[^1], frames[^2]) = (frames[^2], frames[^1]);
                break;
            case 3:
                var (time, frame, wire) = frames[^1];
                var overlapping = (byte[])frame.Clone();
                BinaryPrimitives.WriteUInt32BigEndian(overlapping.AsSpan(38), BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(38)) - (uint)random.Next(200));
                frames.Add((time, overlapping, wire));
                break;
            case 4:
                frames[^1].Frame[47] = (byte)random.Next(256);
                break;
        }
    }
}
