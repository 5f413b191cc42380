using System.Runtime.InteropServices;
using IoTGuard.Wire.Link;

namespace IoTGuard.Wire.Network;

/// <summary>ARP operations (RFC 826).</summary>
public enum ArpOperation : ushort
{
    None = 0,
    Request = 1,
    Reply = 2,
}

/// <summary>ARP packet for IPv4 over Ethernet, 28 bytes (RFC 826).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public readonly struct ArpView
{
    /// <summary>Length in bytes.</summary>
    public const int Size = 28;

    /// <summary>Bytes before the addresses, which are the same for all kinds of addresses.</summary>
    public const int FixedSize = 8;

    public readonly BigEndian16 HardwareType;
    public readonly BigEndian16 ProtocolType;
    public readonly byte HardwareLength;
    public readonly byte ProtocolLength;
    public readonly BigEndian16 OperationNumber;
    public readonly MacField SenderMacField;
    public readonly BigEndian32 SenderNumber;
    public readonly MacField TargetMacField;
    public readonly BigEndian32 TargetNumber;

    public ArpOperation Operation => (ArpOperation)OperationNumber.Value;

    public MacAddress SenderMac => SenderMacField.Address;

    /// <summary>Zero in requests.</summary>
    public MacAddress TargetMac => TargetMacField.Address;

    public IpAddress Sender => IpAddress.FromIpv4(SenderNumber);

    public IpAddress Target => IpAddress.FromIpv4(TargetNumber);

    /// <summary>True for six-byte hardware addresses and IPv4, whatever the hardware type (Ethernet, IEEE 802, 802.11 …).</summary>
    public bool IsIpv4OverMac => ProtocolType == EtherType.Ipv4 && HardwareLength == 6 && ProtocolLength == 4;

    /// <summary>Reads the ARP packet of a decoded frame; false when it is none, or not for IPv4 and six-byte addresses.</summary>
    public static bool TryRead(ReadOnlySpan<byte> frame, in PacketView view, out ArpView arp)
    {
        if (view.Kind == PacketKind.Arp && MemoryMarshal.TryRead(frame[view.NetworkOffset..], out arp) && arp.IsIpv4OverMac)
            return true;
        arp = default;
        return false;
    }
}
