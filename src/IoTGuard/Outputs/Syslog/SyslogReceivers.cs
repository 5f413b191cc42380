using IoTGuard.Analysis.Alerts;

namespace IoTGuard.Outputs.Syslog;

/// <summary>All syslog receivers of a run.</summary>
internal sealed class SyslogReceivers : IAlertSink
{
    private readonly List<SyslogOutput> _outputs = [];

    /// <summary>Opens an output per URI; an unusable one ends the command.</summary>
    public SyslogReceivers(IEnumerable<string> uris)
    {
        foreach (var uri in uris)
        {
            if (!SyslogOutput.TryCreate(uri, out var output, out var error))
                throw new UserException(ExitStatus.Unusable, error!);
            _outputs.Add(output!);
        }
    }

    public bool IsEmpty => _outputs.Count == 0;

    /// <summary>Messages dropped so far because too many waited.</summary>
    public long Dropped => _outputs.Sum(o => o.Dropped);

    public long Delivered => _outputs.Sum(o => o.Delivered);

    public void OnAlert(Alert alert, AlertPhase phase)
    {
        foreach (var output in _outputs)
            output.OnAlert(alert, phase);
    }

    /// <summary>Ends all outputs, each within <see cref="SyslogOutput.FlushLimit"/>; returns one line for each that lost something.</summary>
    public IReadOnlyList<string> Complete()
    {
        Task.WhenAll(_outputs.Select(o => o.CompleteAsync())).GetAwaiter().GetResult();
        return [.. _outputs.Select(o => o.Problem).OfType<string>()];
    }
}
