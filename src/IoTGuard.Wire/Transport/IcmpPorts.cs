using IoTGuard.Wire.Network;

namespace IoTGuard.Wire.Transport;

/// <summary>
/// ICMP messages as ports, as in Community ID 1: the type as source port; as destination port the type that answers it, so that question
/// and answer are one flow, or the code when nothing answers it.
/// </summary>
public static class IcmpPorts
{
    /// <summary>The ports of a message.</summary>
    /// <param name="protocol">1 for ICMP, 58 for ICMPv6.</param>
    /// <param name="type">Message type.</param>
    /// <param name="code">Message code.</param>
    public static (ushort Source, ushort Destination) Of(byte protocol, byte type, byte code) =>
        (type, Counterpart(protocol, type) ?? code);

    /// <summary>The type that answers <paramref name="type"/>, or that it answers; null for one-way messages.</summary>
    public static byte? Counterpart(byte protocol, int type) => protocol == IpProtocol.Icmp
        ? type switch
        {
            0 => 8, // echo
            8 => 0,
            9 => 10, // router discovery
            10 => 9,
            13 => 14, // timestamp
            14 => 13,
            15 => 16, // information
            16 => 15,
            17 => 18, // address mask
            18 => 17,
            _ => null,
        }
        : type switch
        {
            128 => 129, // echo
            129 => 128,
            130 => 131, // multicast listener
            131 => 130,
            133 => 134, // router discovery
            134 => 133,
            135 => 136, // neighbour discovery
            136 => 135,
            139 => 140, // node information
            140 => 139,
            144 => 145, // home agent address discovery
            145 => 144,
            _ => null,
        };
}
