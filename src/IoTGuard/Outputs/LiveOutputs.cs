using System.Globalization;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Outputs.Syslog;
using IoTGuard.Sites.State;

namespace IoTGuard.Outputs;

/// <summary>Outputs of the live sensor: every opening, update and closing of an alert, as JSON lines, over syslog, and as a line for people.</summary>
internal sealed class LiveOutputs : IAlertSink, IDisposable
{
    private readonly OutputFile? _alertFile;
    private readonly OutputFile? _transactionFile;
    private readonly AlertJson _alertJson = new();
    private readonly TransactionJson? _transactionJson;
    private readonly SyslogReceivers _receivers;
    private readonly StateWriter? _state;
    private readonly bool _quiet;

    public LiveOutputs(string? alertFile, string? transactionFile, bool withPseudonyms, SyslogReceivers receivers, StateWriter? state)
    {
        _state = state;
        _alertFile = alertFile is null ? null : OutputFile.Append(alertFile);
        _transactionFile = transactionFile is null ? null : OutputFile.Append(transactionFile);
        _transactionJson = _transactionFile is null ? null : new TransactionJson(withPseudonyms);
        _receivers = receivers;
        _quiet = alertFile == "-" || transactionFile == "-";
    }

    /// <summary>Alerts opened so far.</summary>
    public long Opened { get; private set; }

    /// <summary>Alerts opened so far that are suppressed.</summary>
    public long Suppressed { get; private set; }

    /// <summary>Alert messages, lines and changes of the state that were lost so far.</summary>
    public long Lost => _receivers.Dropped + (_state?.Lost ?? 0) + (_alertFile?.LostLines ?? 0) + (_transactionFile?.LostLines ?? 0);

    public void OnAlert(Alert alert, AlertPhase phase)
    {
        var suppression = _state?.Suppressions.Of(alert);
        _state?.OnAlert(alert, phase);
        if (phase == AlertPhase.Opened)
        {
            Opened++;
            Suppressed += suppression is null ? 0 : 1;
        }

        if (_alertFile is not null)
        {
            _alertJson.Write(_alertFile.Buffer, alert, phase, suppression);
            _alertFile.EndLine();
            _alertFile.Flush();
        }

        if (suppression is not null)
            return;
        _receivers.OnAlert(alert, phase);
        if (!_quiet && phase != AlertPhase.Updated)
        {
            var state = phase == AlertPhase.Opened ? "opened" : string.Create(CultureInfo.InvariantCulture, $"closed after {alert.Count:N0}");
            Console.Out.WriteLine($"{PacketTime.ForPeople(alert.LastSeenNs)}  {alert.Severity,2}/10  {state,-16}  {alert.Title}: {alert.Description}");
        }
    }

    public void OnTransaction(Transaction transaction)
    {
        if (_transactionFile is null)
            return;
        _transactionJson!.Write(_transactionFile.Buffer, transaction);
        _transactionFile.EndLine();
    }

    /// <summary>Writes out the transactions gathered so far.</summary>
    public void Flush() => _transactionFile?.Flush();

    /// <summary>Ends all outputs; returns one line for each that lost something.</summary>
    public IReadOnlyList<string> Close()
    {
        var problems = new List<string>();
        foreach (var file in new[] { _alertFile, _transactionFile }.OfType<OutputFile>())
        {
            file.Flush();
            if (file.LossReason is { } reason)
                problems.Add($"{RunSummary.Number(file.LostLines)} lines could not be written to {file.Name}: {reason}");
        }

        problems.AddRange(_receivers.Complete());
        if (_state?.Complete() is { } loss)
            problems.Add(loss);
        return problems;
    }

    public void Dispose()
    {
        _state?.Dispose();
        _alertFile?.Dispose();
        _transactionFile?.Dispose();
        _alertJson.Dispose();
    }
}
