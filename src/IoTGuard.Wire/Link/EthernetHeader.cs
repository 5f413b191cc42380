using System.Runtime.InteropServices;

namespace IoTGuard.Wire.Link;

/// <summary>A MAC address as it lies on the wire.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public readonly struct MacField
{
    public readonly BigEndian32 First;
    public readonly BigEndian16 Last;

    /// <summary>The address.</summary>
    public MacAddress Address => new(((ulong)First.Value << 16) | Last.Value);
}

/// <summary>IEEE 802.3 MAC header, 14 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public readonly struct EthernetHeader
{
    /// <summary>Length in bytes.</summary>
    public const int Size = 14;

    public readonly MacField Destination;
    public readonly MacField Source;

    /// <summary>EtherType, or an IEEE 802.3 length in bytes.</summary>
    public readonly BigEndian16 TypeOrLength;
}

/// <summary>IEEE 802.1Q tag after its TPID, 4 bytes: tag control information and the next EtherType.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public readonly struct VlanTag
{
    /// <summary>Length in bytes.</summary>
    public const int Size = 4;

    public readonly BigEndian16 ControlInformation;
    public readonly BigEndian16 TypeOrLength;
}

/// <summary>IEEE 802.2 LLC header of an unnumbered frame with a SNAP header, 8 bytes (RFC 1042).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public readonly struct SnapHeader
{
    /// <summary>Length in bytes.</summary>
    public const int Size = 8;

    public readonly BigEndian16 ServiceAccessPoints;
    public readonly byte Control;
    public readonly byte OrganizationFirst;
    public readonly BigEndian16 OrganizationLast;
    public readonly BigEndian16 ProtocolId;

    /// <summary>
    /// True when <see cref="ProtocolId"/> is an EtherType: SNAP with OUI 00-00-00, or 00-00-F8 for bridged frames (802.1H).
    /// </summary>
    public bool CarriesEtherType =>
        ServiceAccessPoints == 0xAAAA && Control == 3 && OrganizationFirst == 0 && OrganizationLast.Value is 0 or 0x00F8;
}

/// <summary>Linux cooked capture header, version 1, 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public readonly struct LinuxSllHeader
{
    /// <summary>Length in bytes.</summary>
    public const int Size = 16;

    public readonly BigEndian16 PacketType;
    public readonly BigEndian16 HardwareType;
    public readonly BigEndian16 AddressLength;
    public readonly MacField Address;
    public readonly BigEndian16 AddressRest;
    public readonly BigEndian16 Protocol;
}

/// <summary>Linux cooked capture header, version 2, 20 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public readonly struct LinuxSll2Header
{
    /// <summary>Length in bytes.</summary>
    public const int Size = 20;

    public readonly BigEndian16 Protocol;
    public readonly BigEndian16 Reserved;
    public readonly BigEndian32 InterfaceIndex;
    public readonly BigEndian16 HardwareType;
    public readonly byte PacketType;
    public readonly byte AddressLength;
    public readonly MacField Address;
    public readonly BigEndian16 AddressRest;
}
