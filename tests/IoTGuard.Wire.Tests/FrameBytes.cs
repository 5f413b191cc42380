using System.Buffers.Binary;
using System.Net;

namespace IoTGuard.Wire.Tests;

/// <summary>Builds frames header by header, for tests.</summary>
internal static class FrameBytes
{
    public static byte[] Join(params byte[][] parts) => [.. parts.SelectMany(part => part)];

    public static byte[] Hex(string text) => Convert.FromHexString(text.Replace(" ", "", StringComparison.Ordinal));

    public static byte[] Zeros(int count) => new byte[count];

    public static byte[] Number(ushort value) => [(byte)(value >> 8), (byte)value];

    public static byte[] Ethernet(ushort type) => Join(Hex("0200 0000 0001 0200 0000 0002"), Number(type));

    public static byte[] Vlan(ushort id, ushort next) => Join(Number((ushort)(0xA000 | id)), Number(next));

    /// <summary>An IPv4 header; <paramref name="length"/> is that of the data, or of the whole datagram when <paramref name="totalLength"/> is given.</summary>
    public static byte[] Ipv4(byte protocol, int length, ushort flagsAndOffset = 0, string options = "", int? totalLength = null)
    {
        var optionBytes = Hex(options);
        var header = Join(Zeros(12), IPAddress.Parse("192.0.2.1").GetAddressBytes(), IPAddress.Parse("192.0.2.2").GetAddressBytes(), optionBytes);
        header[0] = (byte)(0x40 | (header.Length / 4));
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(2), (ushort)(totalLength ?? (header.Length + length)));
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(4), 0x1234);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(6), flagsAndOffset);
        header[8] = 63;
        header[9] = protocol;
        return header;
    }

    public static byte[] Ipv6(byte nextHeader, int length)
    {
        var header = Join(Zeros(8), IPAddress.Parse("2001:db8::1").GetAddressBytes(), IPAddress.Parse("2001:db8::2").GetAddressBytes());
        header[0] = 0x60;
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(4), (ushort)length);
        header[6] = nextHeader;
        header[7] = 62;
        return header;
    }

    public static byte[] Tcp(string options = "", TcpFlags flags = TcpFlags.Ack | TcpFlags.Psh, ushort sourcePort = 40000, ushort destinationPort = 104)
    {
        var optionBytes = Hex(options);
        var header = Join(Number(sourcePort), Number(destinationPort), Hex("01020304 05060708 0000 2000 ABCD 0000"), optionBytes);
        header[12] = (byte)((header.Length / 4) << 4);
        header[13] = (byte)flags;
        return header;
    }

    public static byte[] Udp(int length, ushort sourcePort = 40000, ushort destinationPort = 53) =>
        Join(Number(sourcePort), Number(destinationPort), Number((ushort)length), Hex("ABCD"));

    public static PacketView Decode(byte[] frame, LinkType link = LinkType.Ethernet, uint auxVlan = 0)
    {
        var view = default(PacketView);
        PacketDecoder.Decode(frame, link, auxVlan, ref view);
        return view;
    }
}
