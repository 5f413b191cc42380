using System.Buffers.Binary;
using System.IO.Compression;

namespace IoTGuard.Capture.Tests.Files;

/// <summary>Writes captures byte by byte, independently of the code that reads them.</summary>
internal sealed class CaptureBytes(bool bigEndian = false)
{
    private readonly List<byte> _out = [];

    public byte[] ToArray() => _out.ToArray();

    public int Length => _out.Count;

    public CaptureBytes Raw(params ReadOnlySpan<byte> bytes)
    {
        _out.AddRange(bytes);
        return this;
    }

    public CaptureBytes U16(ushort value)
    {
        Span<byte> bytes = stackalloc byte[2];
        if (bigEndian)
            BinaryPrimitives.WriteUInt16BigEndian(bytes, value);
        else
            BinaryPrimitives.WriteUInt16LittleEndian(bytes, value);
        return Raw(bytes);
    }

    public CaptureBytes U32(uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        if (bigEndian)
            BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        else
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return Raw(bytes);
    }

    public CaptureBytes PcapHeader(uint magic = 0xA1B2C3D4, uint link = 1, ushort minor = 4, uint snapLength = 65535) =>
        U32(magic).U16(2).U16(minor).U32(0).U32(0).U32(snapLength).U32(link);

    public CaptureBytes PcapRecord(uint seconds, uint fraction, byte[] frame, uint? wireLength = null) =>
        U32(seconds).U32(fraction).U32((uint)frame.Length).U32(wireLength ?? (uint)frame.Length).Raw(frame);

    public CaptureBytes Block(uint type, Action<CaptureBytes> body, byte[]? options = null)
    {
        var inner = new CaptureBytes(bigEndian);
        body(inner);
        inner.Pad();
        if (options is not null)
            inner.Raw(options);
        var length = (uint)inner.Length + 12;
        return U32(type).U32(length).Raw(inner.ToArray()).U32(length);
    }

    public CaptureBytes Section() => Block(0x0A0D0D0A, static b => b.U32(0x1A2B3C4D).U16(1).U16(0).U32(uint.MaxValue).U32(uint.MaxValue));

    public CaptureBytes Interface(ushort link = 1, uint snapLength = 0, byte? resolution = null, long? offsetSeconds = null) =>
        Block(1, b =>
        {
            b.U16(link).U16(0).U32(snapLength);
            if (resolution is { } r)
                b.U16(9).U16(1).Raw(r, 0, 0, 0);
            if (offsetSeconds is { } seconds)
                b.U16(14).U16(8).U64((ulong)seconds);
            if (resolution is not null || offsetSeconds is not null)
                b.U32(0);
        });

    public CaptureBytes Enhanced(uint @interface, ulong stamp, byte[] frame, uint? wireLength = null, byte[]? options = null) =>
        Block(6, b => b.U32(@interface).U32((uint)(stamp >> 32)).U32((uint)stamp).U32((uint)frame.Length).U32(wireLength ?? (uint)frame.Length).Raw(frame), options);

    public CaptureBytes Simple(byte[] captured, uint wireLength) => Block(3, b => b.U32(wireLength).Raw(captured));

    public CaptureBytes OldPacket(ushort @interface, ulong stamp, byte[] frame) =>
        Block(2, b => b.U16(@interface).U16(7).U32((uint)(stamp >> 32)).U32((uint)stamp).U32((uint)frame.Length).U32((uint)frame.Length).Raw(frame));

    public CaptureBytes U64(ulong value)
    {
        Span<byte> bytes = stackalloc byte[8];
        if (bigEndian)
            BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        else
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        return Raw(bytes);
    }

    private void Pad()
    {
        while (_out.Count % 4 != 0)
            _out.Add(0);
    }

    public static byte[] Frame(int length, byte seed = 0)
    {
        var frame = new byte[length];
        for (var i = 0; i < length; i++)
            frame[i] = (byte)((i * 7) + seed);
        return frame;
    }

    public static byte[] Gzip(byte[] bytes)
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
            gzip.Write(bytes);
        return packed.ToArray();
    }
}
