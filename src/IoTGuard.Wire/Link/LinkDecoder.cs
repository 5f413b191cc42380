using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using IoTGuard.Wire.Network;
using IoTGuard.Wire.Tunnels;

namespace IoTGuard.Wire.Link;

/// <summary>Link headers down to the EtherType.</summary>
internal static class LinkDecoder
{
    /// <summary>VLAN tags followed in one frame; more are <see cref="FaultKind.TooDeep"/>.</summary>
    public const int MaxVlanTags = 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void DecodeEthernet(ReadOnlySpan<byte> frame, int offset, ref PacketView view)
    {
        var bytes = frame[offset..];
        if (bytes.Length < EthernetHeader.Size)
        {
            view.End(FaultKind.Truncated, Layer.Link, offset, EthernetHeader.Size, bytes.Length);
            return;
        }

        ref readonly var ethernet = ref MemoryMarshal.AsRef<EthernetHeader>(bytes);
        view.DestinationMac = ethernet.Destination.Address;
        view.SourceMac = ethernet.Source.Address;
        DecodeTypeOrLength(frame, offset + EthernetHeader.Size, ethernet.TypeOrLength, ref view);
    }

    public static void DecodeLinuxSll(ReadOnlySpan<byte> frame, ref PacketView view)
    {
        if (!MemoryMarshal.TryRead<LinuxSllHeader>(frame, out var sll))
        {
            view.End(FaultKind.Truncated, Layer.Link, 0, LinuxSllHeader.Size, frame.Length);
            return;
        }

        if (sll.AddressLength == 6)
            view.SourceMac = sll.Address.Address;
        DecodeCooked(frame, LinuxSllHeader.Size, sll.HardwareType, sll.Protocol, ref view);
    }

    public static void DecodeLinuxSll2(ReadOnlySpan<byte> frame, ref PacketView view)
    {
        if (!MemoryMarshal.TryRead<LinuxSll2Header>(frame, out var sll))
        {
            view.End(FaultKind.Truncated, Layer.Link, 0, LinuxSll2Header.Size, frame.Length);
            return;
        }

        if (sll.AddressLength == 6)
            view.SourceMac = sll.Address.Address;
        DecodeCooked(frame, LinuxSll2Header.Size, sll.HardwareType, sll.Protocol, ref view);
    }

    /// <summary>A 4-byte address family of BSD: in either byte order, as <see cref="LinkType.Null"/> is in that of its writer.</summary>
    public static void DecodeNull(ReadOnlySpan<byte> frame, ref PacketView view)
    {
        const int Size = 4;
        if (!BinaryPrimitives.TryReadUInt32LittleEndian(frame, out var family))
        {
            view.End(FaultKind.Truncated, Layer.Link, 0, Size, frame.Length);
            return;
        }

        if (family > ushort.MaxValue)
            family = BinaryPrimitives.ReverseEndianness(family);
        switch (family)
        {
            case 2: // AF_INET everywhere
                NetworkDecoder.DecodeIpv4(frame, Size, ref view);
                break;
            case 10 or 24 or 28 or 30: // AF_INET6 of Linux, NetBSD and OpenBSD, FreeBSD, macOS
                NetworkDecoder.DecodeIpv6(frame, Size, ref view);
                break;
            default:
                view.End(FaultKind.Unsupported, Layer.Link, 0, family);
                break;
        }
    }

    public static void DecodeRaw(ReadOnlySpan<byte> frame, ref PacketView view)
    {
        if (frame.IsEmpty)
        {
            view.End(FaultKind.Truncated, Layer.Link, 0, 1);
            return;
        }

        switch (frame[0] >> 4)
        {
            case 4:
                NetworkDecoder.DecodeIpv4(frame, 0, ref view);
                break;
            case 6:
                NetworkDecoder.DecodeIpv6(frame, 0, ref view);
                break;
            default:
                view.End(FaultKind.BadValue, Layer.Link, 0, frame[0] >> 4);
                break;
        }
    }

    private static void DecodeCooked(ReadOnlySpan<byte> frame, int offset, ushort hardwareType, ushort protocol, ref PacketView view)
    {
        // For these ARPHRD types the protocol field is no EtherType: FRAD, radiotap, netlink.
        if (hardwareType is 770 or 803 or 824)
            view.End(FaultKind.Unsupported, Layer.Link, 0, hardwareType);
        else if (protocol == 4) // LINUX_SLL_P_802_2
            DecodeLlc(frame, offset, ref view);
        else if (protocol < EtherType.Lowest)
            view.End(FaultKind.Unsupported, Layer.Link, 0, protocol);
        else
            DecodeTypeOrLength(frame, offset, protocol, ref view);
    }

    /// <summary>What follows a field that holds an EtherType or an IEEE 802.3 length: VLAN tags, LLC, or the network layer.</summary>
    public static void DecodeTypeOrLength(ReadOnlySpan<byte> frame, int offset, ushort type, ref PacketView view)
    {
        for (var tags = 0; ; tags++)
        {
            switch (type)
            {
                case EtherType.Ipv4:
                    NetworkDecoder.DecodeIpv4(frame, offset, ref view);
                    return;

                case EtherType.Ipv6:
                    NetworkDecoder.DecodeIpv6(frame, offset, ref view);
                    return;

                case EtherType.CustomerVlan or EtherType.ServiceVlan or EtherType.OldServiceVlan:
                    var bytes = frame[offset..];
                    if (tags == MaxVlanTags)
                    {
                        view.End(FaultKind.TooDeep, Layer.Link, offset, tags + 1, MaxVlanTags);
                        return;
                    }

                    if (bytes.Length < VlanTag.Size)
                    {
                        view.End(FaultKind.Truncated, Layer.Link, offset, VlanTag.Size, bytes.Length);
                        return;
                    }

                    ref readonly var tag = ref MemoryMarshal.AsRef<VlanTag>(bytes);
                    view.AddVlan(tag.ControlInformation);
                    type = tag.TypeOrLength;
                    offset += VlanTag.Size;
                    break;

                case EtherType.Arp:
                    NetworkDecoder.DecodeArp(frame, offset, ref view);
                    return;

                case <= EtherType.LargestLength:
                    DecodeLlc(frame[..Math.Min(frame.Length, offset + type)], offset, ref view);
                    return;

                default:
                    DecodeOther(frame, offset, type, ref view);
                    return;
            }
        }
    }

    /// <summary>IEEE 802.2 LLC; only SNAP carries an EtherType.</summary>
    private static void DecodeLlc(ReadOnlySpan<byte> frame, int offset, ref PacketView view)
    {
        var bytes = frame[offset..];
        if (!MemoryMarshal.TryRead<SnapHeader>(bytes, out var snap) || !snap.CarriesEtherType)
        {
            var destinationSap = bytes.IsEmpty ? 0 : bytes[0];
            view.End(FaultKind.Unsupported, Layer.Link, offset, destinationSap);
            return;
        }

        offset += SnapHeader.Size;
        switch (snap.ProtocolId.Value)
        {
            case EtherType.Ipv4:
                NetworkDecoder.DecodeIpv4(frame, offset, ref view);
                break;
            case EtherType.Ipv6:
                NetworkDecoder.DecodeIpv6(frame, offset, ref view);
                break;
            case EtherType.Arp:
                NetworkDecoder.DecodeArp(frame, offset, ref view);
                break;
            default:
                DecodeOther(frame, offset, snap.ProtocolId, ref view);
                break;
        }
    }

    private static void DecodeOther(ReadOnlySpan<byte> frame, int offset, ushort type, ref PacketView view)
    {
        view.EtherType = type;
        if (EtherType.IsTunnel(type))
        {
            view.SetPayload(offset, frame.Length, frame.Length);
            view.Tunnel |= TunnelDecoder.Unresolved;
            return;
        }

        view.End(type < EtherType.Lowest ? FaultKind.BadValue : FaultKind.Unsupported, Layer.Link, offset, type);
    }
}
