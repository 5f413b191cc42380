using System.Buffers.Binary;

namespace IoTGuard.TestSupport;

/// <summary>One frame of a capture file read by <see cref="CaptureFile"/>.</summary>
/// <param name="Origin">File name and number of the frame in it, from 1.</param>
/// <param name="LinkType">LINKTYPE_ number.</param>
/// <param name="Bytes">Captured bytes.</param>
/// <param name="WireLength">Length on the wire in bytes.</param>
internal sealed record CapturedFrame(string Origin, ushort LinkType, byte[] Bytes, int WireLength);

/// <summary>
/// The smallest possible reader of pcap and pcapng, written apart from IoTGuard.Capture so that tests of the lower rooms need nothing above
/// them. It stops at the first thing it does not understand.
/// </summary>
internal static class CaptureFile
{
    private const int MaxFrame = 1 << 24;

    public static List<CapturedFrame> Read(string path)
    {
        var bytes = File.ReadAllBytes(path);
        var frames = new List<CapturedFrame>();
        if (bytes.Length < 24)
            return frames;
        var magic = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        if (magic == 0x0A0D0D0A)
            ReadPcapng(bytes, Path.GetFileName(path), frames);
        else if (magic is 0xA1B2C3D4 or 0xA1B23C4D or 0xD4C3B2A1 or 0x4D3CB2A1)
            ReadPcap(bytes, magic is 0xD4C3B2A1 or 0x4D3CB2A1, Path.GetFileName(path), frames);
        return frames;
    }

    /// <summary>Every frame of every capture file below a folder, in the order of the paths.</summary>
    public static IEnumerable<CapturedFrame> ReadAll(string folder) =>
        Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Where(path => Path.GetExtension(path) is ".pcap" or ".pcapng" or ".cap")
            .Order(StringComparer.Ordinal)
            .SelectMany(Read);

    private static void ReadPcap(byte[] bytes, bool bigEndian, string name, List<CapturedFrame> frames)
    {
        var link = (ushort)UInt32(bytes, 20, bigEndian);
        for (var at = 24; at + 16 <= bytes.Length;)
        {
            var length = (int)UInt32(bytes, at + 8, bigEndian);
            if (length is < 0 or > MaxFrame || at + 16 + length > bytes.Length)
                return;
            frames.Add(new($"{name} {frames.Count + 1}", link, bytes[(at + 16)..(at + 16 + length)], (int)UInt32(bytes, at + 12, bigEndian)));
            at += 16 + length;
        }
    }

    private static void ReadPcapng(byte[] bytes, string name, List<CapturedFrame> frames)
    {
        var bigEndian = false;
        var interfaces = new List<(ushort Link, int SnapLength)>();
        for (var at = 0; at + 12 <= bytes.Length;)
        {
            if (UInt32(bytes, at, false) == 0x0A0D0D0A)
            {
                bigEndian = UInt32(bytes, at + 8, true) == 0x1A2B3C4D;
                interfaces.Clear();
            }

            var type = UInt32(bytes, at, bigEndian);
            var length = (int)UInt32(bytes, at + 4, bigEndian);
            if (length is < 12 or > MaxFrame || length % 4 != 0 || at + length > bytes.Length)
                return;
            var body = at + 8;
            var (id, header) = type switch
            {
                6 => ((int)UInt32(bytes, body, bigEndian), 20),
                2 => (UInt16(bytes, body, bigEndian), 20),
                3 => (0, 4),
                _ => (-1, 0),
            };
            if (type == 1)
            {
                interfaces.Add((UInt16(bytes, body, bigEndian), (int)UInt32(bytes, body + 4, bigEndian)));
            }
            else if (header > 0)
            {
                if (id < 0 || id >= interfaces.Count || length < 12 + header)
                    return;
                var wire = (int)UInt32(bytes, body + header - 4, bigEndian);
                var snap = interfaces[id].SnapLength;
                var captured = type == 3 ? (snap > 0 ? Math.Min(wire, snap) : wire) : (int)UInt32(bytes, body + 12, bigEndian);
                if (captured < 0 || captured > length - 12 - header)
                    return;
                frames.Add(new($"{name} {frames.Count + 1}", interfaces[id].Link, bytes[(body + header)..(body + header + captured)], wire));
            }

            at += length;
        }
    }

    private static ushort UInt16(byte[] bytes, int at, bool bigEndian) =>
        bigEndian ? BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(at)) : BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(at));

    private static uint UInt32(byte[] bytes, int at, bool bigEndian) =>
        bigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(at)) : BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at));
}
