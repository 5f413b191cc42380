using System.Buffers.Binary;
using System.Diagnostics;

namespace IoTGuard.Benchmarks.Loops;

/// <summary>
/// The least that any flow sensor in C# does: map the capture, walk its records, decode Ethernet, VLAN, IPv4 or IPv6, TCP or UDP, and count the packet at its
/// flow in a hash table. No faults, no fragments, no streams, no expiry.
/// </summary>
internal static unsafe class FloorLoop
{
    public static int Run(string path, bool withFlows)
    {
        var started = Stopwatch.GetTimestamp();
        using var capture = new MappedCapture(path);
        var table = new FloorTable();
        var (packets, bytes) = withFlows ? Walk(capture, table) : WalkDecoding(capture);
        LoopReport.Print(withFlows ? "floor" : "decode floor", packets, bytes, table.Count, Stopwatch.GetElapsedTime(started));
        return 0;
    }

    private static (long Packets, long Bytes) Walk(MappedCapture capture, FloorTable table)
    {
        long packets = 0, bytes = 0;
        var end = capture.Start + capture.Length;
        for (var record = capture.Start + 24; record + 16 <= end;)
        {
            var length = *(uint*)(record + 8);
            var frame = record + 16;
            record = frame + length;
            if (record > end)
                break;
            packets++;
            bytes += length;
            if (TryDecode(frame, length, out var key))
                table.Add(key, length);
        }

        return (packets, bytes);
    }

    private static (long Packets, long Bytes) WalkDecoding(MappedCapture capture)
    {
        long packets = 0, bytes = 0;
        ulong sum = 0;
        var end = capture.Start + capture.Length;
        for (var record = capture.Start + 24; record + 16 <= end;)
        {
            var length = *(uint*)(record + 8);
            var frame = record + 16;
            record = frame + length;
            if (record > end)
                break;
            packets++;
            bytes += length;
            if (TryDecode(frame, length, out var key))
                sum += key.Ports ^ key.LowA;
        }

        return (packets, bytes + (sum == 1 ? 1 : 0));
    }

    private static bool TryDecode(byte* frame, uint length, out FloorKey key)
    {
        key = default;
        if (length < 14)
            return false;
        uint at = 12;
        var type = Read16(frame + at);
        while (type is 0x8100 or 0x88A8 && at + 6 <= length)
        {
            at += 4;
            type = Read16(frame + at);
        }

        at += 2;
        byte protocol;
        ulong sourceHigh = 0, sourceLow, destinationHigh = 0, destinationLow;
        if (type == 0x0800 && at + 20 <= length)
        {
            var ip = frame + at;
            protocol = ip[9];
            sourceLow = *(uint*)(ip + 12);
            destinationLow = *(uint*)(ip + 16);
            at += (uint)(ip[0] & 15) * 4;
        }
        else if (type == 0x86DD && at + 40 <= length)
        {
            var ip = frame + at;
            protocol = ip[6];
            sourceHigh = *(ulong*)(ip + 8);
            sourceLow = *(ulong*)(ip + 16);
            destinationHigh = *(ulong*)(ip + 24);
            destinationLow = *(ulong*)(ip + 32);
            at += 40;
        }
        else
        {
            return false;
        }

        if (protocol is not (6 or 17) || at + (protocol == 6 ? 20u : 8u) > length)
            return false;
        ulong sourcePort = Read16(frame + at);
        ulong destinationPort = Read16(frame + at + 2);
        var inOrder = sourceHigh != destinationHigh ? sourceHigh < destinationHigh
            : sourceLow != destinationLow ? sourceLow < destinationLow : sourcePort <= destinationPort;
        key = inOrder
            ? new FloorKey(sourceHigh, sourceLow, destinationHigh, destinationLow, (sourcePort << 24) | (destinationPort << 8) | protocol)
            : new FloorKey(destinationHigh, destinationLow, sourceHigh, sourceLow, (destinationPort << 24) | (sourcePort << 8) | protocol);
        return true;
    }

    private static ushort Read16(byte* at) => BinaryPrimitives.ReverseEndianness(*(ushort*)at);
}
