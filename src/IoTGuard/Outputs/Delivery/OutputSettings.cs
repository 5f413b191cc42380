using IoTGuard.Outputs.Formats;

namespace IoTGuard.Outputs.Delivery;

/// <summary>Where alerts go.</summary>
internal enum OutputKind : byte
{
    /// <summary>Syslog, RFC 5426.</summary>
    Udp,

    /// <summary>Syslog, RFC 6587.</summary>
    Tcp,

    /// <summary>Syslog, RFC 5425.</summary>
    Tls,

    /// <summary>A line per message, appended to a file.</summary>
    File,

    /// <summary>The incoming directory of a Pandora FMS data server.</summary>
    Pandora,

    /// <summary>The event API of a Pandora FMS console, in the clear.</summary>
    PandoraHttp,

    /// <summary>The event API of a Pandora FMS console, over TLS.</summary>
    PandoraHttps,
}

/// <summary>How messages are told apart in a byte stream (RFC 6587, 3.4).</summary>
internal enum SyslogFraming : byte
{
    /// <summary>Octet counting: MSG-LEN SP SYSLOG-MSG.</summary>
    OctetCounting,

    /// <summary>Non-transparent framing: a line feed after each message.</summary>
    LineFeed,
}

/// <summary>
/// One output: its address <c>udp://host[:514]</c>, <c>tcp://host[:601]</c>, <c>tls://host[:6514]</c>, <c>file:///path</c>, <c>pandora:///directory</c> or
/// <c>pandora+https://host/pandora_console</c>, and the options of
/// <see cref="OutputOption"/>, which follow the address as <c>?name=value&amp;...</c> or stand beside it as keys of the configuration file.
/// </summary>
internal sealed record OutputSettings
{
    /// <summary>Smallest size that every syslog receiver must accept (RFC 5424, 6.1), in bytes.</summary>
    public const int MinimumMessageBytes = 480;

    /// <summary>Largest payload of a UDP datagram over IPv4, in bytes.</summary>
    public const int MaximumMessageBytes = 65_507;

    /// <summary>The number that RFC 5612 reserves for documentation; a site with its own sets it.</summary>
    public const int DefaultEnterprise = 32473;

    /// <summary>local0 (RFC 5424, table 1).</summary>
    public const int DefaultFacility = 16;

    private readonly int? _maximumBytes;
    private readonly int? _facility;
    private readonly string? _name;
    private readonly FormatKind? _format;

    public required OutputKind Kind { get; init; }

    /// <summary>Host of a receiver; empty for files.</summary>
    public string Host { get; init; } = "";

    public int Port { get; init; }

    /// <summary>Path of a file or directory, or of a console; empty for other receivers.</summary>
    public string Path { get; init; } = "";

    /// <summary>How it is called in messages and in the journal; the address when none was given.</summary>
    public string Name
    {
        get => _name ?? Address;
        init => _name = value;
    }

    public FormatKind Format
    {
        get => _format ?? OwnFormat ?? FormatTable.Default;
        init => _format = value;
    }

    public SyslogFraming Framing { get; init; }

    /// <summary>PEM file with the authorities trusted instead of the system's; null = the system's.</summary>
    public string? AuthorityFile { get; init; }

    /// <summary>PEM file with a client certificate, and one with its key (null = in the same file).</summary>
    public string? CertificateFile { get; init; }

    public string? KeyFile { get; init; }

    /// <summary>Longest message in bytes, framing excluded.</summary>
    public int MaximumBytes
    {
        // What receivers should accept at least (RFC 5424, 6.1; RFC 5426, 3.2; RFC 5425, 4.3.1; PS3.15 A.6).
        get => _maximumBytes ?? Math.Max(Kind == OutputKind.Udp ? 2048 : Kind is OutputKind.Tcp or OutputKind.Tls ? 8192 : MaximumMessageBytes, Format.DefaultBytes);
        init => _maximumBytes = value;
    }

    public int Facility
    {
        get => _facility ?? Format.Facility;
        init => _facility = value;
    }

    /// <summary>User of a Pandora FMS console.</summary>
    public string? User { get; init; }

    /// <summary>File with the user's password.</summary>
    public string? PasswordFile { get; init; }

    /// <summary>File with the password of a Pandora FMS console's API.</summary>
    public string? ApiPasswordFile { get; init; }

    /// <summary>Private enterprise number in the SD-ID.</summary>
    public int Enterprise { get; init; } = DefaultEnterprise;

    /// <summary>Alerts of less severity are not sent.</summary>
    public int LeastSeverity { get; init; }

    /// <summary>Only alerts of these categories are sent; empty = all.</summary>
    public IReadOnlyList<string> Categories { get; init; } = [];

    /// <summary>Only alerts whose device is in one of these zones of the site's policy are sent; empty = all.</summary>
    public IReadOnlyList<string> Zones { get; init; } = [];

    /// <summary>Interval of heartbeats; 0 = none.</summary>
    public int HeartbeatSeconds { get; init; } = 60;

    /// <summary>Most that the journal keeps for this output.</summary>
    public int JournalMegabytes { get; init; } = 64;

    public bool IsSyslog => Kind is OutputKind.Udp or OutputKind.Tcp or OutputKind.Tls;

    /// <summary>Scheme, host and port, or path: what messages call it.</summary>
    public string Address
    {
        get
        {
            var scheme = Kind switch { OutputKind.PandoraHttp => "pandora+http", OutputKind.PandoraHttps => "pandora+https", _ => Kind.ToString().ToLowerInvariant() };
            return $"{scheme}://{(Host.Length == 0 ? "" : HostAndPort)}{Path}";
        }
    }

    /// <summary>Host and port as they stand in addresses.</summary>
    public string HostAndPort => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";

    /// <summary>The one form that the output takes; null when it takes any that is a line or document.</summary>
    private FormatKind? OwnFormat => Kind switch
    {
        OutputKind.Pandora => FormatTable.PandoraData,
        OutputKind.PandoraHttp or OutputKind.PandoraHttps => FormatTable.PandoraEvent,
        _ => null,
    };

    /// <summary>The address with all options that were given: equal for equal outputs.</summary>
    public string Description { get; private init; } = "";

    public override string ToString() => Address;

    /// <summary>Reads an address with its options; when it is unusable, <paramref name="error"/> is one line that says why.</summary>
    public static bool TryParse(string text, out OutputSettings? settings, out string? error) => TryParse(text, [], out settings, out error);

    /// <param name="text">The address.</param>
    /// <param name="options">Further options, by name.</param>
    /// <param name="settings">The output; null when something is unusable.</param>
    /// <param name="error">What is; null when nothing.</param>
    public static bool TryParse(string text, IEnumerable<(string Name, string Value)> options, out OutputSettings? settings, out string? error)
    {
        settings = null;
        var given = new List<string>();
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri))
            return Refuse("it must look like udp://host:514, tcp://host:601, tls://host:6514, file:///path, pandora:///directory or pandora+https://host/pandora_console", out error);
        if (OfAddress(uri, out var reason) is not { } result)
            return Refuse(reason!, out error);
        foreach (var (name, value) in OptionsOf(uri).Concat(options))
        {
            if (OutputOption.Apply(result, name, value, out reason) is not { } changed)
                return Refuse(reason!, out error);
            result = changed;
            given.Add($"{name}={value}");
        }

        if (result.KeyFile is not null && result.CertificateFile is null)
            return Refuse("option 'key' needs option 'cert'", out error);
        if (result.Format != (result.OwnFormat ?? (result.Format == FormatTable.PandoraEvent ? null : result.Format)))
            return Refuse($"format {result.Format.Name} is not for this output", out error);
        if (result.MaximumBytes < result.Format.LeastBytes)
            return Refuse($"a message of format {result.Format.Name} needs up to {result.Format.LeastBytes} bytes; raise option 'max'", out error);
        settings = result with { Description = given.Count == 0 ? result.Address : $"{result.Address}?{string.Join('&', given)}" };
        error = null;
        return true;

        bool Refuse(string why, out string? line)
        {
            line = $"output '{text}': {why}";
            return false;
        }
    }

    private static IEnumerable<(string Name, string Value)> OptionsOf(Uri uri)
    {
        foreach (var option in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = option.IndexOf('=', StringComparison.Ordinal);
            yield return equals < 0 ? (option, "") : (option[..equals], Uri.UnescapeDataString(option[(equals + 1)..]));
        }
    }

    private static OutputSettings? OfAddress(Uri uri, out string? reason)
    {
        reason = null;
        if (uri.UserInfo.Length > 0 || uri.Fragment.Length > 0)
            return Refuse("only host, port and options after '?' can be given", out reason);
        switch (uri.Scheme)
        {
            case "udp":
                return Receiver(uri, OutputKind.Udp, 514, out reason);
            case "tcp":
                return Receiver(uri, OutputKind.Tcp, 601, out reason);
            case "tls":
                return Receiver(uri, OutputKind.Tls, 6514, out reason);
            case "pandora+http":
                return Receiver(uri, OutputKind.PandoraHttp, 80, out reason);
            case "pandora+https":
                return Receiver(uri, OutputKind.PandoraHttps, 443, out reason);
            case "pandora" when uri.Host.Length == 0 && uri.AbsolutePath.Length > 1:
                return new OutputSettings { Kind = OutputKind.Pandora, Path = Uri.UnescapeDataString(uri.AbsolutePath) };
            case "pandora":
                return Refuse("a directory is given as pandora:///path", out reason);
            case "file" when uri.Host.Length == 0 && uri.AbsolutePath.Length > 1 && uri.AbsolutePath[^1] != '/':
                return new OutputSettings { Kind = OutputKind.File, Path = Uri.UnescapeDataString(uri.AbsolutePath) };
            case "file":
                return Refuse("a file is given as file:///path", out reason);
            default:
                return Refuse($"'{uri.Scheme}' is not one of udp, tcp, tls, file, pandora, pandora+http, pandora+https", out reason);
        }
    }

    private static OutputSettings? Receiver(Uri uri, OutputKind kind, int port, out string? reason)
    {
        reason = null;
        if (uri.Host.Length == 0)
            return Refuse("the host is missing", out reason);
        var hasPath = kind is OutputKind.PandoraHttp or OutputKind.PandoraHttps;
        if (!hasPath && uri.AbsolutePath is not ("" or "/"))
            return Refuse("only host, port and options after '?' can be given", out reason);
        if (uri.Port == 0)
            return Refuse("port 0 cannot be sent to", out reason);
        var host = uri.HostNameType == UriHostNameType.IPv6 ? uri.DnsSafeHost : uri.Host;
        return new OutputSettings { Kind = kind, Host = host, Port = uri.Port < 0 ? port : uri.Port, Path = hasPath ? uri.AbsolutePath : "" };
    }

    private static OutputSettings? Refuse(string why, out string? reason)
    {
        reason = why;
        return null;
    }
}
