using System.Buffers.Binary;
using IoTGuard.Wire.Link;

namespace IoTGuard.Wire.Tunnels;

/// <summary>TZSP (TaZmen Sniffer Protocol) version 1: four bytes, tagged fields, a frame.</summary>
internal static class Tzsp
{
    /// <summary>Tagged fields followed in one datagram.</summary>
    public const int MaxTags = 32;

    private const int Size = 4;
    private const byte Version = 1;
    private const byte ReceivedPacket = 0;
    private const byte TransmittedPacket = 1;
    private const ushort Ethernet = 1;
    private const byte Padding = 0;
    private const byte End = 1;

    public static TunnelHeader Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < Size || bytes[0] != Version || bytes[1] is not (ReceivedPacket or TransmittedPacket)
            || BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]) != Ethernet)
        {
            return TunnelHeader.None;
        }

        var offset = Size;
        for (var tags = 0; tags < MaxTags && offset < bytes.Length; tags++)
        {
            var tag = bytes[offset++];
            if (tag == End)
                return new TunnelHeader(TunnelKind.Tzsp, offset, EtherType.TransparentEthernet);
            if (tag == Padding)
                continue;
            if (offset == bytes.Length)
                break;
            offset += 1 + bytes[offset];
        }

        return TunnelHeader.None;
    }
}
