using System.Buffers.Binary;
using System.Text;
using IoTGuard.Wire;

namespace IoTGuard.Benchmarks.Inputs;

/// <summary>Traffic made to cost a sensor as much as it can: each kind as frames, one after the other.</summary>
internal static class AttackFrames
{
    private const uint Client = 0x0A000001;
    private const uint Server = 0x0A000002;
    private const int Link = 14;
    private const int Ip = 20;

    public static IReadOnlyList<(string Name, Func<int, List<byte[]>> Make)> Kinds { get; } =
    [
        ("new flows only", static count => [.. Enumerable.Range(0, count).Select(i => Tcp((uint)(0x0B000000 + (i * 2654435761L % 0xFFFFFF)), (ushort)i, (ushort)(i >> 3), 2, (uint)i, []))]),
        ("HL7, one byte a segment", static count => Stream(count, 2575, Hl7(), 1)),
        ("DICOM, one byte a segment", static count => Stream(count, 104, Dicom(), 1)),
        ("every second segment missing", Holes),
        ("segments backwards, overlapping", Overlaps),
        ("fragments of 8 bytes, backwards", TinyFragments),
        ("first fragments only", static count => [.. Enumerable.Range(0, count).Select(i => Fragment((ushort)i, 0, true, new byte[1400]))]),
        ("IP in IP, 8 deep", static count => [.. Enumerable.Repeat(Nested(8), count)]),
        ("IP in IP, 60 deep", static count => [.. Enumerable.Repeat(Nested(60), count)]),
        ("IPv6, 8 extension headers", static count => [.. Enumerable.Repeat(Extensions(8), count)]),
        ("VXLAN with random VNIs and flows", static count => [.. Enumerable.Range(0, count).Select(Vxlan)]),
        ("HL7, delimiters only", static count => Stream(count, 2575, Delimiters(), 1400)),
        ("DICOM, nested sequences", static count => Stream(count, 104, NestedSequences(), 1400)),
        ("random bytes to port 104", static count => Stream(count, 104, Noise(), 1400)),
    ];

    /// <summary>One connection that says the same again and again, in segments of a size.</summary>
    private static List<byte[]> Stream(int count, ushort port, byte[] said, int size)
    {
        var frames = new List<byte[]>(count);
        uint sequence = 1;
        frames.Add(Tcp(Client, 40000, port, 2, 0, []));
        for (var at = 0; frames.Count < count; at = (at + size) % said.Length)
        {
            var piece = said.AsSpan(at, Math.Min(size, said.Length - at));
            frames.Add(Tcp(Client, 40000, port, 0x18, sequence, piece));
            sequence += (uint)piece.Length;
            if (piece.Length < size)
                at = -size;
        }

        return frames;
    }

    private static List<byte[]> Holes(int count)
    {
        var frames = new List<byte[]> { Tcp(Client, 40000, 104, 2, 0, []), Tcp(Client, 40000, 104, 0x18, 1, Dicom().AsSpan(0, 100)) };
        for (uint sequence = 200; frames.Count < count; sequence += 200)
            frames.Add(Tcp(Client, 40000, 104, 0x18, sequence, new byte[100]));
        return frames;
    }

    /// <summary>After a hole, segments from the far end to the near, each over nearly all of the one before, with other bytes.</summary>
    private static List<byte[]> Overlaps(int count)
    {
        var frames = new List<byte[]> { Tcp(Client, 40000, 104, 2, 0, []), Tcp(Client, 40000, 104, 0x18, 1, Dicom().AsSpan(0, 100)) };
        var payload = new byte[1400];
        for (uint block = 0; frames.Count < count; block++)
        {
            for (uint i = 250; i > 0 && frames.Count < count; i--)
            {
                Array.Fill(payload, (byte)i);
                frames.Add(Tcp(Client, 40000, 104, 0x18, 1000 + (block * 4000) + i, payload));
            }
        }

        return frames;
    }

    private static List<byte[]> TinyFragments(int count)
    {
        var frames = new List<byte[]>(count);
        for (ushort id = 0; frames.Count < count; id++)
        {
            for (var i = 99; i >= 0 && frames.Count < count; i--)
                frames.Add(Fragment(id, i * 8, i < 99, new byte[8]));
        }

        return frames;
    }

    private static byte[] Fragment(ushort id, int offset, bool more, byte[] data)
    {
        var frame = Datagram(17, data, Client, Server);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(Link + 4), id);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(Link + 6), (ushort)((offset / 8) | (more ? 0x2000 : 0)));
        return frame;
    }

    private static byte[] Nested(int depth)
    {
        var datagram = Tcp(Client, 40000, 104, 0x10, 1, new byte[20])[Link..];
        for (var i = 0; i < depth; i++)
            datagram = Datagram(4, datagram, Client, Server)[Link..];
        return [.. EthernetOf(0x0800), .. datagram];
    }

    private static byte[] Extensions(int count)
    {
        var header = new byte[40];
        header[0] = 0x60;
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(4), (ushort)((8 * count) + 28));
        header[6] = 60;
        header[7] = 64;
        header[23] = 1;
        header[39] = 2;
        var extensions = new byte[8 * count];
        for (var i = 0; i < count; i++)
            extensions[8 * i] = (byte)(i == count - 1 ? 17 : 60);
        return [.. EthernetOf(0x86DD), .. header, .. extensions, 0x9C, 0x40, 0, 53, 0, 28, 0, 0, .. new byte[20]];
    }

    private static byte[] Vxlan(int i)
    {
        var inner = Tcp((uint)(0x0B000000 + (i * 2654435761L % 0xFFFFFF)), (ushort)i, 104, 0x10, 1, []);
        byte[] udp = [0xC0, 0, 0x12, 0xB5, 0, 0, 0, 0, 8, 0, 0, 0, (byte)(i >> 16), (byte)(i >> 8), (byte)i, 0, .. inner];
        BinaryPrimitives.WriteUInt16BigEndian(udp.AsSpan(4), (ushort)udp.Length);
        return Datagram(17, udp, Client, Server);
    }

    private static byte[] Tcp(uint source, ushort sourcePort, ushort destinationPort, byte flags, uint sequence, ReadOnlySpan<byte> payload)
    {
        var tcp = new byte[20 + payload.Length];
        BinaryPrimitives.WriteUInt16BigEndian(tcp, sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(tcp.AsSpan(2), destinationPort);
        BinaryPrimitives.WriteUInt32BigEndian(tcp.AsSpan(4), sequence);
        tcp[12] = 0x50;
        tcp[13] = flags;
        tcp[14] = 0x20;
        payload.CopyTo(tcp.AsSpan(20));
        return Datagram(6, tcp, source, Server);
    }

    private static byte[] Datagram(byte protocol, ReadOnlySpan<byte> data, uint source, uint destination)
    {
        byte[] frame = [.. EthernetOf(0x0800), .. new byte[Ip], .. data];
        var ip = frame.AsSpan(Link);
        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)(Ip + data.Length));
        ip[8] = 64;
        ip[9] = protocol;
        BinaryPrimitives.WriteUInt32BigEndian(ip[12..], source);
        BinaryPrimitives.WriteUInt32BigEndian(ip[16..], destination);
        return frame;
    }

    private static byte[] EthernetOf(ushort type) => [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, (byte)(type >> 8), (byte)type];

    private static byte[] Hl7() => Encoding.Latin1.GetBytes(
        "\vMSH|^~\\&|REG|WARD|LAB|HOSP|20260102030405||ADT^A01^ADT_A01|1|P|2.5\rEVN|A01|20260102030405\rPID|1||4711^^^HOSP^MR||DOE^JANE||19700101|F\r\u001c\r");

    private static byte[] Delimiters() => [.. "\vMSH|^~\\&|"u8, .. Enumerable.Range(0, 60_000).Select(i => "|^~&\r"u8[i % 5]), 0x1C, 0x0D];

    /// <summary>P-DATA-TF PDUs of one-byte values on a context: headers without end.</summary>
    private static byte[] Dicom()
    {
        byte[] fixedPart = [0, 1, 0, 0, .. "ANY-SCP         ECHOSCU         "u8, .. new byte[32]];
        byte[] context = [0x20, 0, 0, 46, 1, 0, 0, 0, 0x30, 0, 0, 17, .. "1.2.840.10008.1.1"u8, 0x40, 0, 0, 17, .. "1.2.840.10008.1.2"u8];
        byte[] body = [.. fixedPart, 0x10, 0, 0, 21, .. "1.2.840.10008.3.1.1.1"u8, .. context];
        return [1, 0, 0, 0, 0, (byte)body.Length, .. body, .. Enumerable.Repeat<byte[]>([4, 0, 0, 0, 0, 6, 0, 0, 0, 2, 1, 3], 4000).SelectMany(pdu => pdu)];
    }

    /// <summary>One data set of sequences inside sequences, in implicit little endian.</summary>
    private static byte[] NestedSequences()
    {
        byte[] level = [8, 0, 0x15, 0x11, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 0xFF, 0, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF];
        byte[] nested = [.. Enumerable.Repeat(level, 900).SelectMany(bytes => bytes)];
        var length = nested.Length + 2;
        byte[] pdu = [4, 0, 0, 0, (byte)((length + 4) >> 8), (byte)(length + 4), 0, 0, (byte)(length >> 8), (byte)length, 1, 2, .. nested];
        return [.. Dicom().AsSpan(0, 159), .. Enumerable.Repeat(pdu, 20).SelectMany(bytes => bytes)];
    }

    private static byte[] Noise()
    {
        var bytes = new byte[1 << 20];
        var state = 0x9E3779B97F4A7C15UL;
        for (var i = 0; i < bytes.Length; i++)
        {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes[i] = (byte)state;
        }

        return bytes;
    }
}
