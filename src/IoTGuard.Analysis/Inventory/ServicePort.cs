namespace IoTGuard.Analysis.Inventory;

/// <summary>A service: IP protocol and port.</summary>
public readonly record struct ServicePort(byte IpProtocol, ushort Port) : IComparable<ServicePort>
{
    public int CompareTo(ServicePort other)
    {
        var order = IpProtocol.CompareTo(other.IpProtocol);
        return order != 0 ? order : Port.CompareTo(other.Port);
    }

    public override string ToString() => $"{(IpProtocol switch { 6 => "tcp", 17 => "udp", 132 => "sctp", _ => IpProtocol.ToString() })}/{Port}";

    public static bool operator <(ServicePort left, ServicePort right) => left.CompareTo(right) < 0;

    public static bool operator >(ServicePort left, ServicePort right) => left.CompareTo(right) > 0;

    public static bool operator <=(ServicePort left, ServicePort right) => left.CompareTo(right) <= 0;

    public static bool operator >=(ServicePort left, ServicePort right) => left.CompareTo(right) >= 0;
}
