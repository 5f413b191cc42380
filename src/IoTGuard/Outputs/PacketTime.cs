using System.Globalization;
using System.Text.Json;

namespace IoTGuard.Outputs;

/// <summary>Packet times as text: RFC 3339 in UTC with nanoseconds.</summary>
internal static class PacketTime
{
    private const int TextLength = 30;

    /// <summary>Writes <c>2026-11-21T08:15:00.123456789Z</c> as a JSON string property.</summary>
    public static void WriteTime(this Utf8JsonWriter writer, ReadOnlySpan<byte> name, long timeNs)
    {
        Span<byte> text = stackalloc byte[TextLength];
        Format(timeNs, text);
        writer.WriteString(name, text);
    }

    /// <summary>The same as a string.</summary>
    public static string ToText(long timeNs)
    {
        Span<byte> text = stackalloc byte[TextLength];
        Format(timeNs, text);
        return System.Text.Encoding.ASCII.GetString(text);
    }

    /// <summary>For people: date and time with milliseconds and zone.</summary>
    public static string ForPeople(long timeNs) =>
        DateTime.UnixEpoch.AddTicks(timeNs / 100).ToString("yyyy-MM-dd HH:mm:ss.fff 'UTC'", CultureInfo.InvariantCulture);

    private static void Format(long timeNs, Span<byte> text)
    {
        var (seconds, nanoseconds) = Math.DivRem(timeNs, 1_000_000_000);
        if (nanoseconds < 0)
        {
            seconds--;
            nanoseconds += 1_000_000_000;
        }

        // Times outside the calendar's range can only come from a damaged capture; they are shown at its edge.
        seconds = Math.Clamp(seconds, DateTimeOffset.MinValue.ToUnixTimeSeconds(), DateTimeOffset.MaxValue.ToUnixTimeSeconds());
        DateTime.UnixEpoch.AddSeconds(seconds).TryFormat(text, out _, "yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture);
        text[19] = (byte)'.';
        nanoseconds.TryFormat(text[20..], out _, "D9", CultureInfo.InvariantCulture);
        text[29] = (byte)'Z';
    }
}
