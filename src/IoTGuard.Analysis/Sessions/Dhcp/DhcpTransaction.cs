using IoTGuard.Wire.Application.Dhcp;
using IoTGuard.Wire.Link;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Sessions;

/// <summary>What a DHCP message says.</summary>
public struct DhcpFacts
{
    public DhcpMessageType Type;
    public uint TransactionId;

    /// <summary>chaddr.</summary>
    public MacAddress Hardware;

    /// <summary>yiaddr, ciaddr, giaddr; default when they are zero.</summary>
    public IpAddress Your;
    public IpAddress Client;
    public IpAddress Relay;

    /// <summary>Options 50 and 54.</summary>
    public IpAddress Requested;
    public IpAddress Server;

    /// <summary>The first of option 3 and of option 6.</summary>
    public IpAddress Router;
    public IpAddress DnsServer;

    /// <summary>Option 51 in seconds; 0 without.</summary>
    public uint Lease;

    /// <summary>Options 12 (or 81), 60, 15.</summary>
    public string? HostName;
    public string? VendorClass;
    public string? Domain;

    /// <summary>Option 55, numbers with commas between.</summary>
    public string? ParameterList;

    /// <summary>Option 252: a web proxy is told.</summary>
    public bool HasWebProxy;

    /// <summary>Of the flow; never written.</summary>
    public ushort Vlan;
}

/// <summary>
/// One DHCP message. The client is the endpoint that asks, whoever sent the message. Requests and replies travel on different flows, so there is no
/// duration; the transaction id tells what belongs together.
/// </summary>
public sealed class DhcpTransaction : FactTransaction<DhcpFacts>
{
    private static readonly string[] EventNames =
        ["bootp", "discover", "offer", "request", "decline", "ack", "nak", "release", "inform", "force_renew"];

    public override string Protocol => "dhcp";

    public override string EventName => EventNames[Math.Min((int)Facts.Type, EventNames.Length - 1)];

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        writer.Number("transaction_id", Facts.TransactionId);
        if (!Facts.Hardware.IsNone)
            writer.Text("hardware_address", Facts.Hardware.ToString());
        Write(ref writer, "your_address", Facts.Your);
        Write(ref writer, "client_address", Facts.Client);
        Write(ref writer, "requested_address", Facts.Requested);
        Write(ref writer, "server_identifier", Facts.Server);
        Write(ref writer, "relay_address", Facts.Relay);
        Write(ref writer, "router", Facts.Router);
        Write(ref writer, "dns_server", Facts.DnsServer);
        if (Facts.Lease != 0)
            writer.Number("lease", Facts.Lease);
        writer.Text("host_name", Facts.HostName);
        writer.Text("domain", Facts.Domain);
        writer.Text("vendor_class", Facts.VendorClass);
        writer.Text("parameter_list", Facts.ParameterList);
        if (Facts.HasWebProxy)
            writer.Flag("web_proxy", true);
    }

    private static void Write<TWriter>(ref TWriter writer, string name, IpAddress address)
        where TWriter : IFieldWriter, allows ref struct
    {
        if (address != default)
            writer.Text(name, address.ToString());
    }
}

/// <summary>What a DHCPv6 message says.</summary>
public struct Dhcpv6Facts
{
    /// <summary>msg-type (RFC 8415, 7.3).</summary>
    public byte Type;
    public uint TransactionId;

    /// <summary>Hardware address in the client's DUID, when it holds one.</summary>
    public MacAddress Hardware;

    /// <summary>First address of an IA_NA, and prefix of an IA_PD.</summary>
    public IpAddress Address;
    public IpAddress Prefix;
    public byte PrefixLength;

    /// <summary>First DNS server told.</summary>
    public IpAddress DnsServer;

    /// <summary>Preferred lifetime would be renewed; this is the valid lifetime in seconds.</summary>
    public uint Lifetime;
    public string? HostName;
    public string? VendorClass;

    /// <summary>Option request option, numbers with commas between.</summary>
    public string? ParameterList;

    /// <summary>Status code (RFC 8415, 21.13); 0 = success or none.</summary>
    public ushort Status;
    public bool HasServerId;
}

/// <summary>One DHCPv6 message (RFC 8415). The client is the endpoint that asks, whoever sent the message.</summary>
public sealed class Dhcpv6Transaction : FactTransaction<Dhcpv6Facts>
{
    private static readonly string[] EventNames =
    [
        "unknown", "solicit", "advertise", "request", "confirm", "renew", "rebind", "reply", "release", "decline", "reconfigure", "information_request",
        "relay_forward", "relay_reply",
    ];

    public override string Protocol => "dhcpv6";

    public override string EventName => EventNames[Facts.Type < EventNames.Length ? Facts.Type : 0];

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        writer.Number("transaction_id", Facts.TransactionId);
        if (!Facts.Hardware.IsNone)
            writer.Text("hardware_address", Facts.Hardware.ToString());
        if (Facts.Address != default)
            writer.Text("address", Facts.Address.ToString());
        if (Facts.Prefix != default)
        {
            writer.Text("prefix", Facts.Prefix.ToString());
            writer.Number("prefix_length", Facts.PrefixLength);
        }

        if (Facts.DnsServer != default)
            writer.Text("dns_server", Facts.DnsServer.ToString());
        if (Facts.Lifetime != 0)
            writer.Number("lifetime", Facts.Lifetime);
        writer.Text("host_name", Facts.HostName);
        writer.Text("vendor_class", Facts.VendorClass);
        writer.Text("parameter_list", Facts.ParameterList);
        if (Facts.Status != 0)
            writer.Number("status", Facts.Status);
    }
}
