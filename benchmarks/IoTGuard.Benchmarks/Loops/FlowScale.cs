using System.Buffers.Binary;
using System.Globalization;
using IoTGuard.Analysis;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Wire;

namespace IoTGuard.Benchmarks.Loops;

/// <summary>
/// What a packet costs with few flows open and with many: TCP connections with unknown payload between 4,096 clients and 16 servers, through sensor and detector on
/// one thread. First all flows open: handshake, and one packet from each side; then packets of random flows follow, and the best of several rounds counts. Processor time.
/// </summary>
internal static class FlowScale
{
    private const int Rounds = 5;
    private const int PacketsInRound = 1 << 20;
    private const int HeaderBytes = 14 + 20 + 20;
    private const int PayloadBytes = 64;
    private const int FrameBytes = HeaderBytes + PayloadBytes;
    private const long PacketPauseNs = 1_000;
    private const byte Syn = 0x02;
    private const byte Psh = 0x08;
    private const byte Ack = 0x10;

    /// <summary>No protocol's bytes: the probes turn it down at once.</summary>
    private static readonly byte[] Noise = MakeNoise();

    public static int Run(int most)
    {
        Console.WriteLine("flows      opening, ns/packet   known flows, ns/packet   held, bytes/flow   collections in known flows");
        for (long flows = 1_000; flows <= most; flows *= 10)
        {
            Measure((int)flows);
            if (flows * 2 <= most && flows >= 10_000)
                Measure((int)flows * 2);
        }

        return 0;
    }

    private static byte[] MakeNoise()
    {
        var noise = new byte[FrameBytes];
        new Random(7).NextBytes(noise);
        noise.AsSpan(0, HeaderBytes).Clear();
        return noise;
    }

    private static void Measure(int flows)
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var run = new Conversations(flows);
        var opening = 0.0;
        foreach (var fromServer in (ReadOnlySpan<bool>)[false, true, false, true])
            opening += run.Send(flows, (_, i) => (i, fromServer));
        var held = GC.GetTotalMemory(forceFullCollection: true) - before - run.OwnBytes;
        var collections = GC.CollectionCount(0);
        var best = double.MaxValue;
        for (var round = 0; round < Rounds; round++)
            best = Math.Min(best, run.Send(PacketsInRound, static (random, _) => (random.Next(), (random.Next() & 1) != 0)));
        collections = GC.CollectionCount(0) - collections;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{flows,-10} {opening / (4.0 * flows),18:F0} {best / PacketsInRound,24:F0} {held / (double)flows,18:F0} {collections,12}"));
        GC.KeepAlive(run);
    }

    private sealed class Conversations(int flows)
    {
        private readonly Sensor _sensor = new(new SensorOptions { PseudonymKey = new byte[32], MaximumFlows = 4 * flows });
        private readonly Detector _detector = new(Site.Empty, new DetectorOptions(), new NoAlerts());
        private readonly EventBatch _output = new();
        private readonly FrameBatch _batch = new();
        private readonly Random _random = new(1);
        private readonly byte[] _memory = new byte[FrameBatch.Capacity * FrameBytes];
        private readonly long[] _clocks = new long[FrameBatch.Capacity];
        private readonly ushort[] _all = [.. Enumerable.Range(0, FrameBatch.Capacity).Select(static i => (ushort)i)];
        private readonly uint[] _sent = new uint[2 * flows];
        private long _clock = 1_767_225_600_000_000_000;
        private long _frames;

        /// <summary>Bytes of what makes the packets.</summary>
        public long OwnBytes => (_sent.Length * sizeof(uint)) + _memory.Length;

        /// <summary>Sends packets. Returns the processor time that sensor and detector took, ns.</summary>
        public double Send(int packets, Func<Random, int, (int Flow, bool FromServer)> next)
        {
            var time = TimeSpan.Zero;
            for (var sent = 0; sent < packets;)
            {
                _batch.Reset(_memory, null);
                _batch.FirstFrame = _frames;
                for (; sent < packets && !_batch.IsFull; sent++)
                {
                    var (flow, fromServer) = next(_random, sent);
                    var offset = _batch.Count * FrameBytes;
                    var length = Write(_memory.AsSpan(offset, FrameBytes), flow % flows, fromServer);
                    _clocks[_batch.Count] = _clock += PacketPauseNs;
                    _batch.Add(new FrameHeader(_clock, offset, length, length, LinkType.Ethernet));
                }

                _frames += _batch.Count;
                var started = Environment.CpuUsage.TotalTime;
                _sensor.Process(_batch, _clocks, _all.AsSpan(0, _batch.Count), _output);
                _sensor.Advance(_clock, _output);
                foreach (ref readonly var e in _output.Events)
                    _detector.OnEvent(_output, e);
                _detector.AdvanceTo(_clock);
                _output.Clear();
                time += Environment.CpuUsage.TotalTime - started;
                _batch.Release();
            }

            return time.TotalNanoseconds;
        }

        /// <summary>Writes the next packet of one side of a flow: its SYN first. Returns its length.</summary>
        private int Write(Span<byte> frame, int flow, bool fromServer)
        {
            ref var own = ref _sent[(2 * flow) + (fromServer ? 1 : 0)];
            var length = own == 0 ? HeaderBytes : FrameBytes;
            Noise.CopyTo(frame);
            BinaryPrimitives.WriteUInt16BigEndian(frame[12..], 0x0800);
            var ip = frame[14..];
            ip[..20].Clear();
            ip[0] = 0x45;
            BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)(length - 14));
            BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)_clock);
            (ip[8], ip[9]) = (64, 6);
            var client = 0x0A00_0000u + ((uint)flow & 0xFFF) + 1;
            var server = 0x0A01_0001u + ((uint)flow & 15);
            BinaryPrimitives.WriteUInt32BigEndian(ip[12..], fromServer ? server : client);
            BinaryPrimitives.WriteUInt32BigEndian(ip[16..], fromServer ? client : server);
            var tcp = ip[20..];
            var port = (ushort)(1024 + (flow >> 12));
            BinaryPrimitives.WriteUInt16BigEndian(tcp, fromServer ? (ushort)9999 : port);
            BinaryPrimitives.WriteUInt16BigEndian(tcp[2..], fromServer ? port : (ushort)9999);
            var other = _sent[(2 * flow) + (fromServer ? 0 : 1)];
            BinaryPrimitives.WriteUInt32BigEndian(tcp[4..], own);
            BinaryPrimitives.WriteUInt32BigEndian(tcp[8..], other);
            var isFirst = own == 0;
            own += isFirst ? 1u : PayloadBytes;
            tcp[12] = 0x50;
            tcp[13] = (byte)((isFirst ? Syn : Psh) | (other == 0 ? 0 : Ack));
            BinaryPrimitives.WriteUInt32BigEndian(tcp[14..], 0x4000_0000 | (own & 0xFFFF));
            return length;
        }
    }

    private sealed class NoAlerts : IAlertSink
    {
        public void OnAlert(Alert alert, AlertPhase phase)
        {
        }
    }
}
