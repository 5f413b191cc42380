using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Streams;

/// <summary>
/// What was shown to a session lately, to compare second copies with: the last <see cref="FlowLimits.HistoryBytes"/> bytes as they are, and the last
/// <see cref="FlowLimits.HistorySegments"/> segments by a hash. Of a second copy that lies before those bytes it is seen only whether it differs, and
/// only when it is cut as the first was; then it counts as one byte. Most of a long segment is so never copied.
/// </summary>
internal struct StreamHistory
{
    private long _start;
    private long _end;
    private int _nextSegment;
    private Segments _segments;

    // The byte with sequence number n lies at n modulo the length, which is a power of two.
    private Ring _bytes;

    /// <summary>The result says nothing.</summary>
    public readonly long Touch() => _start + _segments[_nextSegment].Offset + _bytes[(int)_end & (FlowLimits.HistoryBytes - 1)];

    /// <summary>Begins at a sequence number with nothing remembered.</summary>
    public void Start(long offset)
    {
        _start = offset;
        _end = offset;
        _segments = default;
    }

    /// <summary>Remembers bytes shown to the session.</summary>
    public void Add(long offset, ReadOnlySpan<byte> data)
    {
        _segments[_nextSegment] = new Segment { Offset = offset, Length = data.Length, Hash = Hash(data) };
        _nextSegment = (_nextSegment + 1) % FlowLimits.HistorySegments;

        Span<byte> bytes = _bytes;
        if (data.Length > bytes.Length)
        {
            offset += data.Length - bytes.Length;
            data = data[^bytes.Length..];
        }

        if (offset != _end)
            _start = offset;
        var at = (int)(offset & (bytes.Length - 1));
        var first = Math.Min(data.Length, bytes.Length - at);
        data[..first].CopyTo(bytes[at..]);
        data[first..].CopyTo(bytes);
        _end = offset + data.Length;
        _start = Math.Max(_start, _end - bytes.Length);
    }

    /// <summary>How many bytes of a second copy differ from the first, as far as those are remembered.</summary>
    public readonly long Conflicts(long offset, ReadOnlySpan<byte> data)
    {
        var conflicts = BytesThatDiffer(offset, data);
        return conflicts == 0 && offset < _start && Differs(offset, data) ? 1 : conflicts;
    }

    private readonly long BytesThatDiffer(long offset, ReadOnlySpan<byte> data)
    {
        var start = Math.Max(offset, _start);
        var end = Math.Min(offset + data.Length, _end);
        if (start >= end)
            return 0;
        ReadOnlySpan<byte> bytes = _bytes;
        data = data.Slice((int)(start - offset), (int)(end - start));
        var at = (int)(start & (bytes.Length - 1));
        var first = Math.Min(data.Length, bytes.Length - at);
        return OutOfOrderSegments.Differences(bytes.Slice(at, first), data[..first])
            + OutOfOrderSegments.Differences(bytes[..(data.Length - first)], data[first..]);
    }

    private readonly bool Differs(long offset, ReadOnlySpan<byte> data)
    {
        foreach (ref readonly var segment in (ReadOnlySpan<Segment>)_segments)
        {
            if (segment.Offset == offset && segment.Length == data.Length && data.Length > 0)
                return segment.Hash != Hash(data);
        }

        return false;
    }

    /// <summary>Four lanes of words, so that the multiplications overlap. Not for texts that are made to collide.</summary>
    private static ulong Hash(ReadOnlySpan<byte> data)
    {
        const ulong Factor = 0x9E3779B97F4A7C15;
        const int Block = 4 * sizeof(ulong);
        ulong a = (uint)data.Length, b = ~a, c = a << 32, d = ~c;
        for (; data.Length >= Block; data = data[Block..])
        {
            a = (BitOperations.RotateLeft(a, 29) ^ BinaryPrimitives.ReadUInt64LittleEndian(data)) * Factor;
            b = (BitOperations.RotateLeft(b, 29) ^ BinaryPrimitives.ReadUInt64LittleEndian(data[8..])) * Factor;
            c = (BitOperations.RotateLeft(c, 29) ^ BinaryPrimitives.ReadUInt64LittleEndian(data[16..])) * Factor;
            d = (BitOperations.RotateLeft(d, 29) ^ BinaryPrimitives.ReadUInt64LittleEndian(data[24..])) * Factor;
        }

        for (; data.Length >= sizeof(ulong); data = data[sizeof(ulong)..])
            a = (BitOperations.RotateLeft(a, 29) ^ BinaryPrimitives.ReadUInt64LittleEndian(data)) * Factor;
        foreach (var octet in data)
            b = (BitOperations.RotateLeft(b, 29) ^ octet) * Factor;
        a ^= BitOperations.RotateLeft(b, 17) ^ BitOperations.RotateLeft(c, 31) ^ BitOperations.RotateLeft(d, 47);
        return (a ^ (a >> 32)) * Factor;
    }

    [InlineArray(FlowLimits.HistoryBytes)]
    private struct Ring
    {
        private byte _first;
    }

    private struct Segment
    {
        public long Offset;
        public int Length;
        public ulong Hash;
    }

    [InlineArray(FlowLimits.HistorySegments)]
    private struct Segments
    {
        private Segment _first;
    }
}
