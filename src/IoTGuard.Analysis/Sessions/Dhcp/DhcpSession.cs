using System.Buffers.Binary;
using System.Buffers.Text;
using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.Dhcp;
using IoTGuard.Wire.Application.Dns;
using IoTGuard.Wire.Link;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Sessions;

/// <summary>DHCP and BOOTP (RFC 2131). One transaction a message; one flow to the broadcast address carries many clients' messages.</summary>
public sealed class DhcpSession : DatagramSession
{
    /// <summary>Numbers of a parameter list that go into a fingerprint.</summary>
    internal const int MaximumParameters = 32;

    public override ApplicationProtocol Protocol => ApplicationProtocol.Dhcp;

    /// <summary>The cookie stands 236 bytes in: nothing else has it there.</summary>
    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data) =>
        DhcpHeader.TryRead(data, out _) ? ProbeResult.Certain : ProbeResult.NotForUs;

    public override void OnDatagram(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data, int cut)
    {
        ref var counters = ref context.Flow.Counters;
        if (!DhcpHeader.TryRead(data, out var header))
        {
            counters.Faults++;
            return;
        }

        var isReply = header.IsReply;
        var transaction = context.Begin<DhcpTransaction>(isReply == (direction == FlowDirection.FromOriginator) ? FlowDirection.FromResponder : FlowDirection.FromOriginator);
        ref var facts = ref transaction.Facts;
        facts.TransactionId = header.TransactionId;
        facts.Hardware = header.Hardware;
        facts.Vlan = context.Flow.Vlan;
        facts.Your = OrNone(header.Your);
        facts.Client = OrNone(header.Client);
        facts.Relay = OrNone(header.Relay);
        var options = new DhcpOptionReader(data[DhcpHeader.Size..]);
        while (options.TryRead(out var code, out var value))
            Read(context, ref facts, code, value);
        if (!options.HasEnded && cut == 0)
            counters.Faults++;
        if (isReply)
            counters.Responses++;
        else
            counters.Requests++;
        if (facts.Type is DhcpMessageType.Nak or DhcpMessageType.Decline)
            counters.Failures++;
        transaction.Bytes = data.Length + cut;

        // A client that has its address says who it is; what it says before, the detector keeps until it has one.
        if (!isReply && facts.Client != default && facts.Type is DhcpMessageType.Request or DhcpMessageType.Inform)
            Claim(context, transaction, facts.Client, facts);
        context.Emit(transaction);
    }

    public override void OnEnd(SessionContext context)
    {
    }

    public override void Reset()
    {
    }

    private static void Claim(SessionContext context, DhcpTransaction transaction, IpAddress device, in DhcpFacts facts)
    {
        transaction.Claim(device, ClaimKind.HostName, facts.HostName);
        transaction.Claim(device, ClaimKind.Class, facts.VendorClass);
        if (facts.ParameterList is { } list)
            transaction.Claim(device, ClaimKind.Fingerprint, PrintOf(context, "dhcp "u8, list));
    }

    /// <summary>A kind and a text as one interned text.</summary>
    internal static string? PrintOf(SessionContext context, ReadOnlySpan<byte> kind, string text)
    {
        Span<byte> bytes = stackalloc byte[TextInterner.MaximumTextBytes];
        kind.CopyTo(bytes);
        var length = Math.Min(text.Length, bytes.Length - kind.Length);
        for (var i = 0; i < length; i++)
            bytes[kind.Length + i] = (byte)text[i];
        return context.Texts.Of(bytes[..(kind.Length + length)]);
    }

    private static void Read(SessionContext context, ref DhcpFacts facts, byte code, ReadOnlySpan<byte> value)
    {
        switch (code)
        {
            case DhcpOption.MessageType when value.Length == 1:
                facts.Type = (DhcpMessageType)value[0];
                break;
            case DhcpOption.HostName:
                facts.HostName = context.Texts.Of(value);
                break;
            case DhcpOption.FullyQualifiedName when value.Length > 3 && facts.HostName is null:
                facts.HostName = NameOf(context, value[3..], isEncoded: (value[0] & 4) != 0);
                break;
            case DhcpOption.DomainName:
                facts.Domain = context.Texts.Of(value);
                break;
            case DhcpOption.VendorClass:
                facts.VendorClass = context.Texts.Of(value);
                break;
            case DhcpOption.RequestedAddress when value.Length == 4:
                facts.Requested = IpAddress.ReadIpv4(value);
                break;
            case DhcpOption.ServerIdentifier when value.Length == 4:
                facts.Server = IpAddress.ReadIpv4(value);
                break;
            case DhcpOption.Router when value.Length >= 4:
                facts.Router = IpAddress.ReadIpv4(value);
                break;
            case DhcpOption.DnsServer when value.Length >= 4:
                facts.DnsServer = IpAddress.ReadIpv4(value);
                break;
            case DhcpOption.LeaseTime when value.Length == 4:
                facts.Lease = BinaryPrimitives.ReadUInt32BigEndian(value);
                break;
            case DhcpOption.ParameterList:
                facts.ParameterList = ListOf(context, value, 1);
                break;
            case DhcpOption.WebProxy:
                facts.HasWebProxy = true;
                break;
            default:
                break;
        }
    }

    /// <summary>Numbers of one or two bytes as a text with commas.</summary>
    internal static string? ListOf(SessionContext context, ReadOnlySpan<byte> value, int width)
    {
        Span<byte> text = stackalloc byte[TextInterner.MaximumTextBytes];
        var length = 0;
        for (var i = 0; i + width <= value.Length && i / width < MaximumParameters && length + 6 <= text.Length; i += width)
        {
            if (length > 0)
                text[length++] = (byte)',';
            Utf8Formatter.TryFormat(width == 1 ? value[i] : BinaryPrimitives.ReadUInt16BigEndian(value[i..]), text[length..], out var written);
            length += written;
        }

        return context.Texts.Of(text[..length]);
    }

    /// <summary>A name in the form of DNS, or as plain text.</summary>
    internal static string? NameOf(SessionContext context, ReadOnlySpan<byte> value, bool isEncoded)
    {
        if (!isEncoded)
            return context.Texts.Of(value);
        Span<byte> name = stackalloc byte[DnsName.MaximumLength];
        Span<byte> wire = stackalloc byte[DnsName.MaximumLength + 1];
        value = value[..Math.Min(value.Length, DnsName.MaximumLength)];
        value.CopyTo(wire);

        // RFC 4704, 4.2: a partial name has no root at its end.
        wire[value.Length] = 0;
        var offset = 0;
        return DnsName.TryRead(wire[..(value.Length + 1)], ref offset, name, out var length) ? context.Texts.Of(name[..length]) : null;
    }

    private static IpAddress OrNone(IpAddress address) => address.Ipv4 == 0 ? default : address;
}

/// <summary>DHCPv6 (RFC 8415). One transaction a message.</summary>
public sealed class Dhcpv6Session : DatagramSession
{
    private const int HeadSize = 4;
    private const int RelayHeadSize = 34;
    private const byte RelayForward = 12;
    private const byte RelayReply = 13;
    private const ushort ClientId = 1;
    private const ushort ServerId = 2;
    private const ushort NonTemporaryAddress = 3;
    private const ushort Address = 5;
    private const ushort OptionRequest = 6;
    private const ushort StatusCode = 13;
    private const ushort VendorClass = 16;
    private const ushort DnsServers = 23;
    private const ushort PrefixDelegation = 25;
    private const ushort Prefix = 26;
    private const ushort ClientName = 39;

    public override ApplicationProtocol Protocol => ApplicationProtocol.Dhcpv6;

    /// <summary>Little in it is its own: a type, and options that end where the datagram ends.</summary>
    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (data.Length < HeadSize + 4 || data[0] is 0 or > RelayReply)
            return ProbeResult.NotForUs;
        if (data[0] >= RelayForward)
            return data.Length > RelayHeadSize ? ProbeResult.Likely : ProbeResult.NotForUs;
        return data[HeadSize] == 0 ? ProbeResult.Likely : ProbeResult.NotForUs;
    }

    public override void OnDatagram(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data, int cut)
    {
        ref var counters = ref context.Flow.Counters;
        if (data.Length < HeadSize || data[0] is 0 or > RelayReply || (data[0] >= RelayForward && data.Length < RelayHeadSize))
        {
            counters.Faults++;
            return;
        }

        // Advertise, reply, reconfigure and relay-reply come from servers.
        var isReply = data[0] is 2 or 7 or 10 or RelayReply;
        var transaction = context.Begin<Dhcpv6Transaction>(isReply == (direction == FlowDirection.FromOriginator) ? FlowDirection.FromResponder : FlowDirection.FromOriginator);
        ref var facts = ref transaction.Facts;
        facts.Type = data[0];
        var isRelay = data[0] >= RelayForward;
        facts.TransactionId = isRelay ? 0 : BinaryPrimitives.ReadUInt32BigEndian(data) & 0x00FF_FFFF;
        var options = new Dhcpv6OptionReader(data[(isRelay ? RelayHeadSize : HeadSize)..]);
        while (options.TryRead(out var code, out var value))
            Read(context, ref facts, code, value);
        if (!options.HasEnded && cut == 0)
            counters.Faults++;
        if (isReply)
            counters.Responses++;
        else
            counters.Requests++;
        if (facts.Status != 0)
            counters.Failures++;
        transaction.Bytes = data.Length + cut;
        if (!isReply && !isRelay)
        {
            transaction.Claim(transaction.Client, ClaimKind.HostName, facts.HostName);
            transaction.Claim(transaction.Client, ClaimKind.Class, facts.VendorClass);
            if (facts.ParameterList is { } list)
                transaction.Claim(transaction.Client, ClaimKind.Fingerprint, DhcpSession.PrintOf(context, "dhcpv6 "u8, list));
        }

        context.Emit(transaction);
    }

    public override void OnEnd(SessionContext context)
    {
    }

    public override void Reset()
    {
    }

    private static void Read(SessionContext context, ref Dhcpv6Facts facts, ushort code, ReadOnlySpan<byte> value)
    {
        switch (code)
        {
            case ClientId:
                facts.Hardware = HardwareOf(value);
                break;
            case ServerId:
                facts.HasServerId = true;
                break;
            case NonTemporaryAddress when value.Length > 12:
                Lease(ref facts, value[12..]);
                break;
            case PrefixDelegation when value.Length > 12:
                Lease(ref facts, value[12..]);
                break;
            case OptionRequest:
                facts.ParameterList = DhcpSession.ListOf(context, value, 2);
                break;
            case StatusCode when value.Length >= 2:
                facts.Status = BinaryPrimitives.ReadUInt16BigEndian(value);
                break;
            case VendorClass when value.Length > 6:
                facts.VendorClass = context.Texts.Of(value[6..]);
                break;
            case DnsServers when value.Length >= 16:
                facts.DnsServer = IpAddress.ReadIpv6(value);
                break;
            case ClientName when value.Length > 1:
                facts.HostName = DhcpSession.NameOf(context, value[1..], isEncoded: true);
                break;
            default:
                break;
        }
    }

    private static void Lease(ref Dhcpv6Facts facts, ReadOnlySpan<byte> options)
    {
        var reader = new Dhcpv6OptionReader(options);
        while (reader.TryRead(out var code, out var value))
        {
            switch (code)
            {
                case Address when value.Length >= 24:
                    facts.Address = IpAddress.ReadIpv6(value);
                    facts.Lifetime = BinaryPrimitives.ReadUInt32BigEndian(value[20..]);
                    break;
                case Prefix when value.Length >= 25:
                    facts.Lifetime = BinaryPrimitives.ReadUInt32BigEndian(value[4..]);
                    facts.PrefixLength = value[8];
                    facts.Prefix = IpAddress.ReadIpv6(value[9..]);
                    break;
                case StatusCode when value.Length >= 2:
                    facts.Status = BinaryPrimitives.ReadUInt16BigEndian(value);
                    break;
                default:
                    break;
            }
        }
    }

    /// <summary>RFC 8415, 11.2 and 11.4: types 1 (with time) and 3 end in a hardware address.</summary>
    private static MacAddress HardwareOf(ReadOnlySpan<byte> identifier)
    {
        if (identifier.Length < 2)
            return default;
        var start = BinaryPrimitives.ReadUInt16BigEndian(identifier) switch
        {
            1 => 8,
            3 => 4,
            _ => int.MaxValue,
        };
        return identifier.Length - 6 == start ? MacAddress.Read(identifier[start..]) : default;
    }
}
