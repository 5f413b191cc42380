namespace IoTGuard.Analysis.Flows;

/// <summary>What the first payload bytes of a direction look like.</summary>
internal static class PayloadSample
{
    /// <summary>Bytes looked at.</summary>
    public const int MaximumBytes = 256;

    /// <summary>log₂ n for every possible count.</summary>
    private static readonly double[] Logarithms = [.. Enumerable.Range(0, MaximumBytes + 1).Select(n => Math.Log2(Math.Max(1, n)))];

    /// <summary>Shannon entropy in bits per byte, and the share of printable ASCII (with CR, LF, TAB).</summary>
    public static (float Entropy, float Printable) Measure(ReadOnlySpan<byte> payload)
    {
        if (payload.Length > MaximumBytes)
            payload = payload[..MaximumBytes];
        Span<ushort> counts = stackalloc ushort[256];
        counts.Clear();
        var printable = 0;
        foreach (var octet in payload)
        {
            counts[octet]++;
            if (octet is (>= 0x20 and < 0x7F) or 0x09 or 0x0A or 0x0D)
                printable++;
        }

        var sum = 0.0;
        foreach (var octet in payload)
            sum += Logarithms[counts[octet]];
        return ((float)(Logarithms[payload.Length] - (sum / payload.Length)), (float)printable / payload.Length);
    }
}
