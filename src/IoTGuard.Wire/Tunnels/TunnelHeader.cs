using IoTGuard.Wire.Link;

namespace IoTGuard.Wire.Tunnels;

/// <summary>What a reader found where a tunnel's headers should be.</summary>
/// <param name="Kind"><see cref="TunnelKind.None"/> when the bytes are not this tunnel, or are not followed.</param>
/// <param name="Length">Bytes of the tunnel's headers, up to what it carries.</param>
/// <param name="Inner">EtherType of what it carries; <see cref="EtherType.TransparentEthernet"/> for a whole Ethernet frame.</param>
/// <param name="Id">The tunnel's number, as <see cref="TunnelKind"/> says.</param>
/// <param name="Fault">Why the tunnel is not followed; <see cref="FaultKind.None"/> when the bytes are something else.</param>
/// <param name="Required">With a fault: bytes that were required, or the value that is not known.</param>
internal readonly record struct TunnelHeader(
    TunnelKind Kind, int Length, ushort Inner, uint Id = 0, FaultKind Fault = FaultKind.None, long Required = 0)
{
    /// <summary>The bytes are not this tunnel: the packet stays what it is.</summary>
    public static TunnelHeader None => default;

    /// <summary>True when the tunnel is followed.</summary>
    public bool IsFollowed => Kind != TunnelKind.None;

    /// <summary>The tunnel's headers need more bytes than there are.</summary>
    public static TunnelHeader TooShort(int required) => new(TunnelKind.None, 0, 0, 0, FaultKind.Truncated, required);

    /// <summary>It is a tunnel, but its content is not followed: encrypted, compressed, or of a type that is not decoded.</summary>
    public static TunnelHeader NotFollowed(long value) => new(TunnelKind.None, 0, 0, 0, FaultKind.Tunnel, value);
}
