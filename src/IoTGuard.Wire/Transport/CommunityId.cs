using System.Buffers.Binary;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using IoTGuard.Wire.Network;

namespace IoTGuard.Wire.Transport;

/// <summary>Community ID flow hash, version 1: the name by which other tools (Zeek, Suricata, Arkime …) know the same flow.</summary>
public static class CommunityId
{
    /// <summary>Length of every id in ASCII bytes: "1:" and the Base64 form of 20 bytes.</summary>
    public const int Length = 30;

    /// <summary>Writes the id of a flow as ASCII into the first <see cref="Length"/> bytes of <paramref name="destination"/>.</summary>
    /// <param name="key">The flow; its VLAN takes no part.</param>
    /// <param name="sender">Who sent the flow's first packet. It matters only for one-way ICMP messages, which have a direction.</param>
    /// <param name="destination">At least <see cref="Length"/> bytes.</param>
    /// <param name="seed">Seed of the site; tools agree on ids only when they agree on it.</param>
    [SuppressMessage("Security", "CA5350", Justification = "Community ID 1 is defined on SHA-1; it is a name, not a protection.")]
    public static void Write(in FlowKey key, Endpoint sender, Span<byte> destination, ushort seed = 0)
    {
        var (first, second, firstPort, secondPort) = sender == Endpoint.B && IsOneWay(key)
            ? (key.B, key.A, key.PortB, key.PortA)
            : (key.A, key.B, key.PortA, key.PortB);

        Span<byte> tuple = stackalloc byte[2 + 16 + 16 + 2 + 4];
        BinaryPrimitives.WriteUInt16BigEndian(tuple, seed);
        var length = 2;
        length += first.Write(tuple[length..]);
        length += second.Write(tuple[length..]);
        tuple[length++] = key.Protocol;
        tuple[length++] = 0;
        if (HasPorts(key))
        {
            BinaryPrimitives.WriteUInt16BigEndian(tuple[length..], firstPort);
            BinaryPrimitives.WriteUInt16BigEndian(tuple[(length + 2)..], secondPort);
            length += 4;
        }

        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
        SHA1.HashData(tuple[..length], hash);
        "1:"u8.CopyTo(destination);
        Base64.EncodeToUtf8(hash, destination[2..Length], out _, out _);
    }

    /// <summary>The id of a flow as text.</summary>
    public static string ToString(in FlowKey key, Endpoint sender, ushort seed = 0)
    {
        Span<byte> text = stackalloc byte[Length];
        Write(key, sender, text, seed);
        return Encoding.ASCII.GetString(text);
    }

    /// <summary>Later fragments of TCP, UDP and SCTP show no ports; as in other tools they take no part then.</summary>
    private static bool HasPorts(in FlowKey key) => key.Protocol switch
    {
        IpProtocol.Icmp or IpProtocol.Icmpv6 => true,
        IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp => (key.PortA | key.PortB) != 0,
        _ => false,
    };

    private static bool IsOneWay(in FlowKey key) =>
        key.Protocol is IpProtocol.Icmp or IpProtocol.Icmpv6 && IcmpPorts.Counterpart(key.Protocol, key.PortB) is null;
}
