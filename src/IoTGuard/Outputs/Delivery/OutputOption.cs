using System.Globalization;
using IoTGuard.Outputs.Formats;

namespace IoTGuard.Outputs.Delivery;

/// <summary>An option of an output: one row says where it applies, what it takes, and what it does.</summary>
/// <param name="Name">Its name, in addresses and as key of the configuration file.</param>
/// <param name="Kinds">Outputs that it applies to; null = all.</param>
/// <param name="Takes">What it takes, for messages: "option 'x' ...".</param>
/// <param name="Default">Unit and default, for people.</param>
/// <param name="Meaning">What it does, for people.</param>
/// <param name="Set">Changes the settings; null when the value is not taken.</param>
internal sealed record OutputOption(
    string Name, OutputKind[]? Kinds, string Takes, string Default, string Meaning, Func<OutputSettings, string, OutputSettings?> Set)
{
    private static readonly OutputKind[] Syslog = [OutputKind.Udp, OutputKind.Tcp, OutputKind.Tls];
    private static readonly OutputKind[] Streams = [OutputKind.Tcp, OutputKind.Tls];
    private static readonly OutputKind[] Secure = [OutputKind.Tls, OutputKind.PandoraHttps];
    private static readonly OutputKind[] Consoles = [OutputKind.PandoraHttp, OutputKind.PandoraHttps];

    public static IReadOnlyList<OutputOption> All { get; } =
    [
        new("name", null, "needs a name", "the address", "what the output is called in messages and in the journal; one name, one output", static (s, v) => v.Length == 0 ? null : s with { Name = v }),
        new("format", null, $"is one of {FormatTable.Names}", FormatTable.Default.Name, "form of the messages",
            static (s, v) => FormatTable.Find(v) is { } format ? s with { Format = format } : null),
        new("severity", null, "is a number from 0 to 10", "0", "least severity that is sent", static (s, v) => Number(v, 0, 10) is { } n ? s with { LeastSeverity = n } : null),
        new("category", null, "needs one category or several with commas", "all", "only alerts of these categories are sent", static (s, v) => List(v) is { } list ? s with { Categories = list } : null),
        new("zone", null, "needs one zone or several with commas", "all", "only alerts whose device is in these zones of the site's policy are sent",
            static (s, v) => List(v) is { } list ? s with { Zones = list } : null),
        new("heartbeat", null, "is a number of seconds from 0 (none) to 86400", "60 s", "interval of heartbeats of the sensor, so that its silence is noticed; 0 = none",
            static (s, v) => Number(v, 0, 86_400) is { } n ? s with { HeartbeatSeconds = n } : null),
        new("journal", null, "is a number of megabytes from 1 to 65536", "64 MB", "most that the journal keeps for this output while it takes nothing",
            static (s, v) => Number(v, 1, 65_536) is { } n ? s with { JournalMegabytes = n } : null),
        new("max", null, $"is a number of bytes from {OutputSettings.MinimumMessageBytes} to {OutputSettings.MaximumMessageBytes}",
            "2048 bytes for udp, 8192 for tcp and tls, else 65507", "longest message; longer ones are shortened before they are counted",
            static (s, v) => Number(v, OutputSettings.MinimumMessageBytes, OutputSettings.MaximumMessageBytes) is { } n ? s with { MaximumBytes = n } : null),
        new("facility", Syslog, "is a number from 0 to 23", "16 (local0); 10 for dicom-audit", "syslog facility", static (s, v) => Number(v, 0, 23) is { } n ? s with { Facility = n } : null),
        new("enterprise", null, "is a private enterprise number", "32473 (for documentation)", "the site's private enterprise number, in structured data and audit messages",
            static (s, v) => Number(v, 0, int.MaxValue) is { } n ? s with { Enterprise = n } : null),
        new("framing", Streams, "is octet or lf", "octet", "octet = the length before each message, lf = a line feed after it",
            static (s, v) => v is "octet" or "lf" ? s with { Framing = v == "lf" ? SyslogFraming.LineFeed : SyslogFraming.OctetCounting } : null),
        new("ca", Secure, "needs a file", "the system's", "PEM file with the authorities that are trusted", static (s, v) => v.Length == 0 ? null : s with { AuthorityFile = v }),
        new("cert", Secure, "needs a file", "none", "PEM file with the sensor's own certificate", static (s, v) => v.Length == 0 ? null : s with { CertificateFile = v }),
        new("key", Secure, "needs a file", "in the file of cert", "PEM file with the key of the sensor's own certificate", static (s, v) => v.Length == 0 ? null : s with { KeyFile = v }),
        new("user", Consoles, "needs a name", "none", "user of the Pandora FMS console", static (s, v) => v.Length == 0 ? null : s with { User = v }),
        new("password_file", Consoles, "needs a file", "none", "file with the user's password", static (s, v) => v.Length == 0 ? null : s with { PasswordFile = v }),
        new("api_password_file", Consoles, "needs a file", "none", "file with the password of the console's API", static (s, v) => v.Length == 0 ? null : s with { ApiPasswordFile = v }),
    ];

    /// <summary>The settings with an option; null when it is unusable, and <paramref name="reason"/> says why.</summary>
    public static OutputSettings? Apply(OutputSettings settings, string name, string value, out string? reason)
    {
        reason = null;
        if (All.FirstOrDefault(o => o.Name == name) is not { } option)
        {
            reason = $"option '{name}' is not known ({string.Join(", ", All.Select(static o => o.Name))})";
            return null;
        }

        if (option.Kinds is not null && !option.Kinds.Contains(settings.Kind))
        {
            reason = $"option '{name}' does not apply to {settings.Kind.ToString().ToLowerInvariant()}";
            return null;
        }

        var changed = option.Set(settings, value);
        if (changed is null)
            reason = $"option '{name}' {option.Takes}";
        return changed;
    }

    private static int? Number(string text, int minimum, int maximum) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= minimum && number <= maximum ? number : null;

    private static string[]? List(string text) =>
        text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) is { Length: > 0 } list ? list : null;
}
