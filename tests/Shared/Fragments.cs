using System.Buffers.Binary;

namespace IoTGuard.TestSupport;

/// <summary>Cuts the datagram of an untagged Ethernet frame into fragments, as a router would.</summary>
internal static class Fragments
{
    private const int Link = 14;

    /// <summary>Fragments with <paramref name="size"/> bytes of data each, a multiple of 8, in order.</summary>
    public static List<byte[]> Of(byte[] frame, int size, uint id = 0x4242)
    {
        var header = HeaderLength(frame);
        var data = frame.AsSpan(Link + header);
        var fragments = new List<byte[]>();
        for (var at = 0; at < data.Length; at += size)
            fragments.Add(One(frame, at, data.Slice(at, Math.Min(size, data.Length - at)), at + size < data.Length, id));
        return fragments;
    }

    /// <summary>One fragment with the headers of a frame, and any place and data.</summary>
    public static byte[] One(byte[] frame, int offset, ReadOnlySpan<byte> data, bool more, uint id = 0x4242)
    {
        var header = frame.AsSpan(0, Link + HeaderLength(frame)).ToArray();
        var ip = header.AsSpan(Link);
        if (frame[Link] >> 4 == 4)
        {
            BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)(header.Length - Link + data.Length));
            BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)id);
            BinaryPrimitives.WriteUInt16BigEndian(ip[6..], (ushort)((offset / 8) | (more ? 0x2000 : 0)));
            return [.. header, .. data];
        }

        var extension = new byte[8];
        extension[0] = ip[6];
        ip[6] = 44;
        BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)(8 + data.Length));
        BinaryPrimitives.WriteUInt16BigEndian(extension.AsSpan(2), (ushort)(offset | (more ? 1 : 0)));
        BinaryPrimitives.WriteUInt32BigEndian(extension.AsSpan(4), id);
        return [.. header, .. extension, .. data];
    }

    private static int HeaderLength(byte[] frame) => frame[Link] >> 4 == 4 ? (frame[Link] & 15) * 4 : 40;
}
