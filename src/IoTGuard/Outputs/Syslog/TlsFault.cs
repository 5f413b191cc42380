using System.Security.Authentication;

namespace IoTGuard.Outputs.Syslog;

/// <summary>Why TLS was not agreed on, in words that say whose turn it is.</summary>
internal static class TlsFault
{
    /// <summary>What OpenSSL says when an end refuses: its own finding, or the alert of the receiver (RFC 8446, 6.2).</summary>
    private static readonly (string Said, string Reason)[] Reasons =
    [
        ("protocol version", "the receiver does not speak TLS 1.2 or later"),
        ("unsupported protocol", "the receiver does not speak TLS 1.2 or later"),
        ("wrong version number", "the receiver does not speak TLS on this port"),
        ("certificate required", "the receiver asks for a certificate of the sensor (options cert and key)"),
        ("certificate expired", "the receiver refuses the sensor's certificate: it has expired"),
        ("unknown ca", "the receiver refuses the sensor's certificate: it does not know who signed it"),
        ("bad certificate", "the receiver refuses the sensor's certificate"),
        ("unsupported certificate", "the receiver refuses the sensor's certificate"),
        ("certificate unknown", "the receiver refuses the sensor's certificate"),
        ("access denied", "the receiver refuses the sensor's certificate"),
    ];

    /// <summary>The reason that lies in an exception; null when it holds none that is known.</summary>
    public static string? Known(Exception exception)
    {
        for (var e = exception; e is not null; e = e.InnerException!)
        {
            foreach (var (said, reason) in Reasons)
            {
                if (e.Message.Contains(said, StringComparison.OrdinalIgnoreCase))
                    return reason;
            }
        }

        return null;
    }

    /// <summary>The same, with words for all else.</summary>
    public static string Of(AuthenticationException exception) => Known(exception) ?? "the TLS handshake failed";
}
