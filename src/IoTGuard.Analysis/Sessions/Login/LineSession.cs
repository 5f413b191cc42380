using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Sessions;

/// <summary>What becomes of a connection after a line.</summary>
public enum LineOutcome : byte
{
    GoOn,

    /// <summary>What follows is another protocol's.</summary>
    HandOver,

    /// <summary>Nothing more is read in this direction.</summary>
    Stop,
}

/// <summary>A protocol of lines that end with LF (CR before it is dropped). Of a line longer than <see cref="MaximumLineBytes"/> the beginning is read.</summary>
public abstract class LineSession : StreamSession
{
    /// <summary>Longest line that is read whole, bytes (RFC 5321 4.5.3.1 asks for 512 and 1000).</summary>
    public const int MaximumLineBytes = 1024;

    private readonly bool[] _inLong = new bool[2];

    /// <summary>Set by a line: bytes of its direction that come after it and that nobody needs.</summary>
    protected long Passing { get; set; }

    public override StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        var at = 0;
        while (at < data.Length)
        {
            var rest = data[at..];
            if (IsRaw(direction))
                return new StreamProgress(data.Length);
            var end = rest.IndexOf((byte)'\n');
            if (end < 0 && rest.Length <= MaximumLineBytes && !_inLong[(int)direction])
                return new StreamProgress(at, rest.Length + 1);
            var wasLong = _inLong[(int)direction];
            _inLong[(int)direction] = end < 0;
            at = end < 0 ? data.Length : at + end + 1;
            if (wasLong)
                continue;
            var line = rest[..Math.Min(end < 0 ? rest.Length : end, MaximumLineBytes)].TrimEnd((byte)'\r');
            switch (OnLine(context, direction, line))
            {
                case LineOutcome.HandOver:
                    context.HandOver();
                    return new StreamProgress(at);
                case LineOutcome.Stop:
                    return new StreamProgress(data.Length, 0, Everything);
            }

            if (Passing > 0)
            {
                var passing = Passing;
                Passing = 0;
                return new StreamProgress(at, 0, passing);
            }
        }

        return new StreamProgress(at);
    }

    public override void OnGap(SessionContext context, FlowDirection direction, long bytes) => _inLong[(int)direction] = bytes > 0;

    public override void Reset()
    {
        Array.Clear(_inLong);
        Passing = 0;
    }

    /// <summary>A line without its end.</summary>
    protected abstract LineOutcome OnLine(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> line);

    /// <summary>True while a direction carries contents instead of lines, which nobody needs.</summary>
    protected virtual bool IsRaw(FlowDirection direction) => false;

    /// <summary>The three digits that a reply begins with (RFC 959 4.2, RFC 5321 4.2), or -1.</summary>
    protected static int ReplyCode(ReadOnlySpan<byte> line) =>
        line.Length >= 3 && char.IsAsciiDigit((char)line[0]) && char.IsAsciiDigit((char)line[1]) && char.IsAsciiDigit((char)line[2])
            ? (100 * (line[0] - '0')) + (10 * (line[1] - '0')) + line[2] - '0'
            : -1;

    /// <summary>The first word of a line.</summary>
    protected static ReadOnlySpan<byte> FirstWord(ReadOnlySpan<byte> line)
    {
        var end = line.IndexOf((byte)' ');
        return end < 0 ? line : line[..end];
    }

    /// <summary>What follows the first word.</summary>
    protected static ReadOnlySpan<byte> AfterFirstWord(ReadOnlySpan<byte> line)
    {
        var end = line.IndexOf((byte)' ');
        return end < 0 ? default : line[(end + 1)..].Trim((byte)' ');
    }

    /// <summary>True when two words are equal but for the case of ASCII letters.</summary>
    protected static bool Is(ReadOnlySpan<byte> word, ReadOnlySpan<byte> other) => System.Text.Ascii.EqualsIgnoreCase(word, other);

    /// <summary>True when a text holds another, whatever the case of ASCII letters.</summary>
    /// <param name="text">The text.</param>
    /// <param name="upper">What is looked for, in capitals.</param>
    internal static bool Holds(ReadOnlySpan<byte> text, ReadOnlySpan<byte> upper)
    {
        for (; text.Length >= upper.Length; text = text[1..])
        {
            if (System.Text.Ascii.EqualsIgnoreCase(text[..upper.Length], upper))
                return true;
        }

        return false;
    }

    /// <summary>The greeting 220 as FTP and SMTP both send it: its first line when it is whole, else what the probe answers.</summary>
    internal static ProbeResult ProbeGreeting(ReadOnlySpan<byte> data, out ReadOnlySpan<byte> line)
    {
        line = default;
        var code = "220"u8;
        if (!code.StartsWith(data[..Math.Min(3, data.Length)]))
            return ProbeResult.NotForUs;
        if (data.Length < 4)
            return ProbeResult.Unsure;
        if (data[3] is not ((byte)' ' or (byte)'-' or (byte)'\r' or (byte)'\n'))
            return ProbeResult.NotForUs;
        var end = data.IndexOf((byte)'\n');
        if (end < 0 && data.Length < MaximumLineBytes)
            return ProbeResult.Unsure;
        line = end < 0 ? data : data[..end];
        return ProbeResult.Likely;
    }
}
