using System.Diagnostics;
using System.Globalization;
using IoTGuard.Capture;
using IoTGuard.SharpPcap;
using IoTGuard.Wire;
using SharpPcap;
using SharpPcap.LibPcap;

namespace IoTGuard.Benchmarks.Baselines;

/// <summary>A capture read by our own reader, by our adapter of SharpPcap, and by SharpPcap's usual loop, in turns; every frame is decoded.</summary>
internal static class Readers
{
    private const int Rounds = 5;

    public static int Run(string path)
    {
        (string Name, Func<(long Frames, long Ports)> Read)[] readers =
        [
            ("our reader", () => Read(CaptureFile.Open(path))),
            ("adapter of SharpPcap", () => Read(SharpPcapSource.OpenFile(path))),
            ("SharpPcap, GetNextPacket", () => ReadUsually(path)),
        ];
        var rates = readers.Select(static _ => new double[Rounds]).ToArray();
        var results = new (long Frames, long Ports)[readers.Length];
        for (var round = -1; round < Rounds; round++)
        {
            for (var i = 0; i < readers.Length; i++)
            {
                using var process = Process.GetCurrentProcess();
                var before = process.TotalProcessorTime;
                results[i] = readers[i].Read();
                process.Refresh();
                // The round before the first warms up.
                if (round >= 0)
                    rates[i][round] = results[i].Frames / (process.TotalProcessorTime - before).TotalSeconds;
            }
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"read and decode of {results[0].Frames} frames, median of {Rounds} rounds in turns, processor time of the process"));
        for (var i = 0; i < readers.Length; i++)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{readers[i].Name,-26} {Median(rates[i]) / 1e6,6:F2} million frames/s   ours is {Median([.. rates[0].Zip(rates[i], static (a, b) => a / b)]):F2} times as fast"));
        return Array.TrueForAll(results, result => result == results[0]) ? 0 : 1;
    }

    private static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);

    private static (long Frames, long Ports) Read(IFrameSource source)
    {
        using var owned = source;
        var batch = new FrameBatch();
        var view = default(PacketView);
        long frames = 0, ports = 0;
        while (source.Read(batch))
        {
            foreach (ref readonly var frame in batch.Frames)
            {
                PacketDecoder.Decode(batch.Memory.Span.Slice(frame.Offset, frame.Length), frame.Link, frame.AuxVlan, ref view);
                ports += view.DestinationPort;
            }

            frames += batch.Count;
            batch.Release();
        }

        return (frames, ports);
    }

    private static (long Frames, long Ports) ReadUsually(string path)
    {
        using var device = new CaptureFileReaderDevice(path);
        device.Open(new DeviceConfiguration { TimestampResolution = TimestampResolution.Nanosecond });
        var view = default(PacketView);
        long frames = 0, ports = 0;
        while (device.GetNextPacket(out var packet) == GetPacketStatus.PacketRead)
        {
            frames++;
            PacketDecoder.Decode(packet.Data, (LinkType)device.LinkType, 0, ref view);
            ports += view.DestinationPort;
        }

        return (frames, ports);
    }
}
