using System.Buffers.Binary;
using IoTGuard.Wire;

namespace IoTGuard.Benchmarks.Inputs;

/// <summary>Writes Ethernet frames with IPv4 and TCP or UDP into one memory, and hands them out as batches whose times go on.</summary>
internal sealed class FrameWriter
{
    /// <summary>Ethernet, IPv4 and TCP without options, in bytes.</summary>
    public const int TcpHeaderBytes = 54;

    private const int UdpHeaderBytes = 42;
    private readonly List<FrameHeader> _frames = [];
    private byte[] _memory = new byte[1 << 20];
    private int _length;

    /// <summary>Frames written.</summary>
    public int Count => _frames.Count;

    public Span<byte> Memory => _memory;

    public FrameHeader Header(int index) => _frames[index];

    public int AddUdp(uint source, uint destination, ushort sourcePort, ushort destinationPort, ReadOnlySpan<byte> payload)
    {
        var frame = Begin(source, destination, 17, UdpHeaderBytes, payload);
        var udp = frame[34..];
        BinaryPrimitives.WriteUInt16BigEndian(udp, sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(udp[2..], destinationPort);
        BinaryPrimitives.WriteUInt16BigEndian(udp[4..], (ushort)(payload.Length + 8));
        return _frames.Count - 1;
    }

    public int AddTcp(
        uint source, uint destination, ushort sourcePort, ushort destinationPort, TcpFlags flags, uint sequence, uint acknowledgment, ReadOnlySpan<byte> payload)
    {
        var frame = Begin(source, destination, 6, TcpHeaderBytes, payload);
        var tcp = frame[34..];
        BinaryPrimitives.WriteUInt16BigEndian(tcp, sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[2..], destinationPort);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[4..], sequence);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[8..], acknowledgment);
        tcp[12] = 0x50;
        tcp[13] = (byte)flags;
        BinaryPrimitives.WriteUInt16BigEndian(tcp[14..], 64240);
        return _frames.Count - 1;
    }

    /// <summary>Moves a TCP frame to other sequence numbers.</summary>
    public void Move(int index, uint sequence, uint acknowledgment)
    {
        var tcp = _memory.AsSpan(_frames[index].Offset + 34);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[4..], sequence);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[8..], acknowledgment);
    }

    /// <summary>Fills a batch with frames from an index on, one each <paramref name="intervalNs"/>. Returns the time after the last.</summary>
    public long Fill(FrameBatch batch, Span<long> clocks, int first, int count, long timeNs, long intervalNs)
    {
        batch.Reset(_memory, null);
        for (var i = 0; i < count; i++)
        {
            clocks[i] = timeNs;
            batch.Add(_frames[first + i] with { TimeNs = timeNs });
            timeNs += intervalNs;
        }

        return timeNs;
    }

    private Span<byte> Begin(uint source, uint destination, byte protocol, int headerBytes, ReadOnlySpan<byte> payload)
    {
        var length = headerBytes + payload.Length;
        while (_length + length > _memory.Length)
            Array.Resize(ref _memory, _memory.Length * 2);
        var frame = _memory.AsSpan(_length, length);
        BinaryPrimitives.WriteUInt32BigEndian(frame[2..], destination);
        BinaryPrimitives.WriteUInt32BigEndian(frame[8..], source);
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], 0x0800);
        var ip = frame[14..];
        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)(length - 14));
        BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)_frames.Count);
        ip[8] = 64;
        ip[9] = protocol;
        BinaryPrimitives.WriteUInt32BigEndian(ip[12..], source);
        BinaryPrimitives.WriteUInt32BigEndian(ip[16..], destination);
        payload.CopyTo(frame[headerBytes..]);
        _frames.Add(new FrameHeader(0, _length, length, length, LinkType.Ethernet));
        _length += length;
        return frame;
    }
}
