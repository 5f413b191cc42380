using System.Diagnostics;
using System.Globalization;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Outputs.Delivery;
using IoTGuard.Outputs.Packets;
using IoTGuard.Service;
using IoTGuard.Sites.State;

namespace IoTGuard.Outputs;

/// <summary>Outputs of the live sensor: every opening, update and closing of an alert, as JSON lines, over syslog, and as a line for people.</summary>
internal sealed class LiveOutputs : IAlertSink, IDisposable
{
    private readonly AlertJson _alertJson = new();
    private readonly TransactionJson _transactionJson;
    private readonly StateWriter? _state;
    private readonly AlertOutputs _outputs;
    private readonly Dictionary<string, (long Lines, string Reason)> _losses = new(StringComparer.Ordinal);
    private OutputSet _set;
    private Task _past = Task.CompletedTask;
    private long _pastLost;
    private long _worked;

    /// <param name="set">Files and receivers.</param>
    /// <param name="withPseudonyms">True when identifiers of patients may be written as pseudonyms.</param>
    /// <param name="communityIdSeed">Seed of the community ids of transactions.</param>
    /// <param name="state">The site's state, whose journal keeps what waits for outputs; without one (null) it waits in memory.</param>
    public LiveOutputs(OutputSet set, bool withPseudonyms, ushort communityIdSeed, SiteState? state)
    {
        _set = set;
        _state = state is null ? null : new StateWriter(state, set.Outputs);
        _outputs = _state?.Outputs ?? AlertOutputs.ForSensor(set.Outputs, settled: null);
        if (_state is null)
            _outputs.Start();
        _transactionJson = new TransactionJson(withPseudonyms, communityIdSeed);
    }

    /// <summary>Alerts opened so far.</summary>
    public long Opened { get; private set; }

    /// <summary>Alerts opened so far that are suppressed.</summary>
    public long Suppressed { get; private set; }

    /// <summary>Keeps the packets behind alerts; null = nobody does.</summary>
    public EvidenceCollector? Evidence { get; init; }

    /// <summary>The run's clock, ns of packet time.</summary>
    public long ClockNs { get; set; }

    /// <summary>Time that it has taken of the thread that it is called on. Any thread may ask.</summary>
    public TimeSpan Worked => Stopwatch.GetElapsedTime(0, Interlocked.Read(ref _worked));

    /// <summary>Where alerts are sent.</summary>
    public AlertOutputs Outputs => _outputs;

    /// <summary>The state of the site; null when there is none, or when it may not be written.</summary>
    public StateWriter? State => _state;

    /// <summary>Alert messages, lines, changes of the state and packets of evidence that were lost so far.</summary>
    public long Lost => Interlocked.Read(ref _pastLost) + _set.Lost + _outputs.Dropped + (_state?.Lost ?? 0) + (Evidence?.Lost ?? 0);

    /// <summary>Messages that receivers took so far.</summary>
    public long Delivered => _outputs.Delivered;

    /// <summary>Each file, output and store as it now is. Any thread may ask.</summary>
    public IReadOnlyList<DeliveryStatus> Deliveries
    {
        get
        {
            var files = _set.Files.Select(static f => new DeliveryStatus(f.Name, f.WaitingLines, f.Lines, f.LostLines, f.Retries, f.Failure));
            var outputs = _outputs.All.Select(static o => new DeliveryStatus(o.Settings.Name, o.Waiting, o.Delivered, o.Dropped, o.Retries, o.Failure));
            return [.. files, .. outputs, .. _state is null ? [] : new[] { _state.Status }];
        }
    }

    /// <summary>Tells the end of alerts that were open when the sensor before ended without closing them. Returns how many.</summary>
    public int CloseAbandoned()
    {
        var abandoned = _state?.Abandoned ?? [];
        foreach (var alert in abandoned)
            Tell(AlertReader.Of(alert), AlertPhase.Closed);
        return abandoned.Count;
    }

    /// <summary>Goes on with other files and outputs. What waits for old outputs is still delivered, or stays in the journal; nothing waits for it.</summary>
    public void Replace(OutputSet fresh)
    {
        var old = _set;
        _set = fresh;
        foreach (var file in fresh.Files)
        {
            if (old.Files.FirstOrDefault(f => f.Name == file.Name) is { } before)
                file.TakeOver(before);
        }

        _outputs.Replace(fresh.Outputs);
        _past = _past.ContinueWith(_ =>
        {
            // One set is closed after the other, the last by who waits for this.
            old.Close(_losses);
            Interlocked.Add(ref _pastLost, old.Lost);
            old.Dispose();
        }, TaskScheduler.Default);
    }

    public void OnAlert(Alert alert, AlertPhase phase)
    {
        var began = Stopwatch.GetTimestamp();
        if (phase == AlertPhase.Opened)
            Opened++;
        if (Tell(alert, phase))
            Evidence?.OnAlert(alert, phase, ClockNs);
        else if (phase == AlertPhase.Opened)
            Suppressed++;
        Add(began);
    }

    public void OnTransaction(Transaction transaction)
    {
        if (_set.Transactions is not { } file)
            return;
        var began = Stopwatch.GetTimestamp();
        _transactionJson.Write(file.Buffer, transaction);
        file.EndLine();
        Add(began);
    }

    /// <summary>The clock of the run went on, several times a second.</summary>
    public void OnClock(long clockNs)
    {
        if (Evidence is not { } evidence)
            return;
        var began = Stopwatch.GetTimestamp();
        evidence.OnClock(clockNs);
        Add(began);
    }

    /// <summary>Writes out the transactions gathered so far.</summary>
    public void Flush()
    {
        if (_set.Transactions is not { } file)
            return;
        var began = Stopwatch.GetTimestamp();
        file.Flush();
        Add(began);
    }

    /// <summary>Ends all outputs; returns one line for each that lost something.</summary>
    public IReadOnlyList<string> Close()
    {
        _past.Wait();
        _set.Close(_losses);
        var problems = _losses.Select(static l => $"{RunSummary.Number(l.Value.Lines)} lines could not be written to {l.Key}: {l.Value.Reason}").ToList();
        _state?.Flush();
        problems.AddRange(_outputs.Complete());
        if (Evidence?.Complete() is { } missing)
            problems.Add(missing);
        if (_state?.Complete() is { } loss)
            problems.Add(loss);
        return problems;
    }

    public void Dispose()
    {
        if (_state is null)
            _outputs.Dispose();
        else
            _state.Dispose();
        Evidence?.Dispose();
        _set.Dispose();
        _alertJson.Dispose();
    }

    private void Add(long began) => Interlocked.Add(ref _worked, Stopwatch.GetTimestamp() - began);

    /// <summary>Hands an alert to the store, outputs, file and people; false when it is suppressed, so that only the store and file have it.</summary>
    private bool Tell(Alert alert, AlertPhase phase)
    {
        var suppression = _state?.Suppressions.Of(alert);
        var messages = suppression is null ? _outputs.Write(alert, phase) : [];
        if (_state is not null)
            _state.OnAlert(alert, phase, messages);
        else
            AlertOutputs.Offer(messages);
        if (_set.Alerts is { } file)
        {
            _alertJson.Write(file.Buffer, alert, phase, suppression);
            file.EndLine();
            file.Flush();
        }

        if (suppression is not null)
            return false;
        if (!_set.UsesStandardOutput && phase != AlertPhase.Updated)
        {
            var state = phase == AlertPhase.Opened ? "opened" : string.Create(CultureInfo.InvariantCulture, $"closed after {alert.Count:N0}");
            Console.Out.WriteLine($"{PacketTime.ForPeople(alert.LastSeenNs)}  {alert.Severity,2}/10  {state,-16}  {alert.Title}: {alert.Description}");
        }

        return true;
    }
}
