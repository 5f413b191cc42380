using System.Buffers.Binary;
using IoTGuard.Wire.Tunnels;
using static IoTGuard.Wire.Tests.FrameBytes;

namespace IoTGuard.Wire.Tests.Tunnels;

/// <summary>A frame with a tunnel in it, and what must be known of it.</summary>
internal sealed record TunnelSample(string Name, TunnelKind Kind, uint Id, byte[] Frame, int Depth = 1, string? Carrier = "192.0.2.1", LinkType Link = LinkType.Ethernet);

/// <summary>Encapsulations built by hand around one inner packet: UDP from 10.1.1.1:1111 to 10.2.2.2:2222 with <see cref="Payload"/>.</summary>
internal static class TunnelBytes
{
    public const string InnerMac = "02:00:00:00:00:0b";

    public static readonly byte[] Payload = Hex("DEADBEEF 01020304");

    public static byte[] InnerIpv4 { get; } = Inner();

    public static byte[] InnerIpv6 { get; } = Join(
        Hex("60000000 0010 11 40 FD000000000000000000000000000001 FD000000000000000000000000000002"), Udp(16, 1111, 2222), Payload);

    public static byte[] InnerEthernet { get; } = Join(Hex("02000000000A 02000000000B 0800"), InnerIpv4);

    public static byte[] TaggedFrame { get; } = Join(Hex("02000000000A 02000000000B"), Hex("8100 0007 0800"), InnerIpv4);

    /// <summary>Everything that is followed, over Ethernet, IPv4 or IPv6.</summary>
    public static IReadOnlyList<TunnelSample> Samples { get; } =
    [
        new("one label", TunnelKind.Mpls, 100, Join(Ethernet(0x8847), Hex("00064140"), InnerIpv4), Carrier: null),
        new("three labels", TunnelKind.Mpls, 300, Join(Ethernet(0x8847), Hex("00064040 000C8040 0012C140"), InnerIpv6), Carrier: null),
        new("pseudowire with control word", TunnelKind.Mpls, 16, Join(Ethernet(0x8847), Hex("00010140 00000001"), InnerEthernet), Carrier: null),
        new("pseudowire without", TunnelKind.Mpls, 16, Join(Ethernet(0x8848), Hex("00010140"), TaggedFrame), Carrier: null),
        new("MPLS in IP", TunnelKind.Mpls, 100, OverIp(137, Hex("00064140"), InnerIpv4)),
        new("MPLS in UDP", TunnelKind.Mpls, 100, OverUdp(6635, Hex("00064140"), InnerIpv4)),
        new("PPPoE", TunnelKind.Pppoe, 0x1234, Join(Ethernet(0x8864), Hex("1100 1234 0026 0021"), InnerIpv4), Carrier: null),
        new("PPPoE, IPv6", TunnelKind.Pppoe, 7, Join(Ethernet(0x8864), Hex("1100 0007 003A 0057"), InnerIpv6), Carrier: null),
        new("802.1ah", TunnelKind.BackboneBridge, 0x10203, Join(Ethernet(0x88A8), Vlan(5, 0x88E7), Hex("20010203"), InnerEthernet), Carrier: null),
        new("MACsec", TunnelKind.Macsec, 0, Join(Ethernet(0x88E5), Hex("2000 00000001 0200000000020001 0800"), InnerIpv4, Zeros(16)), Carrier: null),
        new("GRE", TunnelKind.Gre, 0, OverIp(47, Hex("0000 0800"), InnerIpv4)),
        new("GRE with all fields", TunnelKind.Gre, 0xAABBCCDD, OverIp(47, Hex("B000 86DD 00000000 AABBCCDD 00000001"), InnerIpv6)),
        new("GRE with MPLS", TunnelKind.Mpls, 100, OverIp(47, Hex("0000 8847 00064140"), InnerIpv4), 2),
        new("GRE with PPP", TunnelKind.Gre, 0, OverIp(47, Hex("0000 880B FF03 0021"), InnerIpv4)),
        new("GRE with bridged Ethernet", TunnelKind.Gre, 0, OverIp(47, Hex("0000 6558"), InnerEthernet)),
        new("GRE with bridged Ethernet and a key", TunnelKind.Gre, 99, OverIp(47, Hex("2000 6558 00000063"), InnerEthernet)),
        new("GRE with WCCP", TunnelKind.Gre, 0, OverIp(47, Hex("0000 883E 00000000"), InnerIpv4)),
        new("GRE in UDP", TunnelKind.Gre, 0, OverUdp(4754, Hex("0000 0800"), InnerIpv4)),
        new("PPTP", TunnelKind.Pptp, 0x0042, OverIp(47, Hex("3081 880B 0028 0042 00000001 00000001 FF03 0021"), InnerIpv4)),
        new("PPTP, compressed protocol", TunnelKind.Pptp, 0x0042, OverIp(47, Hex("3001 880B 0025 0042 00000001 21"), InnerIpv4)),
        new("NVGRE", TunnelKind.Nvgre, 0x123456, OverIp(47, Hex("2000 6558 12345678"), InnerEthernet)),
        new("ERSPAN I", TunnelKind.Erspan, 0, OverIp(47, Hex("0000 88BE"), InnerEthernet)),
        new("ERSPAN II", TunnelKind.Erspan, 0x123, OverIp(47, Hex("1000 88BE 00000001 1007 0123 00000000"), InnerEthernet)),
        new("ERSPAN III", TunnelKind.Erspan, 0x3FF, OverIp(47, Hex("1000 22EB 00000001 2007 03FF 00000000 0000 0000"), InnerEthernet)),
        new("ERSPAN III, platform subheader", TunnelKind.Erspan, 1, OverIp(47, Hex("1000 22EB 00000001 2007 0001 00000000 0000 0001 0000000000000000"), InnerEthernet)),
        new("ERSPAN III, IP", TunnelKind.Erspan, 1, OverIp(47, Hex("1000 22EB 00000001 2007 0001 00000000 0000 0800"), InnerIpv4)),
        new("VXLAN", TunnelKind.Vxlan, 42, OverUdp(4789, Hex("08000000 00002A00"), InnerEthernet)),
        new("VXLAN on its old port, tagged", TunnelKind.Vxlan, 42, OverUdp(8472, Hex("08000000 00002A00"), TaggedFrame)),
        new("VXLAN with group policy", TunnelKind.Vxlan, 42, OverUdp(4789, Hex("88000123 00002A00"), InnerEthernet)),
        new("VXLAN over IPv6", TunnelKind.Vxlan, 42, OverUdpOnIpv6(4789, Hex("08000000 00002A00"), InnerEthernet), Carrier: "2001:db8::1"),
        new("VXLAN GPE, Ethernet", TunnelKind.VxlanGpe, 42, OverUdp(4790, Hex("0C000003 00002A00"), InnerEthernet)),
        new("VXLAN GPE, IPv6", TunnelKind.VxlanGpe, 42, OverUdp(4790, Hex("0C000002 00002A00"), InnerIpv6)),
        new("Geneve", TunnelKind.Geneve, 0xFFFFFF, OverUdp(6081, Hex("0000 6558 FFFFFF00"), InnerEthernet)),
        new("Geneve with options", TunnelKind.Geneve, 9, OverUdp(6081, Hex("0240 0800 00000900 0102030400000000"), InnerIpv4)),
        new("GTP-U", TunnelKind.GtpUser, 0xA0B0C0D0, OverUdp(2152, Hex("30FF 0024 A0B0C0D0"), InnerIpv4)),
        new("GTP-U with extensions", TunnelKind.GtpUser, 5, OverUdp(2152, Hex("36FF 002C 00000005 0001 00 85 01 0000 C0 01 1234 00"), InnerIpv4)),
        new("IPv4 in IPv4", TunnelKind.Ipv4InIp, 0, OverIp(4, InnerIpv4)),
        new("IPv4 in IPv6", TunnelKind.Ipv4InIp, 0, Join(Ethernet(0x86DD), Ipv6(4, InnerIpv4.Length), InnerIpv4), Carrier: "2001:db8::1"),
        new("6in4", TunnelKind.Ipv6InIp, 0, OverIp(41, InnerIpv6)),
        new("6in6 behind options", TunnelKind.Ipv6InIp, 0, Join(Ethernet(0x86DD), Ipv6(60, 8 + InnerIpv6.Length), Hex("2900040104010100"), InnerIpv6), Carrier: "2001:db8::1"),
        new("Teredo", TunnelKind.Teredo, 0, OverUdp(3544, InnerIpv6)),
        new("Teredo with both indications", TunnelKind.Teredo, 0, OverUdp(3544, Hex("0001 0201 AABB CC 0102030405060708 00 0000 3F57 ADD1C1F5"), InnerIpv6)),
        new("L2TPv2", TunnelKind.L2tp, 0x00010002, OverUdp(1701, Hex("0002 0001 0002 FF03 0021"), InnerIpv4)),
        new("L2TPv2 with all fields", TunnelKind.L2tp, 0x00010002, OverUdp(1701, Hex("4A02 0036 0001 0002 0000 0000 0002 0000 0021"), InnerIpv4)),
        new("L2TPv3 over IP", TunnelKind.L2tpV3, 0x11223344, OverIp(115, Hex("11223344"), InnerEthernet)),
        new("L2TPv3 over IP, cookie and sublayer", TunnelKind.L2tpV3, 1, OverIp(115, Hex("00000001 A1A2A3A4A5A6A7A8 40000001"), InnerEthernet)),
        new("L2TPv3 over UDP", TunnelKind.L2tpV3, 9, OverUdp(1701, Hex("0003 0000 00000009 A1A2A3A4"), InnerEthernet)),
        new("TZSP", TunnelKind.Tzsp, 0, OverUdp(37008, Hex("01000001 00 0A 02 FFFF 01"), InnerEthernet)),
        new("EtherIP", TunnelKind.EthernetInIp, 0, OverIp(97, Hex("3000"), InnerEthernet)),
        new("Ethernet in IP", TunnelKind.EthernetInIp, 0, OverIp(143, InnerEthernet)),
        new("CAPWAP, 802.3", TunnelKind.Capwap, 0, OverUdp(5247, Hex("0010 0200 00000000"), InnerEthernet)),
        new("CAPWAP, 802.11", TunnelKind.Capwap, 0, OverUdp(5247, Hex("0010 0300 00000000 0801 0000 020000000001 020000000002 020000000003 0000 AAAA03000000 0800"), InnerIpv4)),
        new("PPPoE in VXLAN", TunnelKind.Pppoe, 3, OverUdp(4789, Hex("08000000 00002A00"), Hex("02000000000A 02000000000B 8864 1100 0003 0026 0021"), InnerIpv4), 2),
        new("ERSPAN of GTP-U", TunnelKind.GtpUser, 5, OverIp(47, Hex("1000 88BE 00000001 1007 0123 00000000"), OverUdp(2152, Hex("30FF 0024 00000005"), InnerIpv4)), 2),
        new("raw IP link", TunnelKind.Ipv4InIp, 0, OverIp(4, InnerIpv4)[14..], Link: LinkType.Raw),
    ];

    public static byte[] OverIp(byte protocol, params byte[][] content)
    {
        var bytes = Join(content);
        return Join(Ethernet(0x0800), Ipv4(protocol, bytes.Length), bytes);
    }

    public static byte[] OverUdp(ushort port, params byte[][] content)
    {
        var bytes = Join(content);
        return Join(Ethernet(0x0800), Ipv4(17, 8 + bytes.Length), Udp(8 + bytes.Length, 50000, port), bytes);
    }

    public static byte[] OverUdpOnIpv6(ushort port, params byte[][] content)
    {
        var bytes = Join(content);
        return Join(Ethernet(0x86DD), Ipv6(17, 8 + bytes.Length), Udp(8 + bytes.Length, 50000, port), bytes);
    }

    private static byte[] Inner()
    {
        var header = Hex("45000024 1111 0000 40 11 0000 0A010101 0A020202");
        uint sum = 0;
        for (var i = 0; i < header.Length; i += 2)
            sum += BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(i));
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(10), (ushort)~((sum & 0xFFFF) + (sum >> 16)));
        return Join(header, Udp(16, 1111, 2222), Payload);
    }
}
