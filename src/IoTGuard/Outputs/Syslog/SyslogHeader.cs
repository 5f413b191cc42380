using System.Globalization;

namespace IoTGuard.Outputs.Syslog;

/// <summary>HEADER of RFC 5424, 6.2.</summary>
/// <param name="facility">Facility, 0 to 23.</param>
/// <param name="host">HOSTNAME.</param>
/// <param name="appName">APP-NAME.</param>
/// <param name="procId">PROCID.</param>
internal sealed class SyslogHeader(int facility, string host, string appName, string procId)
{
    private const int MaximumHostBytes = 255; // limits of RFC 5424, 6
    private const int MaximumAppNameBytes = 48;
    private const int MaximumProcIdBytes = 128;
    private const int MaximumMsgIdBytes = 32;

    private readonly string _origin = $"{Name(host, MaximumHostBytes)} {Name(appName, MaximumAppNameBytes)} {Name(procId, MaximumProcIdBytes)}";

    /// <summary>The header with its last space; plain ASCII.</summary>
    /// <param name="severity">Severity, 0 to 7.</param>
    /// <param name="time">TIMESTAMP.</param>
    /// <param name="msgId">MSGID.</param>
    public string Of(int severity, string time, string msgId) =>
        string.Create(CultureInfo.InvariantCulture, $"<{(8 * facility) + severity}>1 {time} {_origin} {Name(msgId, MaximumMsgIdBytes)} ");

    /// <summary>A header field: printable ASCII without spaces, '-' when empty (RFC 5424, 6).</summary>
    private static string Name(string text, int maximumBytes)
    {
        if (text.Length == 0)
            return "-";
        return string.Create(Math.Min(text.Length, maximumBytes), text, static (name, source) =>
        {
            for (var i = 0; i < name.Length; i++)
                name[i] = source[i] is > ' ' and < '\u007F' ? source[i] : '_';
        });
    }
}
