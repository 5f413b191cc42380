using System.Buffers;
using System.Text;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Outputs.Formats;
using IoTGuard.Outputs.Syslog;

namespace IoTGuard.Outputs.Delivery;

/// <summary>Makes the messages of an output: its format, in a syslog header where it travels by syslog, never longer than the output allows.</summary>
internal sealed class MessageWriter
{
    private const int Informational = 6;

    private readonly AlertFormat _format;
    private readonly SyslogHeader? _header;
    private readonly int _maximumBytes;
    private readonly ArrayBufferWriter<byte> _buffer = new(4096);

    /// <param name="settings">Of the output.</param>
    /// <param name="context">Host and process that messages name.</param>
    public MessageWriter(OutputSettings settings, FormatContext context)
    {
        _format = settings.Format.Create(context);
        _maximumBytes = settings.MaximumBytes;
        if (settings.IsSyslog || _format.HasStructuredData)
            _header = new SyslogHeader(settings.Facility, context.Host, "iotguard", context.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    /// <summary>Of this process.</summary>
    public static FormatContext ContextOf(OutputSettings settings) => new(Environment.MachineName, Environment.ProcessId, settings.Enterprise);

    /// <summary>The message of an alert, valid until the next call; empty when even the shortest form is too long.</summary>
    public ReadOnlySpan<byte> Write(Alert alert, AlertPhase phase)
    {
        foreach (var (items, characters) in AlertDigest.Steps)
        {
            Begin(_format.SyslogSeverityOf(alert), alert.LastSeenNs, _format.IdOf(alert));
            _format.Write(_buffer, items == int.MaxValue ? alert : AlertDigest.Of(alert, items, characters), phase, _maximumBytes - _buffer.WrittenCount);
            if (_buffer.WrittenCount <= _maximumBytes)
                return _buffer.WrittenSpan;
        }

        return [];
    }

    /// <summary>The message of a heartbeat, valid until the next call.</summary>
    public ReadOnlySpan<byte> Write(Heartbeat status)
    {
        Begin(Informational, status.TimeNs, AlertFormat.HeartbeatId);
        _format.Write(_buffer, status);
        return _buffer.WrittenCount <= _maximumBytes ? _buffer.WrittenSpan : [];
    }

    private void Begin(int severity, long timeNs, string msgId)
    {
        _buffer.ResetWrittenCount();
        if (_header is null)
            return;
        var header = _header.Of(severity, AlertFormat.Time(timeNs), msgId);
        Encoding.ASCII.GetBytes(header, _buffer);
        if (!_format.HasStructuredData)
            _buffer.Write("- "u8);
    }
}
