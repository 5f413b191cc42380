using System.Buffers.Binary;
using System.Runtime.InteropServices;
using IoTGuard.Wire;

namespace IoTGuard.Capture.Files;

/// <summary>
/// pcapng, as in draft-ietf-opsawg-pcapng: blocks, each with its length before and behind. Sections have their own byte order and interfaces.
/// A packet block with a contradiction inside is skipped and reported; a wrong block length ends the reading, since nothing behind it can be found.
/// </summary>
internal sealed class PcapngFormat(ProblemLog problems) : CaptureFormat
{
    /// <summary>Section Header Block; reads the same in both byte orders.</summary>
    public const uint SectionHeader = 0x0A0D0D0A;

    /// <summary>Byte-Order Magic.</summary>
    public const uint ByteOrderMagic = 0x1A2B3C4D;

    private const uint InterfaceDescription = 1;
    private const uint PacketBlock = 2;
    private const uint SimplePacket = 3;
    private const uint EnhancedPacket = 6;

    /// <summary>Block type, length before and length behind.</summary>
    private const int BlockOverhead = 12;

    private const int BodyOffset = 8;

    private const ushort OptionEnd = 0;
    private const ushort OptionTimestampResolution = 9;
    private const ushort OptionTimestampOffset = 14;

    private Interface[] _interfaces = new Interface[4];
    private int _interfaceCount;
    private bool _swapped;
    private bool _inSection;
    private long _lastTimeNs;

    public override string RecordName => "pcapng block";

    public override WalkEnd Walk(Window window, ref int position, FrameBatch batch)
    {
        var bytes = window.Memory.Span[..window.Length];
        while (!batch.IsFull)
        {
            if (bytes.Length - position < BlockOverhead)
                return WalkEnd.NeedMore;
            var header = MemoryMarshal.Read<BlockHeader>(bytes[position..]);
            if (header.Type == SectionHeader)
            {
                if (!ReadByteOrder(bytes.Slice(position + BodyOffset, 4)))
                    return WalkEnd.Broken;
            }
            else if (!_inSection)
            {
                Fault = "pcapng file does not start with a section header block";
                return WalkEnd.Broken;
            }

            if (_swapped)
                header = new(BinaryPrimitives.ReverseEndianness(header.Type), BinaryPrimitives.ReverseEndianness(header.Length));
            var used = header.Type is SectionHeader or InterfaceDescription or PacketBlock or SimplePacket or EnhancedPacket;
            if (!IsPlausible(header, used))
                return WalkEnd.Broken;

            var length = (int)header.Length;
            if (!used)
            {
                position += length;
                if (position > bytes.Length)
                    return WalkEnd.NeedMore;
                continue;
            }

            if (bytes.Length - position < length)
                return WalkEnd.NeedMore;
            var block = bytes.Slice(position, length);
            if (U32(block[^4..]) != header.Length)
            {
                Fault = $"pcapng block length is {header.Length} before and {U32(block[^4..])} behind the block";
                return WalkEnd.Broken;
            }

            var fault = header.Type switch
            {
                EnhancedPacket => AddEnhancedPacket(block, position, batch),
                SimplePacket => AddSimplePacket(block, position, batch),
                PacketBlock => AddPacket(block, position, batch),
                InterfaceDescription => AddInterface(block),
                _ => StartSection(block),
            };
            if (fault is not null)
            {
                problems.Add(window.Offset + position, fault);
                DamagedBytes += length;
            }

            position += length;
        }

        return WalkEnd.BatchFull;
    }

    private bool ReadByteOrder(ReadOnlySpan<byte> magic)
    {
        var value = MemoryMarshal.Read<uint>(magic);
        if (value != ByteOrderMagic && BinaryPrimitives.ReverseEndianness(value) != ByteOrderMagic)
        {
            Fault = $"pcapng section header has byte-order magic 0x{value:X8}";
            return false;
        }

        _swapped = value != ByteOrderMagic;
        _inSection = true;
        return true;
    }

    private bool IsPlausible(BlockHeader header, bool used)
    {
        var (limit, name) = used
            ? (CaptureLimits.MaxBlockLength, nameof(CaptureLimits.MaxBlockLength))
            : (CaptureLimits.MaxSkippedBlockLength, nameof(CaptureLimits.MaxSkippedBlockLength));
        if (header.Length < BlockOverhead || header.Length % 4 != 0)
            Fault = $"pcapng block of type 0x{header.Type:X8} has length {header.Length}: not a multiple of 4 from {BlockOverhead} on";
        else if (header.Length > limit)
            Fault = $"pcapng block of type 0x{header.Type:X8} has length {header.Length}, more than {name} ({limit} bytes)";
        else
            return true;
        return false;
    }

    private string? StartSection(ReadOnlySpan<byte> block)
    {
        _interfaceCount = 0;
        // Byte-order magic, major, minor, section length.
        if (block.Length < BlockOverhead + 16)
            return "pcapng section header block is too short";
        var major = U16(block[12..]);
        return major == 1 ? null : $"pcapng version {major}.{U16(block[14..])} is not known (1.0 is)";
    }

    private string? AddInterface(ReadOnlySpan<byte> block)
    {
        if (_interfaceCount == CaptureLimits.MaxInterfaces)
            return $"more than {nameof(CaptureLimits.MaxInterfaces)} ({CaptureLimits.MaxInterfaces}) interfaces in a pcapng section";
        if (block.Length < BlockOverhead + 8)
        {
            // Its number is taken all the same, or the later ones would be mixed up.
            Remember(default);
            return "pcapng interface description block is too short";
        }

        byte resolution = 6;
        var offsetSeconds = 0L;
        var options = block[16..^4];
        while (options.Length >= 4)
        {
            var code = U16(options);
            var length = U16(options[2..]);
            if (code == OptionEnd || length > options.Length - 4)
                break;
            var value = options.Slice(4, length);
            if (code == OptionTimestampResolution && length >= 1)
                resolution = value[0];
            else if (code == OptionTimestampOffset && length >= 8)
                offsetSeconds = (long)U64(value);
            options = options[Math.Min(options.Length, 4 + ((length + 3) & ~3))..];
        }

        Remember(new Interface((LinkType)U16(block[8..]), U32(block[12..]), new TimestampScale(resolution, offsetSeconds), IsKnown: true));
        return null;
    }

    private void Remember(Interface description)
    {
        if (_interfaces.Length == _interfaceCount)
            Array.Resize(ref _interfaces, _interfaces.Length * 2);
        _interfaces[_interfaceCount++] = description;
    }

    private string? AddEnhancedPacket(ReadOnlySpan<byte> block, int position, FrameBatch batch)
    {
        const int headerLength = 28;
        if (block.Length < headerLength + 4)
            return "pcapng enhanced packet block is too short";
        var packet = MemoryMarshal.Read<PacketHeader>(block[BodyOffset..]);
        if (_swapped)
            packet = packet.Reversed();
        return AddFrame(block, position, headerLength, packet, batch);
    }

    private string? AddPacket(ReadOnlySpan<byte> block, int position, FrameBatch batch)
    {
        const int headerLength = 28;
        if (block.Length < headerLength + 4)
            return "pcapng packet block is too short";
        // Like the enhanced one, but the interface number has 16 bits and a drop counter follows it.
        var packet = MemoryMarshal.Read<PacketHeader>(block[BodyOffset..]);
        if (_swapped)
            packet = packet.Reversed();
        return AddFrame(block, position, headerLength, packet with { Interface = U16(block[BodyOffset..]) }, batch);
    }

    private string? AddFrame(ReadOnlySpan<byte> block, int position, int headerLength, in PacketHeader packet, FrameBatch batch)
    {
        if (packet.CapturedLength > CaptureLimits.MaxFrameLength)
            return $"frame of {packet.CapturedLength} bytes exceeds {nameof(CaptureLimits.MaxFrameLength)} ({CaptureLimits.MaxFrameLength} bytes)";
        var length = (int)packet.CapturedLength;
        if (length > block.Length - headerLength - 4)
            return $"frame of {length} bytes does not fit into its pcapng block of {block.Length} bytes";
        if (packet.Interface >= (uint)_interfaceCount)
            return $"frame of pcapng interface {packet.Interface}, but the section describes {_interfaceCount}";
        ref readonly var origin = ref _interfaces[packet.Interface];
        if (!origin.IsKnown)
            return $"frame of pcapng interface {packet.Interface}, whose description is damaged";
        _lastTimeNs = origin.Scale.ToNs(((ulong)packet.StampHigh << 32) | packet.StampLow);
        batch.Add(new FrameHeader(_lastTimeNs, position + headerLength, length, PcapFormat.WireLengthOf(packet.WireLength, length), origin.Link));
        Bytes += length;
        return null;
    }

    private string? AddSimplePacket(ReadOnlySpan<byte> block, int position, FrameBatch batch)
    {
        const int headerLength = 12;
        if (block.Length < headerLength + 4)
            return "pcapng simple packet block is too short";
        if (_interfaceCount == 0 || !_interfaces[0].IsKnown)
            return "pcapng simple packet block without a description of its interface";
        var wireLength = U32(block[BodyOffset..]);
        var limit = _interfaces[0].SnapLength == 0 ? uint.MaxValue : _interfaces[0].SnapLength;
        var stated = Math.Min(wireLength, limit);
        if (stated > CaptureLimits.MaxFrameLength)
            return $"frame of {stated} bytes exceeds {nameof(CaptureLimits.MaxFrameLength)} ({CaptureLimits.MaxFrameLength} bytes)";
        if (stated > block.Length - headerLength - 4)
            return $"frame of {stated} bytes does not fit into its pcapng block of {block.Length} bytes";
        // The block has no stamp: the frame is taken to be as old as the one before it.
        batch.Add(new FrameHeader(_lastTimeNs, position + headerLength, (int)stated, PcapFormat.WireLengthOf(wireLength, (int)stated), _interfaces[0].Link));
        Bytes += stated;
        return null;
    }

    private ushort U16(ReadOnlySpan<byte> bytes)
    {
        var value = MemoryMarshal.Read<ushort>(bytes);
        return _swapped ? BinaryPrimitives.ReverseEndianness(value) : value;
    }

    private uint U32(ReadOnlySpan<byte> bytes)
    {
        var value = MemoryMarshal.Read<uint>(bytes);
        return _swapped ? BinaryPrimitives.ReverseEndianness(value) : value;
    }

    private ulong U64(ReadOnlySpan<byte> bytes)
    {
        var value = MemoryMarshal.Read<ulong>(bytes);
        return _swapped ? BinaryPrimitives.ReverseEndianness(value) : value;
    }

    private readonly record struct Interface(LinkType Link, uint SnapLength, TimestampScale Scale, bool IsKnown);

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private readonly record struct BlockHeader(uint Type, uint Length);

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private readonly record struct PacketHeader(uint Interface, uint StampHigh, uint StampLow, uint CapturedLength, uint WireLength)
    {
        public PacketHeader Reversed() => new(
            BinaryPrimitives.ReverseEndianness(Interface),
            BinaryPrimitives.ReverseEndianness(StampHigh),
            BinaryPrimitives.ReverseEndianness(StampLow),
            BinaryPrimitives.ReverseEndianness(CapturedLength),
            BinaryPrimitives.ReverseEndianness(WireLength));
    }
}
