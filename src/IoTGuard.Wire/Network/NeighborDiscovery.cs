using System.Buffers.Binary;
using IoTGuard.Wire.Link;

namespace IoTGuard.Wire.Network;

/// <summary>ICMPv6 messages of neighbour discovery (RFC 4861, 4).</summary>
public enum NeighborMessageKind : byte
{
    None = 0,
    RouterSolicitation = 133,
    RouterAdvertisement = 134,
    NeighborSolicitation = 135,
    NeighborAdvertisement = 136,
    Redirect = 137,
}

/// <summary>
/// A message of neighbour discovery. Only such as hosts accept are read: hop limit 255, which no router lets through, and code 0 (RFC 4861, 6.1 and 7.1).
/// </summary>
public readonly ref struct NeighborMessage
{
    private const byte RequiredHopLimit = 255;

    // Four bytes behind the checksum, whose meaning is each message's own.
    private const int HeaderRest = 4;

    /// <summary>Kind of the message.</summary>
    public NeighborMessageKind Kind { get; private init; }

    /// <summary>Target of solicitations, advertisements and redirects.</summary>
    public IpAddress Target { get; private init; }

    /// <summary>The source or target link-layer address option; none without.</summary>
    public MacAddress LinkAddress { get; private init; }

    /// <summary>Neighbour advertisement: the sender is a router, was asked, overrides.</summary>
    public bool IsRouter { get; private init; }
    public bool IsSolicited { get; private init; }

    /// <summary>Router advertisement: router lifetime in seconds; 0 = no default router.</summary>
    public ushort Lifetime { get; private init; }

    /// <summary>Router advertisement: addresses, or other settings, come by DHCPv6 (M, O).</summary>
    public bool IsManaged { get; private init; }
    public bool HasOtherConfiguration { get; private init; }

    /// <summary>Router advertisement: the first prefix, its length in bits and valid lifetime in seconds; all 0 without.</summary>
    public IpAddress Prefix { get; private init; }
    public byte PrefixLength { get; private init; }
    public uint PrefixLifetime { get; private init; }
    public int Prefixes { get; private init; }

    /// <summary>Router advertisement: the first DNS server (RFC 8106).</summary>
    public IpAddress DnsServer { get; private init; }

    /// <summary>Router advertisement: link MTU; 0 without.</summary>
    public uint Mtu { get; private init; }

    /// <summary>Reads the message of a decoded frame; false when it is none, or one that hosts must drop.</summary>
    public static bool TryRead(ReadOnlySpan<byte> frame, in PacketView view, out NeighborMessage message)
    {
        message = default;
        var kind = (NeighborMessageKind)(view.IcmpTypeCode >> 8);
        if (view.Kind != PacketKind.Icmpv6 || kind is < NeighborMessageKind.RouterSolicitation or > NeighborMessageKind.Redirect
            || view.TimeToLive != RequiredHopLimit || (byte)view.IcmpTypeCode != 0)
            return false;
        if (view.PayloadLength < HeaderRest)
            return false;
        var head = frame.Slice(view.PayloadOffset, HeaderRest);
        var body = frame.Slice(view.PayloadOffset + HeaderRest, view.PayloadLength - HeaderRest);
        var fixedSize = kind switch
        {
            NeighborMessageKind.RouterSolicitation => 0,
            NeighborMessageKind.RouterAdvertisement => 8,
            NeighborMessageKind.Redirect => 32,
            _ => 16,
        };
        if (body.Length < fixedSize)
            return false;
        var isAdvertisement = kind == NeighborMessageKind.RouterAdvertisement;
        message = new NeighborMessage
        {
            Kind = kind,
            Target = fixedSize >= 16 ? IpAddress.ReadIpv6(body) : default,
            IsRouter = kind == NeighborMessageKind.NeighborAdvertisement && (head[0] & 0x80) != 0,
            IsSolicited = kind == NeighborMessageKind.NeighborAdvertisement && (head[0] & 0x40) != 0,
            Lifetime = isAdvertisement ? BinaryPrimitives.ReadUInt16BigEndian(head[2..]) : (ushort)0,
            IsManaged = isAdvertisement && (head[1] & 0x80) != 0,
            HasOtherConfiguration = isAdvertisement && (head[1] & 0x40) != 0,
        };
        return TryReadOptions(body[fixedSize..], ref message);
    }

    /// <summary>Options: a type, a length in units of eight bytes that must not be 0 (RFC 4861, 4.6).</summary>
    private static bool TryReadOptions(ReadOnlySpan<byte> rest, ref NeighborMessage message)
    {
        MacAddress link = default;
        IpAddress prefix = default, server = default;
        byte prefixLength = 0;
        uint prefixLifetime = 0, mtu = 0;
        var prefixes = 0;
        while (rest.Length >= 8)
        {
            var length = rest[1] * 8;
            if (length == 0 || length > rest.Length)
                return false;
            switch (rest[0])
            {
                case 1 or 2 when length == 8:
                    link = MacAddress.Read(rest[2..]);
                    break;
                case 3 when length == 32 && prefixes++ == 0:
                    prefixLength = rest[2];
                    prefixLifetime = BinaryPrimitives.ReadUInt32BigEndian(rest[4..]);
                    prefix = IpAddress.ReadIpv6(rest[16..]);
                    break;
                case 5 when length == 8:
                    mtu = BinaryPrimitives.ReadUInt32BigEndian(rest[4..]);
                    break;
                case 25 when length >= 24 && server == default:
                    server = IpAddress.ReadIpv6(rest[8..]);
                    break;
                default:
                    break;
            }

            rest = rest[length..];
        }

        message = new NeighborMessage
        {
            Kind = message.Kind,
            Target = message.Target,
            IsRouter = message.IsRouter,
            IsSolicited = message.IsSolicited,
            Lifetime = message.Lifetime,
            IsManaged = message.IsManaged,
            HasOtherConfiguration = message.HasOtherConfiguration,
            LinkAddress = link,
            Prefix = prefix,
            PrefixLength = prefixLength,
            PrefixLifetime = prefixLifetime,
            Prefixes = prefixes,
            DnsServer = server,
            Mtu = mtu,
        };
        return true;
    }
}
