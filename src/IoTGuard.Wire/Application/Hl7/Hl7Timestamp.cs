namespace IoTGuard.Wire.Application.Hl7;

/// <summary>
/// A time as HL7 v2 writes it (DTM, chapter 2A): YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ].
/// </summary>
/// <param name="TicksNs">Nanoseconds from 1970 to the time as written, zone not applied.</param>
/// <param name="ZoneMinutes">Offset from UTC in minutes; null when none is written.</param>
public readonly record struct Hl7Timestamp(long TicksNs, int? ZoneMinutes)
{
    private const long NsPerSecond = 1_000_000_000;
    private const int MaximumZoneMinutes = 14 * 60;

    /// <summary>Nanoseconds since 1970 in UTC; 0 when no zone is written, as the moment is then not known.</summary>
    public long UtcNs => ZoneMinutes is { } zone ? TicksNs - (zone * 60 * NsPerSecond) : 0;

    /// <summary>Parses a time; the second component of the older TS type (degree of precision) must be cut off before.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out Hl7Timestamp timestamp)
    {
        timestamp = default;
        text = text.Trim((byte)' ');
        int? zone = null;
        var sign = text.LastIndexOfAny((byte)'+', (byte)'-');
        if (sign >= 0)
        {
            if (text.Length - sign != 5 || !Number(text.Slice(sign + 1, 2), out var hours) || !Number(text.Slice(sign + 3, 2), out var minutes)
                || minutes > 59 || (60 * hours) + minutes > MaximumZoneMinutes)
                return false;
            zone = ((60 * hours) + minutes) * (text[sign] == '-' ? -1 : 1);
            text = text[..sign];
        }

        if (!TryFraction(ref text, out var fractionNs) || text.Length is not (4 or 6 or 8 or 10 or 12 or 14))
            return false;
        Span<int> parts = [1, 1, 1, 0, 0, 0];
        for (int i = 0, at = 0; at < text.Length; i++)
        {
            var digits = i == 0 ? 4 : 2;
            if (!Number(text.Slice(at, digits), out parts[i]))
                return false;
            at += digits;
        }

        if (parts[0] is < 1678 or > 2261 || parts[1] is 0 or > 12 || parts[2] == 0 || parts[2] > DateTime.DaysInMonth(parts[0], parts[1])
            || parts[3] > 23 || parts[4] > 59 || parts[5] > 60)
            return false;
        var days = new DateOnly(parts[0], parts[1], parts[2]).DayNumber - new DateOnly(1970, 1, 1).DayNumber;
        var seconds = (((((days * 24L) + parts[3]) * 60) + parts[4]) * 60) + parts[5];
        timestamp = new Hl7Timestamp((seconds * NsPerSecond) + fractionNs, zone);
        return true;
    }

    /// <summary>Cuts a fraction of up to nine digits off; only a time with seconds can have one.</summary>
    private static bool TryFraction(ref ReadOnlySpan<byte> text, out long fractionNs)
    {
        fractionNs = 0;
        var dot = text.IndexOf((byte)'.');
        if (dot < 0)
            return true;
        var digits = text[(dot + 1)..];
        if (dot != 14 || digits.Length is 0 or > 9 || !Number(digits, out var value))
            return false;
        fractionNs = value;
        for (var i = digits.Length; i < 9; i++)
            fractionNs *= 10;
        text = text[..dot];
        return true;
    }

    private static bool Number(ReadOnlySpan<byte> digits, out int value)
    {
        value = 0;
        foreach (var digit in digits)
        {
            if ((uint)(digit - '0') > 9)
                return false;
            value = (10 * value) + (digit - '0');
        }

        return true;
    }
}
