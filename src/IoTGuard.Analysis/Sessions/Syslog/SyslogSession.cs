using System.Runtime.CompilerServices;
using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Sessions;

/// <summary>Messages of a stretch of time, by severity (RFC 5424, 6.2.1); no text of any.</summary>
public struct SyslogFacts
{
    /// <summary>Facilities seen, a bit each.</summary>
    public uint Facilities;
    public int Messages;

    /// <summary>Messages in the form of RFC 5424; the others are older.</summary>
    public int Modern;
    public SeverityCounts Severities;

    /// <summary>Messages by severity, 0 (emergency) to 7 (debug).</summary>
    [InlineArray(8)]
    public struct SeverityCounts
    {
        private int _first;
    }
}

/// <summary>The syslog messages of a flow over at most <see cref="SyslogSession.PeriodNs"/>.</summary>
public sealed class SyslogTransaction : FactTransaction<SyslogFacts>
{
    private static readonly string[] Severities = ["emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug"];

    private static readonly string[] Facilities =
    [
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp", "audit", "alert", "clock",
        "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
    ];

    public override string Protocol => "syslog";

    public override string EventName => "messages";

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        writer.Number("messages", Facts.Messages);
        writer.Number("rfc5424", Facts.Modern);
        writer.BeginObject("severities");
        for (var i = 0; i < Severities.Length; i++)
        {
            if (Facts.Severities[i] > 0)
                writer.Number(Severities[i], Facts.Severities[i]);
        }

        writer.EndObject();
        var names = new string[System.Numerics.BitOperations.PopCount(Facts.Facilities)];
        for (int i = 0, at = 0; i < Facilities.Length; i++)
        {
            if ((Facts.Facilities & (1u << i)) != 0)
                names[at++] = Facilities[i];
        }

        writer.List("facilities", names);
    }
}

/// <summary>Syslog over UDP (RFC 5426, and the older RFC 3164): counted, never read.</summary>
public sealed class SyslogSession : DatagramSession
{
    /// <summary>A transaction covers at most this time, ns of packet time.</summary>
    public const long PeriodNs = 60_000_000_000;

    /// <summary>Highest priority: facility 23, severity 7.</summary>
    private const int MaximumPriority = 191;

    private SyslogFacts _facts;
    private long _bytes;
    private long _firstNs;

    public override ApplicationProtocol Protocol => ApplicationProtocol.Syslog;

    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (!TryReadPriority(data, out _, out var rest))
            return ProbeResult.NotForUs;
        return IsDated(rest) ? ProbeResult.Certain : ProbeResult.Likely;
    }

    public override void OnDatagram(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data, int cut)
    {
        if (_facts.Messages > 0 && context.TimeNs - _firstNs >= PeriodNs)
            Emit(context);
        if (!TryReadPriority(data, out var priority, out var rest))
        {
            context.Flow.Counters.Faults++;
            return;
        }

        if (_facts.Messages++ == 0)
            _firstNs = context.TimeNs;
        _bytes += data.Length + cut;
        _facts.Facilities |= 1u << (priority >> 3);
        _facts.Severities[priority & 7]++;
        if (rest.StartsWith("1 "u8))
            _facts.Modern++;
        context.Flow.Counters.Requests++;
    }

    public override void OnEnd(SessionContext context)
    {
        if (_facts.Messages > 0)
            Emit(context);
    }

    public override void Reset()
    {
        _facts = default;
        _bytes = _firstNs = 0;
    }

    private void Emit(SessionContext context)
    {
        var transaction = context.Begin<SyslogTransaction>();
        transaction.Facts = _facts;
        transaction.TimeNs = _firstNs;
        transaction.Bytes = _bytes;
        context.Emit(transaction);
        Reset();
    }

    /// <summary>"&lt;", one to three digits, "&gt;" (RFC 5424, 6.2.1).</summary>
    private static bool TryReadPriority(ReadOnlySpan<byte> data, out int priority, out ReadOnlySpan<byte> rest)
    {
        priority = 0;
        rest = default;
        if (data.Length < 4 || data[0] != '<')
            return false;
        var end = data[..Math.Min(data.Length, 5)].IndexOf((byte)'>');
        if (end < 2)
            return false;
        foreach (var octet in data[1..end])
        {
            if (octet is < (byte)'0' or > (byte)'9')
                return false;
            priority = (priority * 10) + octet - '0';
        }

        rest = data[(end + 1)..];
        return priority <= MaximumPriority;
    }

    /// <summary>"1 2026-" of RFC 5424 or "Nov 22 01:" of RFC 3164.</summary>
    private static bool IsDated(ReadOnlySpan<byte> text)
    {
        if (text.Length > 7 && text.StartsWith("1 "u8) && text[6] == '-' && text[2] == '2')
            return true;
        return text.Length > 10 && text[3] == ' ' && text[6] == ' ' && text[9] == ':'
            && "JanFebMarAprMayJunJulAugSepOctNovDec"u8.IndexOf(text[..3]) is var month and >= 0 && month % 3 == 0;
    }
}
