using System.Buffers.Binary;
using IoTGuard.Wire.Link;

namespace IoTGuard.Wire.Tunnels;

/// <summary>VXLAN (RFC 7348, 5) with its group policy extension, and the generic protocol extension.</summary>
internal static class Vxlan
{
    private const int Size = 8;

    /// <summary>Bits of the first word: a VNI is there.</summary>
    private const uint VniValid = 0x0800_0000;

    /// <summary>Bits that the group policy extension uses (draft-smith-vxlan-group-policy): G, D, A and the group.</summary>
    private const uint GroupPolicy = 0x8000_0000;
    private const uint GroupPolicyFields = 0x0048_FFFF;

    public static TunnelHeader Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < Size + EthernetHeader.Size)
            return TunnelHeader.None;

        // Reserved bits are zero in what is sent: so other datagrams to this port are told apart.
        var flags = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        var reserved = (flags & GroupPolicy) != 0 ? ~(GroupPolicy | GroupPolicyFields | VniValid) : ~VniValid;
        if ((flags & VniValid) == 0 || (flags & reserved) != 0 || bytes[7] != 0)
            return TunnelHeader.None;
        return new TunnelHeader(TunnelKind.Vxlan, Size, EtherType.TransparentEthernet, Vni(bytes));
    }

    /// <summary>VXLAN GPE: version 0, a next protocol, the VNI optional.</summary>
    public static TunnelHeader ReadGeneric(ReadOnlySpan<byte> bytes)
    {
        const uint Reserved = 0xF0FF_FF00;
        const uint NextProtocol = 0x0400_0000;
        if (bytes.Length <= Size)
            return TunnelHeader.None;
        var flags = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        if ((flags & NextProtocol) == 0 || (flags & Reserved) != 0 || bytes[7] != 0)
            return TunnelHeader.None;
        return (byte)flags switch
        {
            1 => new TunnelHeader(TunnelKind.VxlanGpe, Size, EtherType.Ipv4, Vni(bytes)),
            2 => new TunnelHeader(TunnelKind.VxlanGpe, Size, EtherType.Ipv6, Vni(bytes)),
            3 => new TunnelHeader(TunnelKind.VxlanGpe, Size, EtherType.TransparentEthernet, Vni(bytes)),
            4 => new TunnelHeader(TunnelKind.VxlanGpe, Size, EtherType.ServiceHeader, Vni(bytes)),
            5 => new TunnelHeader(TunnelKind.VxlanGpe, Size, EtherType.Mpls, Vni(bytes)),
            _ => TunnelHeader.None,
        };
    }

    private static uint Vni(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]) >> 8;
}
