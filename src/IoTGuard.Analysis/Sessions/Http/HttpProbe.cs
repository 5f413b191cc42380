using IoTGuard.Wire.Application.Http;

namespace IoTGuard.Analysis.Sessions;

/// <summary>Recognises HTTP/1 by the first line of a direction, from either side.</summary>
internal static class HttpProbe
{
    /// <summary>Bytes of a request line without an end that are taken for HTTP when all before fits.</summary>
    private const int LongLineBytes = 2048;

    public static ProbeResult Probe(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty)
            return ProbeResult.Unsure;
        if (data[0] is < (byte)'C' or > (byte)'U')
            return ProbeResult.NotForUs;
        var status = "HTTP/1."u8;
        if (data.StartsWith(status))
            return ProbeResult.Certain;
        if (data.Length < status.Length && status.StartsWith(data))
            return ProbeResult.Unsure;
        if (HttpLine.StartsWithMethod(data) is not { } isMethod)
            return ProbeResult.Unsure;
        if (!isMethod)
            return ProbeResult.NotForUs;
        var end = data.IndexOf((byte)'\n');
        if (end >= 0)
            return HttpRequestLine.TryRead(data[..end].TrimEnd((byte)'\r'), out _) ? ProbeResult.Certain : ProbeResult.NotForUs;
        if (data[..^1].IndexOfAnyInRange((byte)0, (byte)0x1F) >= 0)
            return ProbeResult.NotForUs;
        if (data.Length < LongLineBytes)
            return ProbeResult.Unsure;
        var target = data[(data.IndexOf((byte)' ') + 1)..];
        return target[0] == '/' || target.StartsWith("http"u8) ? ProbeResult.Certain : ProbeResult.NotForUs;
    }
}
