using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using IoTGuard.Wire;

namespace IoTGuard.Capture.Files;

/// <summary>pcap, as in draft-ietf-opsawg-pcap: a file header of 24 bytes, then records of a header of 16 bytes and the frame.</summary>
internal sealed class PcapFormat : CaptureFormat
{
    /// <summary>Magic number of microsecond stamps.</summary>
    public const uint MagicMicroseconds = 0xA1B2C3D4;

    /// <summary>Magic number of nanosecond stamps.</summary>
    public const uint MagicNanoseconds = 0xA1B23C4D;

    /// <summary>Magic number of Alexey Kuznetzov's variant (old Red Hat libpcap): record headers are 8 bytes longer.</summary>
    public const uint MagicModified = 0xA1B2CD34;

    private const int FileHeaderLength = 24;

    private readonly bool _swapped;
    private readonly long _unitNs;
    private readonly int _recordHeaderLength;
    private bool _headerRead;
    private bool _oldMinor;
    private LinkType _link;

    /// <param name="magic">One of the magic numbers.</param>
    /// <param name="swapped">True when the file's byte order is not this machine's.</param>
    public PcapFormat(uint magic, bool swapped)
    {
        _swapped = swapped;
        _unitNs = magic == MagicNanoseconds ? 1 : 1000;
        _recordHeaderLength = magic == MagicModified ? 24 : 16;
    }

    public override string RecordName => _headerRead ? "pcap record" : "pcap file header";

    public override WalkEnd Walk(Window window, ref int position, FrameBatch batch)
    {
        if (!_headerRead)
        {
            var end = ReadFileHeader(window, ref position);
            if (end != WalkEnd.BatchFull)
                return end;
        }

        return WalkRecords(window, ref position, batch);
    }

    private WalkEnd ReadFileHeader(Window window, ref int position)
    {
        if (window.Length - position < FileHeaderLength)
            return WalkEnd.NeedMore;
        var header = MemoryMarshal.Read<FileHeader>(window.Memory.Span.Slice(position, FileHeaderLength));
        var major = _swapped ? BinaryPrimitives.ReverseEndianness(header.Major) : header.Major;
        var minor = _swapped ? BinaryPrimitives.ReverseEndianness(header.Minor) : header.Minor;
        var link = _swapped ? BinaryPrimitives.ReverseEndianness(header.Link) : header.Link;
        if (major != 2)
        {
            Fault = $"pcap version {major}.{minor} is not known (2.4 is)";
            return WalkEnd.Broken;
        }

        // Upper half: bits that tell whether frames end in a frame check sequence, and how long it is.
        _link = (LinkType)(ushort)link;
        _oldMinor = minor < 4;
        _headerRead = true;
        position += FileHeaderLength;
        return WalkEnd.BatchFull;
    }

    private WalkEnd WalkRecords(Window window, ref int position, FrameBatch batch)
    {
        var bytes = window.Memory.Span[..window.Length];
        var at = position;
        var delivered = 0L;
        var headerLength = _recordHeaderLength;
        var end = WalkEnd.BatchFull;
        while (!batch.IsFull)
        {
            if (bytes.Length - at < headerLength)
            {
                end = WalkEnd.NeedMore;
                break;
            }

            var record = MemoryMarshal.Read<RecordHeader>(bytes[at..]);
            if (_swapped)
                record = record.Reversed();
            if (_oldMinor && record.CapturedLength > record.WireLength)
                // Before version 2.4 some writers had the two lengths the other way round.
                record = record with { CapturedLength = record.WireLength, WireLength = record.CapturedLength };
            if (record.CapturedLength > CaptureLimits.MaxFrameLength)
            {
                Fault = $"pcap record of {record.CapturedLength} bytes exceeds the longest frame there is ({nameof(CaptureLimits.MaxFrameLength)}, {CaptureLimits.MaxFrameLength} bytes)";
                end = WalkEnd.Broken;
                break;
            }

            var length = (int)record.CapturedLength;
            if (bytes.Length - at - headerLength < length)
            {
                end = WalkEnd.NeedMore;
                break;
            }

            var time = (record.Seconds * 1_000_000_000L) + (record.Fraction * _unitNs);
            batch.Add(new FrameHeader(time, at + headerLength, length, WireLengthOf(record.WireLength, length), _link));
            delivered += length;
            at += headerLength + length;
        }

        position = at;
        Bytes += delivered;
        return end;
    }

    /// <summary>The length on the wire: never less than what was captured, never more than an int holds.</summary>
    internal static int WireLengthOf(uint stated, int captured) => (int)Math.Clamp(stated, (uint)captured, int.MaxValue);

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private readonly record struct FileHeader(uint Magic, ushort Major, ushort Minor, uint Zone, uint Accuracy, uint SnapLength, uint Link);

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private readonly record struct RecordHeader(uint Seconds, uint Fraction, uint CapturedLength, uint WireLength)
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public RecordHeader Reversed() => new(
            BinaryPrimitives.ReverseEndianness(Seconds),
            BinaryPrimitives.ReverseEndianness(Fraction),
            BinaryPrimitives.ReverseEndianness(CapturedLength),
            BinaryPrimitives.ReverseEndianness(WireLength));
    }
}
