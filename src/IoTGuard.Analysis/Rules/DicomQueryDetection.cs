using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Rules;

/// <summary>What is asked for: queries for everybody, retrieval in bulk, new destinations.</summary>
internal sealed class DicomQueryDetection
{
    /// <summary>Most pairs of client and server watched at once.</summary>
    public const int MaximumPairs = 8192;

    /// <summary>Different studies counted exactly per pair.</summary>
    public const int MaximumStudies = 4096;

    private const string WorklistFind = "1.2.840.10008.5.1.4.31";
    private const double NewDestinationWeight = 0.95;
    private const double NewOperationWeight = 0.6;
    private const double ExpectedWeight = 0.25;

    private readonly DetectionContext _context;
    private readonly Rule _harvest;
    private readonly Rule _bulk;
    private readonly Rule _destination;
    private readonly Rule _operation;
    private readonly KeyedState<(IpAddress Client, IpAddress Server), Pair> _pairs;
    private readonly HashSet<string> _destinations = new(StringComparer.Ordinal);
    private readonly Dictionary<(IpAddress Client, IpAddress Server), string> _operations = [];
    private readonly long _queryWindow;
    private readonly long _studyWindow;
    private readonly long _burstWindow;

    public DicomQueryDetection(DetectionContext context)
    {
        _context = context;
        _harvest = context.Of(DicomRules.QueryHarvesting);
        _bulk = context.Of(DicomRules.BulkRetrieval);
        _destination = context.Of(DicomRules.MoveDestination);
        _operation = context.Of(DicomRules.NewOperation);
        _queryWindow = DetectionContext.Ns(_harvest["window"]);
        _studyWindow = DetectionContext.Ns(_bulk["window"]);
        _burstWindow = DetectionContext.Ns(_bulk["burst"]);
        _pairs = new(MaximumPairs, Math.Max(_queryWindow, _studyWindow));
        foreach (var fact in context.Site.Facts.Keys)
        {
            if (fact is { Kind: FactKind.MoveDestination, Text: { } destination })
                _destinations.Add(destination);
            else if (fact is { Kind: FactKind.DicomOperation, Text: { } operation })
                _operations[(fact.A, fact.B)] = _operations.TryGetValue((fact.A, fact.B), out var others) ? others + ", " + operation : operation;
        }
    }

    private sealed class Pair(DistinctWindow studies, DistinctWindow burst, DistinctWindow walked)
    {
        public readonly DistinctWindow Studies = studies;
        public readonly DistinctWindow Burst = burst;
        public readonly DistinctWindow Walked = walked;
        public WindowSum Queries;
        public WindowSum Broad;
        public WindowSum Results;
        public WindowSum BroadResults;
    }

    /// <summary>True for a query of the modality worklist.</summary>
    public static bool IsWorklist(DicomTransaction transaction) => transaction.SopClass == WorklistFind;

    public void OnTransaction(DicomTransaction transaction)
    {
        CheckOperation(transaction);
        switch (transaction.Event)
        {
            case DicomEvent.CFind when !IsWorklist(transaction):
                OnQuery(transaction);
                break;
            case DicomEvent.CMove:
                CheckDestination(transaction);
                OnRetrieval(transaction);
                break;
            case DicomEvent.CGet:
                OnRetrieval(transaction);
                break;
        }
    }

    /// <summary>Queries and retrievals of who was known for other things at the same server.</summary>
    private void CheckOperation(DicomTransaction transaction)
    {
        var operation = transaction.Event switch
        {
            DicomEvent.CFind => IsWorklist(transaction) ? "worklist C-FIND" : "C-FIND",
            DicomEvent.CMove => "C-MOVE",
            DicomEvent.CGet => "C-GET",
            DicomEvent.CStore => "C-STORE",
            _ => null,
        };
        if (operation is null || _context.Scope.IsOutside(transaction.Server))
            return;
        var fact = new Fact(FactKind.DicomOperation, transaction.Client, transaction.Server, Text: operation);
        if (!_context.Facts.Note(fact, transaction.TimeNs) || operation == "C-STORE" || !_context.Site.IsLearned
            || !_operations.TryGetValue((_context.IdentityOf(transaction.Client), _context.IdentityOf(transaction.Server)), out var before))
            return;
        var confidence = _context.Weigh(FactKind.DicomOperation, transaction.Client, _context.IsExpected(fact) ? ExpectedWeight : NewOperationWeight);
        if (confidence < _operation["confidence"])
            return;
        var open = _context.Observe(_operation, _context.ClientOf(transaction), _context.ServerOf(transaction), transaction.TimeNs, transaction.TimeNs, confidence);
        _context.Emit(open?.Include("operation", operation).Text("before", before), transaction);
    }

    private Pair? PairOf(DicomTransaction transaction) => _pairs.Touch((transaction.Client, transaction.Server), transaction.TimeNs,
        (Studies: _studyWindow, Burst: _burstWindow, Queries: _queryWindow),
        static windows => new Pair(new DistinctWindow(windows.Studies, MaximumStudies), new DistinctWindow(windows.Burst, MaximumStudies), new DistinctWindow(windows.Queries, MaximumStudies)));

    private void OnQuery(DicomTransaction transaction)
    {
        if (PairOf(transaction) is not { } pair)
            return;
        var now = transaction.TimeNs;
        var isBroad = transaction.QueryKeys - transaction.EmptyKeys - transaction.WildcardKeys <= 0;
        _context.Rates.Add(transaction.Client, RateKind.Queries, 1, now);
        pair.Queries.Add(1, now, _queryWindow);
        pair.Results.Add(transaction.PendingResponses, now, _queryWindow);
        var knownBroad = false;
        if (isBroad)
        {
            var fact = new Fact(FactKind.BroadQuery, transaction.Client, transaction.Server);
            _context.Facts.Note(fact, now);
            knownBroad = _context.Facts.IsLearned(fact);
            _context.Rates.Add(transaction.Client, RateKind.BroadResults, transaction.PendingResponses, now);
            pair.Broad.Add(1, now, _queryWindow);
            pair.BroadResults.Add(transaction.PendingResponses, now, _queryWindow);
        }

        var usualQueries = _context.Rates.UsualOf(transaction.Client, RateKind.Queries);
        var usualResults = _context.Rates.UsualOf(transaction.Client, RateKind.BroadResults);
        var many = pair.Queries.Total >= Math.Max(_harvest["queries"], _harvest["factor"] * usualQueries);
        var broad = isBroad && !knownBroad && pair.Broad.Total >= _harvest["broad_queries"];
        var results = isBroad && pair.BroadResults.Total >= Math.Max(_harvest["broad_results"], _harvest["factor"] * usualResults);
        var device = _context.ClientOf(transaction);
        var goesOn = _context.Alerts.Find(_harvest, device, transaction.Server) is not null;
        var walk = IsWalk(transaction, pair, usualQueries);
        if (!many && !broad && !results && !walk && !(goesOn && (isBroad || 2 * pair.Queries.Total >= _harvest["queries"])))
            return;
        var open = _context.Observe(_harvest, device, _context.ServerOf(transaction), pair.Queries.FirstNs, now, broad || results ? 0.9 : 0.7,
            goesOn ? 1 : (long)pair.Queries.Total);
        if (open is null)
            return;
        open.Alert.Protocol = "dicom";
        open.Raise("queries", goesOn ? 1 : pair.Queries.Total, "requests", usualQueries > 0 ? $"up to {usualQueries:0} in {_harvest["window"]} s" : $"fewer than {_harvest["queries"]}")
            .Raise("broad queries", goesOn ? (isBroad ? 1 : 0) : pair.Broad.Total, "requests", knownBroad ? null : "0")
            .Raise("results", goesOn ? transaction.PendingResponses : pair.Results.Total, "results");
        if (transaction.QueryLevel is { } level)
            open.Include("levels", level);
        if (!transaction.Patient.IsNone)
            open.Patient(transaction.Patient);
        open.Flow(transaction);
        _context.Alerts.Emit(open);
    }

    /// <summary>Down the levels of many studies: SERIES and IMAGE queries, study by study.</summary>
    private bool IsWalk(DicomTransaction transaction, Pair pair, double usualQueries)
    {
        if (transaction.QueryLevel is not ("SERIES" or "IMAGE") || transaction.Study.IsNone)
            return false;
        pair.Walked.Add(transaction.Study.Low, transaction.TimeNs);
        return pair.Walked.Count >= _harvest["walked_studies"] && pair.Queries.Total >= _harvest["factor"] * usualQueries;
    }

    private void OnRetrieval(DicomTransaction transaction)
    {
        if (PairOf(transaction) is not { } pair)
            return;
        var now = transaction.TimeNs;
        _context.Rates.Add(transaction.Client, RateKind.Retrievals, 1, now);
        var study = transaction.Study.IsNone ? (ulong)transaction.MessageId ^ ((ulong)transaction.ClientPort << 32) : transaction.Study.Low;
        var isNewInBurst = pair.Burst.Add(study, now);
        if (!pair.Studies.Add(study, now) && !isNewInBurst)
            return;
        var usual = _context.Rates.UsualOf(transaction.Client, RateKind.Retrievals);
        var device = _context.ClientOf(transaction);
        var goesOn = _context.Alerts.Find(_bulk, device, transaction.Server) is not null;
        var part = goesOn ? 2 : 1;
        var isBurst = pair.Burst.Count >= Math.Max(_bulk["burst_studies"], usual) / part;
        if (!isBurst && pair.Studies.Count < Math.Max(_bulk["studies"], _bulk["factor"] * usual) / part)
            return;
        var open = _context.Observe(_bulk, device, _context.ServerOf(transaction), pair.Studies.FirstNs, now, 0.85,
            goesOn ? 1 : pair.Studies.Count);
        if (open is null)
            return;
        open.Alert.Protocol = "dicom";
        open.Raise("studies", goesOn ? 1 : pair.Studies.Count, "studies", usual > 0 ? $"up to {usual:0} in {_bulk["window"]} s" : $"fewer than {_bulk["burst_studies"]} in {_bulk["burst"]} s or {_bulk["studies"]} in {_bulk["window"]} s")
            .Number("period", Math.Ceiling((now - open.Alert.FirstSeenNs) / 1e9), "s");
        if (transaction.MoveDestination is { } destination)
            open.Include("destinations", destination);
        if (!transaction.Patient.IsNone)
            open.Patient(transaction.Patient);
        open.Flow(transaction);
        _context.Alerts.Emit(open);
    }

    private void CheckDestination(DicomTransaction transaction)
    {
        if (transaction.MoveDestination is not { } destination)
            return;
        var now = transaction.TimeNs;
        var fact = new Fact(FactKind.MoveDestination, transaction.Client, transaction.Server, Text: destination);
        _context.Facts.Note(fact, now);
        if (_destinations.Contains(destination))
            return;

        // A client that has images sent to its own title, which is known, or is the first that a station among its like uses.
        if (destination == transaction.CallingAe
            && (_context.IsExpectedUse(transaction) || (_destinations.Count == 0 && _context.IsEarlyWork(transaction.Client, transaction.Server))
                || _context.Facts.IsLearned(new Fact(FactKind.AePair, transaction.Client, transaction.Server, Text: transaction.CallingAe, OtherText: transaction.CalledAe))))
            return;
        var confidence = _context.Weigh(FactKind.MoveDestination, transaction.Client, NewDestinationWeight);
        if (confidence < _destination["confidence"])
            return;
        var open = _context.Observe(_destination, _context.ClientOf(transaction),
            _context.ServerOf(transaction), now, now, confidence);
        if (open is null)
            return;
        open.Alert.Protocol = "dicom";
        open.Include("destination", destination, "a destination of the learned site");
        if (transaction.SubOperations.Completed > 0)
            open.Raise("objects sent", transaction.SubOperations.Completed, "objects");
        if (!transaction.Patient.IsNone)
            open.Patient(transaction.Patient);
        open.Flow(transaction);
        _context.Alerts.Emit(open);
    }
}
