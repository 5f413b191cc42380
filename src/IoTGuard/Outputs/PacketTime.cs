using System.Globalization;
using System.Text.Json;

namespace IoTGuard.Outputs;

/// <summary>Packet times as text: RFC 3339 in UTC with nanoseconds.</summary>
internal static class PacketTime
{
    /// <summary>Characters of a time.</summary>
    public const int TextLength = 30;

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

    /// <summary>Writes <see cref="TextLength"/> bytes of ASCII.</summary>
    public static void Format(long timeNs, Span<byte> text)
    {
        var (seconds, nanoseconds) = Math.DivRem(timeNs, 1_000_000_000);
        if (nanoseconds < 0)
        {
            seconds--;
            nanoseconds += 1_000_000_000;
        }

        // Times outside the calendar's range can only come from a damaged capture; they are shown at its edge.
        seconds = Math.Clamp(seconds, DateTimeOffset.MinValue.ToUnixTimeSeconds(), DateTimeOffset.MaxValue.ToUnixTimeSeconds());
        var time = DateTime.UnixEpoch.AddSeconds(seconds);
        var (year, month, day) = DateOnly.FromDateTime(time);
        "0000-00-00T00:00:00.000000000Z"u8.CopyTo(text);
        Digits(text[..4], year);
        Digits(text[5..7], month);
        Digits(text[8..10], day);
        Digits(text[11..13], time.Hour);
        Digits(text[14..16], time.Minute);
        Digits(text[17..19], time.Second);
        Digits(text[20..29], (int)nanoseconds);
    }

    private static void Digits(Span<byte> text, int number)
    {
        for (var i = text.Length - 1; i >= 0; i--)
        {
            (number, var digit) = Math.DivRem(number, 10);
            text[i] = (byte)('0' + digit);
        }
    }
}
