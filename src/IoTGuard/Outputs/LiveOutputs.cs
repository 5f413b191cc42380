using System.Globalization;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Sites.State;

namespace IoTGuard.Outputs;

/// <summary>Outputs of the live sensor: every opening, update and closing of an alert, as JSON lines, over syslog, and as a line for people.</summary>
internal sealed class LiveOutputs : IAlertSink, IDisposable
{
    private readonly AlertJson _alertJson = new();
    private readonly TransactionJson _transactionJson;
    private readonly StateWriter? _state;
    private readonly List<string> _pastProblems = [];
    private OutputSet _set;
    private Task _past = Task.CompletedTask;
    private long _pastLost;
    private long _pastDelivered;

    /// <param name="set">Files and receivers.</param>
    /// <param name="withPseudonyms">True when identifiers of patients may be written as pseudonyms.</param>
    /// <param name="state">The site's state, or null.</param>
    public LiveOutputs(OutputSet set, bool withPseudonyms, StateWriter? state)
    {
        _set = set;
        _state = state;
        _transactionJson = new TransactionJson(withPseudonyms);
    }

    /// <summary>Alerts opened so far.</summary>
    public long Opened { get; private set; }

    /// <summary>Alerts opened so far that are suppressed.</summary>
    public long Suppressed { get; private set; }

    /// <summary>Alert messages, lines and changes of the state that were lost so far.</summary>
    public long Lost => Interlocked.Read(ref _pastLost) + _set.Lost + (_state?.Lost ?? 0);

    /// <summary>Messages that receivers took so far.</summary>
    public long Delivered => Interlocked.Read(ref _pastDelivered) + _set.Receivers.Delivered;

    /// <summary>Goes on with other files and receivers. What waits in the old ones is still delivered; nothing waits for it.</summary>
    public void Replace(OutputSet fresh)
    {
        var old = _set;
        _set = fresh;
        _past = _past.ContinueWith(_ =>
        {
            var problems = old.Close();
            Interlocked.Add(ref _pastLost, old.Lost);
            Interlocked.Add(ref _pastDelivered, old.Receivers.Delivered);
            old.Dispose();
            lock (_pastProblems)
                _pastProblems.AddRange(problems);
        }, TaskScheduler.Default);
    }

    public void OnAlert(Alert alert, AlertPhase phase)
    {
        var suppression = _state?.Suppressions.Of(alert);
        _state?.OnAlert(alert, phase);
        if (phase == AlertPhase.Opened)
        {
            Opened++;
            Suppressed += suppression is null ? 0 : 1;
        }

        if (_set.Alerts is { } file)
        {
            _alertJson.Write(file.Buffer, alert, phase, suppression);
            file.EndLine();
            file.Flush();
        }

        if (suppression is not null)
            return;
        _set.Receivers.OnAlert(alert, phase);
        if (!_set.UsesStandardOutput && phase != AlertPhase.Updated)
        {
            var state = phase == AlertPhase.Opened ? "opened" : string.Create(CultureInfo.InvariantCulture, $"closed after {alert.Count:N0}");
            Console.Out.WriteLine($"{PacketTime.ForPeople(alert.LastSeenNs)}  {alert.Severity,2}/10  {state,-16}  {alert.Title}: {alert.Description}");
        }
    }

    public void OnTransaction(Transaction transaction)
    {
        if (_set.Transactions is not { } file)
            return;
        _transactionJson.Write(file.Buffer, transaction);
        file.EndLine();
    }

    /// <summary>Writes out the transactions gathered so far.</summary>
    public void Flush() => _set.Transactions?.Flush();

    /// <summary>Ends all outputs; returns one line for each that lost something.</summary>
    public IReadOnlyList<string> Close()
    {
        _past.Wait();
        var problems = new List<string>(_pastProblems);
        problems.AddRange(_set.Close());
        if (_state?.Complete() is { } loss)
            problems.Add(loss);
        return problems;
    }

    public void Dispose()
    {
        _state?.Dispose();
        _set.Dispose();
        _alertJson.Dispose();
    }
}
