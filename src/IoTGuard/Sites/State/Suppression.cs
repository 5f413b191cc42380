using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Wire.Network;

namespace IoTGuard.Sites.State;

/// <summary>An analyst's word that alerts of a kind are not news. What is null is not looked at; at least one part is given.</summary>
/// <param name="Rule">Id of the rule.</param>
/// <param name="Device">Address, network (10.0.0.0/24) or hardware address of the alert's device.</param>
/// <param name="Peer">The same for the other side.</param>
/// <param name="FromNs">Alerts raised before it are not suppressed, ns of packet time.</param>
/// <param name="UntilNs">Alerts raised from here on are not suppressed, ns of packet time.</param>
/// <param name="Alert">The alert that it was made for.</param>
/// <param name="MadeNs">When it was made, ns since 1970.</param>
/// <param name="EndedNs">When an analyst took it back.</param>
internal sealed record Suppression(
    long Id, string? Rule, string? Device, string? Peer, long? FromNs, long UntilNs, string Reason, string? Alert, long MadeNs, long? EndedNs)
{
    /// <summary>True when it was not taken back.</summary>
    public bool IsInForce => EndedNs is null;

    /// <summary>What it covers, for people.</summary>
    public string Scope => string.Join(", ", new[]
    {
        Rule is null ? null : $"rule {Rule}", Device is null ? null : $"device {Device}", Peer is null ? null : $"peer {Peer}",
    }.OfType<string>());

    public bool Covers(Alert alert) =>
        Covers(alert.Rule, alert.RaisedNs, alert.Device.Ip, alert.Device.Mac, alert.Peer?.Ip, alert.Peer?.Mac);

    public bool Covers(string rule, long raisedNs, string? deviceIp, string? deviceMac, string? peerIp, string? peerMac) =>
        IsInForce && (Rule is null || Rule == rule) && (FromNs is null || raisedNs >= FromNs) && raisedNs < UntilNs
        && (Device is null || Is(Device, deviceIp, deviceMac)) && (Peer is null || Is(Peer, peerIp, peerMac));

    /// <summary>True when a text is an address, a network or a hardware address.</summary>
    public static bool IsParty(string text) => AddressPrefix.TryParse(text, out _) || (text.Length == 17 && text.Split(':') is { Length: 6 } parts && parts.All(static p => p.Length == 2 && p.All(char.IsAsciiHexDigit)));

    private static bool Is(string party, string? ip, string? mac) =>
        string.Equals(party, mac, StringComparison.OrdinalIgnoreCase)
        || (ip is not null && AddressPrefix.TryParse(party, out var prefix) && IpAddress.TryParse(ip, out var address) && prefix.Contains(address));
}

/// <summary>All suppressions of a site.</summary>
internal sealed class Suppressions(IReadOnlyList<Suppression> all)
{
    public static Suppressions None { get; } = new([]);

    public IReadOnlyList<Suppression> All => all;

    /// <summary>The first suppression that covers an alert, or null.</summary>
    public Suppression? Of(Alert alert)
    {
        foreach (var suppression in all)
        {
            if (suppression.Covers(alert))
                return suppression;
        }

        return null;
    }
}
