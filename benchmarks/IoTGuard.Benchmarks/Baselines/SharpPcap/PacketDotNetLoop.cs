using System.Diagnostics;
using IoTGuard.Benchmarks.Loops;
using PacketDotNet;
using SharpPcap;
using SharpPcap.LibPcap;

namespace IoTGuard.Benchmarks.Baselines;

/// <summary>The usual loop of programs on these packages: read a capture, parse each packet, take addresses, ports and payload, find the flow.</summary>
internal static class PacketDotNetLoop
{
    public static int Run(string path)
    {
        var started = Stopwatch.GetTimestamp();
        using var device = new CaptureFileReaderDevice(path);
        device.Open();
        var flows = new Dictionary<(System.Net.IPAddress, System.Net.IPAddress, ushort, ushort, ProtocolType), long>();
        long packets = 0, bytes = 0, payload = 0;
        while (device.GetNextPacket(out var capture) == GetPacketStatus.PacketRead)
        {
            packets++;
            bytes += capture.Data.Length;
            var packet = Packet.ParsePacket(device.LinkType, capture.Data.ToArray());
            if (packet.Extract<IPPacket>() is not { } ip || ip.PayloadPacket is not TransportPacket transport)
                continue;
            payload += transport.PayloadData?.Length ?? 0;
            var key = (ip.SourceAddress, ip.DestinationAddress, transport.SourcePort, transport.DestinationPort, ip.Protocol);
            flows[key] = flows.GetValueOrDefault(key) + 1;
        }

        LoopReport.Print("SharpPcap + PacketDotNet", packets, bytes, flows.Count, Stopwatch.GetElapsedTime(started));
        return payload >= 0 ? 0 : 1;
    }
}
