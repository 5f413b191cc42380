using IoTGuard.Wire.Network;

namespace IoTGuard.Wire.Transport;

/// <summary>
/// The canonical 5-tuple of a flow: the smaller endpoint (address, then port) is A, so both directions give one key.
/// </summary>
/// <param name="A">Smaller endpoint's address.</param>
/// <param name="B">Larger endpoint's address.</param>
/// <param name="PortA">Port of <paramref name="A"/>; for ICMP its type.</param>
/// <param name="PortB">Port of <paramref name="B"/>; for ICMP its code.</param>
/// <param name="Protocol">IP protocol number.</param>
/// <param name="Vlan">VLAN id when flows are kept apart by VLAN, else 0.</param>
public readonly record struct FlowKey(IpAddress A, IpAddress B, ushort PortA, ushort PortB, byte Protocol, ushort Vlan);
