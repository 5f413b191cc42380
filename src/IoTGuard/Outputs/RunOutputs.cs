using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Outputs.Delivery;
using IoTGuard.Outputs.Packets;
using IoTGuard.Outputs.Tables;
using IoTGuard.Pipeline;
using IoTGuard.Sites.State;

namespace IoTGuard.Outputs;

/// <summary>The outputs of a run over captures: files as they were asked for, alerts in their final form at its end, then a summary.</summary>
internal sealed class RunOutputs : IAlertSink, IDisposable
{
    private readonly OutputFile? _alertFile;
    private readonly OutputFile? _transactionFile;
    private readonly TransactionJson? _transactions;
    private readonly AlertOutputs _outputs;
    private readonly RunState _state;
    private readonly List<Alert> _alerts = [];

    public RunOutputs(string? alertFile, FeatureTables tables, string? transactionFile, bool withPseudonyms, AlertOutputs outputs, RunState? state = null, ushort communityIdSeed = 0)
    {
        _state = state ?? RunState.None;
        _outputs = outputs;
        _alertFile = alertFile is null ? null : OutputFile.Create(alertFile);
        Tables = tables;
        _transactionFile = transactionFile is null ? null : OutputFile.Create(transactionFile);
        if (_transactionFile is not null)
            _transactions = new TransactionJson(withPseudonyms, communityIdSeed);
        UsesStandardOutput = Files.Any(static f => f.Name == OutputFile.StandardOutput);
    }

    /// <summary>Flows and windows with their features.</summary>
    public FeatureTables Tables { get; }

    /// <summary>True when a file of this run is standard output, so that the summary goes to standard error.</summary>
    public bool UsesStandardOutput { get; }

    /// <summary>Alerts in their final form, ordered by first_seen once the run is over.</summary>
    public IReadOnlyList<Alert> Alerts => _alerts;

    private IEnumerable<OutputFile> Files => new[] { _alertFile, _transactionFile }.OfType<OutputFile>().Concat(Tables.Files);

    /// <summary>Keeps the packets behind alerts; null = nobody does.</summary>
    public EvidenceCollector? Evidence { get; init; }

    /// <summary>The run's clock, ns of packet time.</summary>
    public long ClockNs { get; set; }

    public void OnAlert(Alert alert, AlertPhase phase)
    {
        _state.OnAlert(alert, phase);
        if (Evidence is not null && _state.Suppressions.Of(alert) is null)
            Evidence.OnAlert(alert, phase, ClockNs);
        if (phase == AlertPhase.Closed)
            _alerts.Add(alert);
    }

    public void OnFlow(in FlowRecord flow) => Tables.OnFlow(in flow);

    public void OnTransaction(Transaction transaction)
    {
        if (_transactions is null)
            return;
        _transactions.Write(_transactionFile!.Buffer, transaction);
        _transactionFile.EndLine();
    }

    /// <summary>Writes and sends the alerts, prints the summary, and says what was lost. Returns the exit status.</summary>
    public int Finish(AnalysisRun run)
    {
        _alerts.Sort(static (x, y) => x.FirstSeenNs != y.FirstSeenNs ? x.FirstSeenNs.CompareTo(y.FirstSeenNs) : string.CompareOrdinal(x.Id, y.Id));
        if (_alertFile is not null)
        {
            using var json = new AlertJson();
            foreach (var alert in _alerts)
            {
                json.Write(_alertFile.Buffer, alert, phase: null, _state.Suppressions.Of(alert));
                _alertFile.EndLine();
            }
        }

        foreach (var file in Files)
            file.Flush();
        foreach (var alert in _alerts.Where(a => _state.Suppressions.Of(a) is null))
            AlertOutputs.Offer(_outputs.Write(alert, AlertPhase.Closed));
        List<string> losses = [.. _outputs.Complete()];
        if (Evidence?.Complete() is { } missing)
            losses.Add(missing);
        if (Save(run) is { } loss)
            losses.Add(loss);
        new RunSummary(run, _alerts, _state.Suppressions).Print(UsesStandardOutput ? Terminal.Error : Terminal.Output);
        return Status(run, losses);
    }

    /// <summary>Writes alerts and devices into the state of the site. Returns what was lost, or null.</summary>
    public string? Save(AnalysisRun run)
    {
        if (_state.Notice is { } notice)
            Console.Error.WriteLine("iotguard: " + notice);
        return _state.Save(_alerts, run.Detector.Devices.Devices, run.FirstNs);
    }

    public void Dispose()
    {
        _outputs.Dispose();
        _state.Dispose();
        foreach (var file in Files)
            file.Dispose();
    }

    /// <summary>Says what was lost or not read, and gives the exit status.</summary>
    public int Status(AnalysisRun run, IReadOnlyList<string> undelivered)
    {
        var status = ExitStatus.Done;
        foreach (var file in Files.Where(f => f.LossReason is not null))
            Say(ExitStatus.Lost, $"{file.LostLines:N0} lines could not be written to {file.Name}: {file.LossReason}; free some space and run again");
        foreach (var problem in undelivered)
            Say(ExitStatus.Lost, problem);
        foreach (var loss in LossTable.Of(run.Counters).Where(c => c is { IsLoss: true, Count: > 0 }))
            Say(ExitStatus.Lost, $"{RunSummary.Number(loss.Count)} {loss.Text}");
        foreach (var problem in run.Problems)
            Say(ExitStatus.UnreadableInput, $"{problem.Source}: {problem.Reason} at offset {problem.Offset:N0}; what lies before was analysed");
        if (run.UndecodedFrames > 0)
        {
            Say(
                ExitStatus.UnreadableInput,
                $"{RunSummary.Number(run.UndecodedFrames)} packets have a link type that is not decoded ({string.Join(", ", run.UndecodedLinks)});"
                + " capture on an Ethernet, Linux cooked, loopback or raw IP interface");
        }

        return status;

        void Say(int exitStatus, string message)
        {
            Console.Error.WriteLine("iotguard: " + message);
            status = exitStatus;
        }
    }
}
