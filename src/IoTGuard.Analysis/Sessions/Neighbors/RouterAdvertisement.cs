using IoTGuard.Wire.Link;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Sessions;

/// <summary>What a router says of itself in IPv6.</summary>
public struct RouterFacts
{
    /// <summary>True for a redirect: traffic to <see cref="Target"/> shall go elsewhere.</summary>
    public bool IsRedirect;
    public IpAddress Target;

    /// <summary>Router lifetime in seconds; 0 = it is no default router.</summary>
    public int Lifetime;
    public bool IsManaged;
    public bool HasOtherConfiguration;
    public int Prefixes;
    public IpAddress Prefix;
    public byte PrefixLength;

    /// <summary>Valid lifetime of the prefix in seconds.</summary>
    public uint PrefixLifetime;
    public IpAddress DnsServer;
    public uint Mtu;

    /// <summary>The link-layer address that it gives.</summary>
    public MacAddress LinkAddress;

    /// <summary>Of the frame; never written.</summary>
    public ushort Vlan;
}

/// <summary>A router advertisement or redirect (RFC 4861, 4.2 and 4.5). The client is the router that sends it. Bytes are of the ICMPv6 message.</summary>
public sealed class RouterTransaction : FactTransaction<RouterFacts>
{
    public override string Protocol => "icmpv6";

    public override string EventName => Facts.IsRedirect ? "redirect" : "router_advertisement";

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        if (!Facts.LinkAddress.IsNone)
            writer.Text("hardware_address", Facts.LinkAddress.ToString());
        if (Facts.IsRedirect)
        {
            writer.Text("target", Facts.Target.ToString());
            return;
        }

        writer.Number("lifetime", Facts.Lifetime);
        writer.Flag("managed", Facts.IsManaged);
        writer.Flag("other_configuration", Facts.HasOtherConfiguration);
        writer.Number("prefixes", Facts.Prefixes);
        if (Facts.Prefixes > 0)
        {
            writer.Text("prefix", Facts.Prefix.ToString());
            writer.Number("prefix_length", Facts.PrefixLength);
            writer.Number("prefix_lifetime", Facts.PrefixLifetime);
        }

        if (Facts.DnsServer != default)
            writer.Text("dns_server", Facts.DnsServer.ToString());
        if (Facts.Mtu != 0)
            writer.Number("mtu", Facts.Mtu);
    }
}
