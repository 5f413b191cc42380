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

    /// <summary>Reads what <see cref="ToText"/> writes, and other times of RFC 3339; a time without a zone is in UTC.</summary>
    /// <param name="text">The time.</param>
    /// <param name="timeNs">ns since 1970.</param>
    /// <returns>False when it is none.</returns>
    public static bool TryParse(string text, out long timeNs)
    {
        // The framework's times end at 100 ns: the digits behind the seconds' point are read apart.
        long fractionNs = 0;
        if (text.IndexOf('.', StringComparison.Ordinal) is >= 0 and var point)
        {
            var end = text.AsSpan(point + 1).IndexOfAnyExceptInRange('0', '9');
            var digits = end < 0 ? text[(point + 1)..] : text.Substring(point + 1, end);
            if (digits.Length > 0)
                fractionNs = long.Parse(digits[..Math.Min(digits.Length, 9)].PadRight(9, '0'), CultureInfo.InvariantCulture);
            text = text.Remove(point, 1 + digits.Length);
        }

        var isTime = DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time);
        timeNs = isTime ? ((time.UtcDateTime - DateTime.UnixEpoch).Ticks * 100) + fractionNs : 0;
        return isTime;
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
