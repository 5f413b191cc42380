using System.Numerics;
using System.Runtime.CompilerServices;
using IoTGuard.Wire.Network;
using IoTGuard.Wire.Tunnels;

namespace IoTGuard.Wire.Transport;

/// <summary>One of the two endpoints of a <see cref="FlowKey"/>.</summary>
public enum Endpoint : byte
{
    /// <summary>The smaller one: <see cref="FlowKey.A"/>, <see cref="FlowKey.PortA"/>.</summary>
    A,

    /// <summary>The larger one: <see cref="FlowKey.B"/>, <see cref="FlowKey.PortB"/>.</summary>
    B,
}

/// <summary>
/// The canonical 5-tuple: both directions of a conversation give the same key, the smaller endpoint (address, then port) first.
/// ICMP and ICMPv6 have the message type and its counterpart (or the code) as ports, see <see cref="IcmpPorts"/>.
/// </summary>
/// <param name="A">The smaller address.</param>
/// <param name="B">The larger address.</param>
/// <param name="PortA">Port of <paramref name="A"/>; 0 where the protocol has none.</param>
/// <param name="PortB">Port of <paramref name="B"/>; 0 where the protocol has none.</param>
/// <param name="Protocol">IP protocol number.</param>
/// <param name="Vlan">VLAN id, or 16 bits made of virtual network and VLAN, when flows are kept apart by them; else 0.</param>
public readonly record struct FlowKey(IpAddress A, IpAddress B, ushort PortA, ushort PortB, byte Protocol, ushort Vlan)
{
    /// <summary>The key of a decoded IP packet.</summary>
    /// <param name="view">A view whose <see cref="PacketView.Kind"/> is an IP kind.</param>
    /// <param name="vlanAware">True to keep the same 5-tuple in two VLANs, or in two virtual networks of an overlay, apart.</param>
    /// <param name="sender">Receives which endpoint sent the packet.</param>
    public static FlowKey From(in PacketView view, bool vlanAware, out Endpoint sender)
    {
        var sourcePort = view.SourcePort;
        var destinationPort = view.DestinationPort;
        if (view.Kind is PacketKind.Icmp or PacketKind.Icmpv6)
            (sourcePort, destinationPort) = IcmpPorts.Of(view.IpProtocol, (byte)(view.IcmpTypeCode >> 8), (byte)view.IcmpTypeCode);
        var vlan = !vlanAware ? (ushort)0 : TunnelKinds.HasVirtualNetwork(view.Tunnel) ? NetworkOf(view) : view.Vlan;
        return Of(view.Source, view.Destination, sourcePort, destinationPort, view.IpProtocol, vlan, out sender);
    }

    /// <summary>Virtual network and VLAN in 16 bits, beyond the 12 of a VLAN alone: two networks get the same in one case of 61440.</summary>
    private static ushort NetworkOf(in PacketView view)
    {
        var mixed = (view.TunnelId ^ ((uint)view.Vlan << 20)) * 0x9E37_79B1u;
        return (ushort)(0x1000 + ((((ulong)(mixed ^ (mixed >> 15))) * 0xF000) >> 32));
    }

    /// <summary>The key of a 5-tuple in the direction of one packet.</summary>
    public static FlowKey Of(
        IpAddress source, IpAddress destination, ushort sourcePort, ushort destinationPort, byte protocol, ushort vlan, out Endpoint sender)
    {
        var inOrder = source.High != destination.High ? source.High < destination.High
            : source.Low != destination.Low ? source.Low < destination.Low
            : sourcePort <= destinationPort;
        if (inOrder)
        {
            sender = Endpoint.A;
            return new(source, destination, sourcePort, destinationPort, protocol, vlan);
        }

        sender = Endpoint.B;
        return new(destination, source, destinationPort, sourcePort, protocol, vlan);
    }

    /// <summary>
    /// SipHash-1-3 of the key, the same for both directions. Without the 128-bit secret nobody can make packets that collide, so
    /// neither the flow table nor the split among workers can be flooded. IPv4: 15 bytes hashed, IPv6: 39 bytes.
    /// </summary>
    /// <param name="key0">First half of the secret.</param>
    /// <param name="key1">Second half of the secret.</param>
    public ulong GetHash(ulong key0, ulong key1)
    {
        const ulong Ipv4Length = 15UL << 56;
        const ulong Ipv6Length = 39UL << 56;
        var last = ((ulong)Vlan << 40) | ((ulong)Protocol << 32) | ((uint)PortA << 16) | PortB;
        var state = new SipHash13(key0, key1);
        if (A.IsIpv4 && B.IsIpv4)
        {
            state.Add(((ulong)A.Ipv4 << 32) | B.Ipv4);
            state.Add(Ipv4Length | last);
        }
        else
        {
            state.Add(A.High);
            state.Add(A.Low);
            state.Add(B.High);
            state.Add(B.Low);
            state.Add(Ipv6Length | last);
        }

        return state.Finish();
    }

    /// <summary>Hash for collections that hold no hostile keys; the flow table uses <see cref="GetHash"/>.</summary>
    public override int GetHashCode() => (int)GetHash(0, 0);
}

/// <summary>SipHash with one compression and three finalisation rounds (Aumasson and Bernstein), fed with whole 64-bit words.</summary>
internal ref struct SipHash13(ulong key0, ulong key1)
{
    private ulong _v0 = key0 ^ 0x736F6D6570736575;
    private ulong _v1 = key1 ^ 0x646F72616E646F6D;
    private ulong _v2 = key0 ^ 0x6C7967656E657261;
    private ulong _v3 = key1 ^ 0x7465646279746573;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(ulong word)
    {
        _v3 ^= word;
        Round();
        _v0 ^= word;
    }

    /// <summary>The hash; the last word added must have held the message length in its highest byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Finish()
    {
        _v2 ^= 0xFF;
        Round();
        Round();
        Round();
        return _v0 ^ _v1 ^ _v2 ^ _v3;
    }

    // Inlined, so that the state stays in registers.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Round()
    {
        _v0 += _v1;
        _v2 += _v3;
        _v1 = BitOperations.RotateLeft(_v1, 13) ^ _v0;
        _v3 = BitOperations.RotateLeft(_v3, 16) ^ _v2;
        _v0 = BitOperations.RotateLeft(_v0, 32);
        _v2 += _v1;
        _v0 += _v3;
        _v1 = BitOperations.RotateLeft(_v1, 17) ^ _v2;
        _v3 = BitOperations.RotateLeft(_v3, 21) ^ _v0;
        _v2 = BitOperations.RotateLeft(_v2, 32);
    }
}
