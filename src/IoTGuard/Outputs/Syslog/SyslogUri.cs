using System.Globalization;

namespace IoTGuard.Outputs.Syslog;

/// <summary>How syslog messages travel.</summary>
internal enum SyslogTransportKind : byte
{
    /// <summary>RFC 5426.</summary>
    Udp,

    /// <summary>RFC 6587.</summary>
    Tcp,

    /// <summary>RFC 5425.</summary>
    Tls,
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
/// A receiver: <c>udp://host[:514]</c>, <c>tcp://host[:601]</c>, <c>tls://host[:6514]</c>, with the options
/// <c>framing=octet|lf</c> (tcp, tls), <c>ca=FILE</c>, <c>cert=FILE</c>, <c>key=FILE</c> (tls, PEM), <c>max=BYTES</c>, <c>facility=0..23</c>, <c>enterprise=NUMBER</c>.
/// </summary>
internal sealed record SyslogUri
{
    /// <summary>Smallest size that every receiver must accept (RFC 5424, 6.1), in bytes.</summary>
    public const int MinimumMessageBytes = 480;

    /// <summary>Largest payload of a UDP datagram over IPv4, in bytes.</summary>
    public const int MaximumMessageBytes = 65_507;

    /// <summary>The number that RFC 5612 reserves for documentation; a site with its own puts it into the URI.</summary>
    public const int DefaultEnterprise = 32473;

    /// <summary>local0 (RFC 5424, table 1).</summary>
    public const int DefaultFacility = 16;

    public required SyslogTransportKind Transport { get; init; }

    public required string Host { get; init; }

    public required int Port { get; init; }

    public SyslogFraming Framing { get; init; }

    /// <summary>PEM file with the authorities trusted instead of the system's; null = the system's.</summary>
    public string? AuthorityFile { get; init; }

    /// <summary>PEM file with a client certificate, and one with its key (null = in the same file).</summary>
    public string? CertificateFile { get; init; }

    public string? KeyFile { get; init; }

    /// <summary>Longest message in bytes, framing excluded.</summary>
    public required int MaximumBytes { get; init; }

    public int Facility { get; init; } = DefaultFacility;

    /// <summary>Private enterprise number in the SD-ID.</summary>
    public int Enterprise { get; init; } = DefaultEnterprise;

    /// <summary>Reads a URI; when it is unusable, <paramref name="error"/> is one line that says why.</summary>
    public static bool TryParse(string text, out SyslogUri? uri, out string? error)
    {
        uri = null;
        error = null;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var parsed))
            return Refuse(text, "it must look like udp://host:514, tcp://host:601 or tls://host:6514", out error);
        SyslogTransportKind transport;
        int port, bytes;
        switch (parsed.Scheme)
        {
            // Sizes: what receivers should accept at least (RFC 5424, 6.1; RFC 5426, 3.2; RFC 5425, 4.3.1).
            case "udp":
                (transport, port, bytes) = (SyslogTransportKind.Udp, 514, 2048);
                break;
            case "tcp":
                (transport, port, bytes) = (SyslogTransportKind.Tcp, 601, 8192);
                break;
            case "tls":
                (transport, port, bytes) = (SyslogTransportKind.Tls, 6514, 8192);
                break;
            default:
                return Refuse(text, $"'{parsed.Scheme}' is not one of udp, tcp, tls", out error);
        }

        if (parsed.Host.Length == 0)
            return Refuse(text, "the host is missing", out error);
        if (parsed.UserInfo.Length > 0 || parsed.Fragment.Length > 0 || parsed.AbsolutePath is not ("" or "/"))
            return Refuse(text, "only host, port and options after '?' can be given", out error);
        if (parsed.Port == 0)
            return Refuse(text, "port 0 cannot be sent to", out error);

        var host = parsed.HostNameType == UriHostNameType.IPv6 ? parsed.DnsSafeHost : parsed.Host;
        var result = new SyslogUri { Transport = transport, Host = host, Port = parsed.Port < 0 ? port : parsed.Port, MaximumBytes = bytes };
        foreach (var option in parsed.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = option.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? option : option[..equals];
            var value = equals < 0 ? "" : Uri.UnescapeDataString(option[(equals + 1)..]);
            if (Apply(result, name, value, out var reason) is not { } changed)
                return Refuse(text, reason!, out error);
            result = changed;
        }

        if (result.KeyFile is not null && result.CertificateFile is null)
            return Refuse(text, "option 'key' needs option 'cert'", out error);
        uri = result;
        return true;
    }

    /// <summary>Scheme, host and port.</summary>
    public override string ToString()
    {
        var host = Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host;
        return $"{(Transport == SyslogTransportKind.Udp ? "udp" : Transport == SyslogTransportKind.Tcp ? "tcp" : "tls")}://{host}:{Port}";
    }

    private static SyslogUri? Apply(SyslogUri uri, string name, string value, out string? reason)
    {
        reason = null;
        switch (name)
        {
            case "framing" when uri.Transport == SyslogTransportKind.Udp:
            case "ca" or "cert" or "key" when uri.Transport != SyslogTransportKind.Tls:
                reason = $"option '{name}' does not apply to {uri.Transport.ToString().ToLowerInvariant()}";
                return null;
            case "framing" when value is "octet":
                return uri with { Framing = SyslogFraming.OctetCounting };
            case "framing" when value is "lf":
                return uri with { Framing = SyslogFraming.LineFeed };
            case "framing":
                reason = "option 'framing' is octet or lf";
                return null;
            case "ca" when value.Length > 0:
                return uri with { AuthorityFile = value };
            case "cert" when value.Length > 0:
                return uri with { CertificateFile = value };
            case "key" when value.Length > 0:
                return uri with { KeyFile = value };
            case "ca" or "cert" or "key":
                reason = $"option '{name}' needs a file";
                return null;
            case "max" when Number(value, MinimumMessageBytes, MaximumMessageBytes) is { } bytes:
                return uri with { MaximumBytes = bytes };
            case "max":
                reason = $"option 'max' is a number of bytes from {MinimumMessageBytes} to {MaximumMessageBytes}";
                return null;
            case "facility" when Number(value, 0, 23) is { } facility:
                return uri with { Facility = facility };
            case "facility":
                reason = "option 'facility' is a number from 0 to 23";
                return null;
            case "enterprise" when Number(value, 0, int.MaxValue) is { } enterprise:
                return uri with { Enterprise = enterprise };
            case "enterprise":
                reason = "option 'enterprise' is a private enterprise number";
                return null;
            default:
                reason = $"option '{name}' is not known (framing, ca, cert, key, max, facility, enterprise)";
                return null;
        }
    }

    private static int? Number(string text, int minimum, int maximum) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= minimum && number <= maximum ? number : null;

    private static bool Refuse(string text, string reason, out string? error)
    {
        error = $"syslog receiver '{text}': {reason}";
        return false;
    }
}
