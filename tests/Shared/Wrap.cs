using System.Buffers.Binary;

namespace IoTGuard.TestSupport;

/// <summary>Puts Ethernet frames of IPv4 or IPv6 into tunnels, as the routers on their way would.</summary>
internal static class Wrap
{
    private static byte[] Mac { get; } = Hex("02AA00000001 02AA00000002");

    /// <summary>The encapsulations that any frame can be put in, by name.</summary>
    public static IReadOnlyDictionary<string, Func<byte[], byte[]>> All { get; } = new Dictionary<string, Func<byte[], byte[]>>(StringComparer.Ordinal)
    {
        ["VXLAN"] = static frame => Vxlan(frame),
        ["Geneve"] = static frame => OverUdp(6081, Hex("0000 6558 00002A00"), frame),
        ["GRE"] = static frame => OverIp(47, [0, 0], Number(TypeOf(frame)), Datagram(frame)),
        ["NVGRE"] = static frame => OverIp(47, Hex("2000 6558 12345601"), frame),
        ["ERSPAN I"] = static frame => OverIp(47, Hex("0000 88BE"), frame),
        ["ERSPAN II"] = static frame => Erspan(frame),
        ["ERSPAN III"] = static frame => OverIp(47, Hex("1000 22EB 00000001 2007 0001 00000000 0000 0000"), frame),
        ["MPLS"] = static frame => Join(Mac, Hex("8847 00064140"), Datagram(frame)),
        ["MPLS pseudowire"] = static frame => Join(Mac, Hex("8847 00064140 00000000"), frame),
        ["GTP-U"] = static frame => OverUdp(2152, [0x30, 0xFF, .. Number(Datagram(frame).Length), 0, 0, 0, 7], Datagram(frame)),
        ["IP in IP"] = static frame => OverIp((byte)(TypeOf(frame) == 0x0800 ? 4 : 41), Datagram(frame)),
        ["PPPoE"] = static frame => Join(Mac, Hex("8864 1100 0007"), Number(Datagram(frame).Length + 2), Hex(TypeOf(frame) == 0x0800 ? "0021" : "0057"), Datagram(frame)),
        ["TZSP"] = static frame => OverUdp(37008, Hex("0100 0001 01"), frame),
        ["802.1ah"] = static frame => Join(Mac, Hex("88E7 00010203"), frame),
        ["ERSPAN of VXLAN"] = static frame => Erspan(Vxlan(frame)),
    };

    public static byte[] Vxlan(byte[] frame, uint network = 42) =>
        OverUdp(4789, [8, 0, 0, 0, (byte)(network >> 16), (byte)(network >> 8), (byte)network, 0], frame);

    public static byte[] Erspan(byte[] frame) => OverIp(47, Hex("1000 88BE 00000001 1007 0001 00000000"), frame);

    /// <summary>The frame's IP datagram, and the padding behind it.</summary>
    public static byte[] Datagram(byte[] frame) => frame[LinkLength(frame)..];

    /// <summary>EtherType behind all VLAN tags.</summary>
    public static ushort TypeOf(byte[] frame) => BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(LinkLength(frame) - 2));

    /// <summary>The frame without its VLAN tags.</summary>
    public static byte[] Untagged(byte[] frame) => [.. frame[..12], .. Number(TypeOf(frame)), .. Datagram(frame)];

    private static int LinkLength(byte[] frame) => frame[12] == 0x81 && frame[13] == 0 ? 18 : 14;

    public static byte[] OverUdp(ushort port, params byte[][] content)
    {
        var bytes = Join(content);
        return OverIp(17, [0xC3, 0x50], Number(port), Number(bytes.Length + 8), [0, 0], bytes);
    }

    public static byte[] OverIp(byte protocol, params byte[][] content)
    {
        var bytes = Join(content);
        var header = Hex("4500 0000 0000 0000 40 00 0000 C0000201 C0000202");
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(2), (ushort)(bytes.Length + 20));
        header[9] = protocol;
        return Join(Mac, [8, 0], header, bytes);
    }

    private static byte[] Number(int value) => [(byte)(value >> 8), (byte)value];

    private static byte[] Join(params byte[][] parts) => [.. parts.SelectMany(part => part)];

    private static byte[] Hex(string text) => Convert.FromHexString(text.Replace(" ", "", StringComparison.Ordinal));
}
