namespace IoTGuard.Analysis.Inventory;

/// <summary>
/// When a device speaks: its two longest pauses, the hours of the day and the days of the week (UTC) in which it was heard, and how often it was away
/// for longer than a pause lasts.
/// </summary>
public struct ActivityRhythm
{
    /// <summary>A silence from here on is an absence (switched off, at night), no pause; ns of packet time.</summary>
    public const long AbsenceNs = 3_600_000_000_000;

    private const long HourNs = 3_600_000_000_000;
    private const long DayNs = 24 * HourNs;

    // 1 January 1970 was a Thursday.
    private const int FirstWeekday = 4;

    /// <summary>Longest pause, ns.</summary>
    public long LongestNs;

    /// <summary>Second longest: what is usual, so that one fault in the learning period teaches little.</summary>
    public long SecondNs;

    /// <summary>Times heard.</summary>
    public long Count;

    /// <summary>Silences of <see cref="AbsenceNs"/> and more.</summary>
    public int Absences;

    /// <summary>Bit h is set when the device was heard in the hour h.</summary>
    public uint Hours;

    /// <summary>Bit d is set when the device was heard on the day d of the week; Sunday = 0.</summary>
    public byte Days;

    /// <summary>True when heard in every hour of the day.</summary>
    public readonly bool IsAroundTheClock => Hours == 0xFF_FFFF;

    public static int HourOf(long timeNs) => (int)(timeNs / HourNs % 24);

    public static int DayOf(long timeNs) => (int)(((timeNs / DayNs) + FirstWeekday) % 7);

    /// <summary>Notes that the device was heard.</summary>
    /// <param name="lastNs">Packet time it was heard before, ns.</param>
    /// <param name="timeNs">Packet time, ns.</param>
    public void Add(long lastNs, long timeNs)
    {
        Count++;
        Hours |= 1u << HourOf(timeNs);
        Days |= (byte)(1 << DayOf(timeNs));
        var pause = timeNs - lastNs;
        if (pause >= AbsenceNs)
            Absences++;
        else if (pause > LongestNs)
            (LongestNs, SecondNs) = (pause, LongestNs);
        else if (pause > SecondNs)
            SecondNs = pause;
    }

    /// <summary>Both together.</summary>
    public readonly ActivityRhythm With(in ActivityRhythm other) => new()
    {
        LongestNs = Math.Max(LongestNs, other.LongestNs),
        SecondNs = Math.Max(Math.Min(LongestNs, other.LongestNs), Math.Max(SecondNs, other.SecondNs)),
        Count = Count + other.Count,
        Absences = Absences + other.Absences,
        Hours = Hours | other.Hours,
        Days = (byte)(Days | other.Days),
    };
}
