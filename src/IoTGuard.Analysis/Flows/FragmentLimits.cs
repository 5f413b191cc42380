namespace IoTGuard.Analysis.Flows;

/// <summary>The limits of IP reassembly. They hold for each worker, and every worker sees the same fragments.</summary>
public static class FragmentLimits
{
    /// <summary>Datagrams held at once, those among them that were whole a moment ago. Beyond it the oldest is given up.</summary>
    public const int MaximumDatagrams = 1024;

    /// <summary>Bytes held for datagrams that are not whole. Beyond it the oldest is given up.</summary>
    public const int MaximumBytes = 8 << 20;

    /// <summary>Fragments of one datagram: 64 KiB over the smallest link that IPv4 knows in practice. One with more is given up.</summary>
    public const int MaximumFragments = 128;

    /// <summary>Bytes of a datagram without its IP header (RFC 791, 3.1). One that would have more is given up.</summary>
    public const int MaximumDataBytes = 65_535 - 20;

    /// <summary>Bytes of the headers that every fragment repeats; a datagram with more is given up.</summary>
    public const int MaximumHeaderBytes = 280;

    /// <summary>A datagram that is not whole after this time is given up, ns of packet time (RFC 1122, 3.3.2 and RFC 8200, 4.5: 60 s; Linux: 30 s).</summary>
    public const long TimeoutNs = 30_000_000_000;

    /// <summary>A fragment that comes within this time after its datagram was whole is a copy, ns: that of a mirror, see <see cref="RecentPackets"/>.</summary>
    public const long CopyWindowNs = RecentPackets.RoutedWindowNs;

    /// <summary>Datagrams in fragments inside each other.</summary>
    public const int MaximumNested = 4;
}
