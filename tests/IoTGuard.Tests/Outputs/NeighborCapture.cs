using System.Buffers.Binary;
using System.Net;

namespace IoTGuard.Tests.Outputs;

/// <summary>A capture in which a second hardware address claims an IPv4 address by ARP and an IPv6 address by neighbour discovery, beside a host that does nothing wrong.</summary>
internal static class NeighborCapture
{
    public const string Owner = "02:00:00:00:00:0a", Rival = "02:00:00:00:00:0b", Ipv6 = "fd00::1";

    /// <summary>Claims of each of the two, by each protocol.</summary>
    public const int Claims = 5;

    private const string Bystander = "02:00:00:00:00:0c", Ipv4 = "10.0.0.1";

    public static void Write(string path)
    {
        using var file = new BinaryWriter(File.Create(path));
        foreach (var word in new uint[] { 0xA1B2C3D4, 0x0004_0002, 0, 0, 65_535, 1 })
            file.Write(word);
        for (var second = 0; second < 2 * Claims; second++)
        {
            var claimant = second < Claims ? Owner : Rival;
            foreach (var frame in new[] { Arp(claimant, Ipv4), Arp(Bystander, "10.0.0.9"), Advertisement(claimant, Ipv6), Advertisement(Bystander, "fd00::9") })
            {
                foreach (var word in new[] { 1_767_225_600 + second, 0, frame.Length, frame.Length })
                    file.Write(word);
                file.Write(frame);
            }
        }
    }

    private static byte[] Mac(string text) => Convert.FromHexString(text.Replace(":", "", StringComparison.Ordinal));

    /// <summary>A reply to all that gives an address to a hardware address (RFC 826).</summary>
    private static byte[] Arp(string mac, string address)
    {
        var ip = IPAddress.Parse(address).GetAddressBytes();
        return [.. Mac("ff:ff:ff:ff:ff:ff"), .. Mac(mac), 8, 6, 0, 1, 8, 0, 6, 4, 0, 2, .. Mac(mac), .. ip, .. Mac("ff:ff:ff:ff:ff:ff"), .. ip];
    }

    /// <summary>An unsolicited neighbour advertisement to all nodes, with the option that names the hardware address (RFC 4861, 4.4).</summary>
    private static byte[] Advertisement(string mac, string address)
    {
        var (source, all) = (IPAddress.Parse(address).GetAddressBytes(), IPAddress.Parse("ff02::1").GetAddressBytes());
        byte[] message = [136, 0, 0, 0, 0x20, 0, 0, 0, .. source, 2, 1, .. Mac(mac)];
        byte[] pseudo = [.. source, .. all, 0, 0, 0, (byte)message.Length, 0, 0, 0, 58, .. message];
        var sum = 0;
        for (var i = 0; i < pseudo.Length; i += 2)
            sum += BinaryPrimitives.ReadUInt16BigEndian(pseudo.AsSpan(i));
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(2), (ushort)~((sum & 0xFFFF) + (sum >> 16)));
        return [.. Mac("33:33:00:00:00:01"), .. Mac(mac), 0x86, 0xDD, 0x60, 0, 0, 0, 0, (byte)message.Length, 58, 255, .. source, .. all, .. message];
    }
}
