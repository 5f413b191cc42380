using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Rules;

/// <summary>Medical records over HTTP: listed, fetched, exported, deleted.</summary>
internal sealed class WebRecords(DetectionContext context) : TransactionDetection
{
    /// <summary>Most pairs of client and server watched at once.</summary>
    public const int MaximumPairs = 8192;

    /// <summary>Different studies and objects counted exactly per pair.</summary>
    public const int MaximumObjects = 4096;

    private readonly Rule _harvest = context.Of(WebRules.Harvesting);
    private readonly Rule _export = context.Of(WebRules.BulkExport);
    private readonly Rule _deletion = context.Of(WebRules.Deletion);
    private readonly KeyedState<(IpAddress Client, IpAddress Server), Pair> _pairs = new(MaximumPairs, 600_000_000_000);

    private sealed class Pair(long windowNs)
    {
        /// <summary>Resources that were listed as a whole.</summary>
        public readonly DistinctWindow Levels = new(windowNs, 16);
        public readonly DistinctWindow Studies = new(windowNs, MaximumObjects);
        public readonly DistinctWindow Files = new(windowNs, MaximumObjects);
        public WindowSum Lists;
        public WindowSum Deleted;
    }

    /// <summary>True for a request for patients' data, or for what leads to it.</summary>
    public static bool IsRecords(in HttpFacts facts) => facts.Service switch
    {
        HttpService.DicomWeb => true,
        HttpService.Fhir => facts.Operation is not ("capabilities" or null) && facts.Resource is not ("StructureDefinition" or "ValueSet" or "CodeSystem" or "CapabilityStatement"),
        HttpService.Orthanc => facts.Resource is "patients" or "studies" or "series" or "instances" || facts is { Resource: "tools", Operation: "find" or "lookup" },
        _ => false,
    };

    public override void OnTransaction(Transaction transaction, long timeNs)
    {
        if (transaction is not HttpTransaction { Event: HttpEvent.Request, IsSuccess: true } request || !IsRecords(in request.Facts))
            return;
        ref readonly var facts = ref request.Facts;
        if (facts.Operation == "export")
            OnExport(request);
        if (_pairs.Touch((request.Client, request.Server), request.TimeNs, _harvest, static rule => new Pair(DetectionContext.Ns(rule["window"]))) is not { } pair)
            return;
        if (facts.Operation == "delete")
            OnDeletion(request, pair);
        else
            OnRead(request, pair);
    }

    private OpenAlert? Observe(Rule rule, Transaction transaction, double confidence, long firstNs, long count = 1)
    {
        var open = context.Observe(rule, context.ClientOf(transaction), context.ServerOf(transaction),
            Math.Min(firstNs, transaction.TimeNs), transaction.TimeNs, confidence, count);
        if (open is null)
            return null;
        open.Alert.Protocol = transaction.Protocol;
        return open.Flow(transaction);
    }

    private void OnRead(HttpTransaction request, Pair pair)
    {
        ref readonly var facts = ref request.Facts;
        var now = request.TimeNs;
        var window = DetectionContext.Ns(_harvest["window"]);
        var isFetch = facts.Operation is "retrieve" or "wado_uri" or "bulkdata";
        if (!facts.IsBroad && !isFetch && facts.Study.IsNone)
            return;
        if (facts.IsBroad)
        {
            pair.Lists.Add(1, now, window);
            pair.Levels.Add(Fingerprint.Of(facts.Resource, ""), now);
        }

        pair.Levels.Rotate(now);
        pair.Studies.Rotate(now);
        pair.Files.Rotate(now);
        if (!facts.Study.IsNone)
            pair.Studies.Add(facts.Study.Low, now);
        if (isFetch)
            pair.Files.Add(facts.PathHash ^ facts.Instance.Low, now);

        // A server that is listed or mirrored every day was so while the site was learned.
        var fact = new Fact(FactKind.BroadQuery, request.Client, request.Server, Text: "http");
        var isMuch = pair.Studies.Count >= _harvest["studies"] || pair.Files.Count >= _harvest["files"];
        var isWalk = pair.Levels.Count >= _harvest["levels"] || pair.Lists.Total >= _harvest["lists"]
            || (pair.Levels.Count >= 2 && pair.Files.Count >= _harvest["fetched_after_list"]);
        if (isMuch || isWalk || pair.Levels.Count >= 2 || 2 * pair.Files.Count >= _harvest["files"] || 2 * pair.Studies.Count >= _harvest["studies"])
            context.Facts.Note(fact, now);
        if (!(isMuch || isWalk) || context.Facts.IsLearned(fact))
            return;
        if (Observe(_harvest, request, isWalk ? 0.85 : 0.7, pair.Lists.FirstNs == 0 ? now : pair.Lists.FirstNs) is not { } open)
            return;
        open.Number("lists", Math.Max(pair.Lists.Total, 0), "requests", $"fewer than {_harvest["lists"]}")
            .Number("objects", Math.Max(pair.Files.Count, pair.Studies.Count), "objects", $"fewer than {_harvest["files"]}")
            .Include("services", HttpTransaction.NameOf(facts.Service));
        open.Include("levels", facts.Resource ?? "records");
        if (!facts.Patient.IsNone)
            open.Patient(facts.Patient);
        context.Alerts.Emit(open);
    }

    private void OnExport(HttpTransaction request)
    {
        var fact = new Fact(FactKind.BroadQuery, request.Client, request.Server, Text: "fhir-export");
        context.Facts.Note(fact, request.TimeNs);
        if (context.Facts.IsLearned(fact))
            return;
        if (Observe(_export, request, 0.8, request.TimeNs) is { } open)
            context.Alerts.Emit(open.Include("resource", request.Facts.Resource ?? "everything"));
    }

    private void OnDeletion(HttpTransaction request, Pair pair)
    {
        pair.Deleted.Add(1, request.TimeNs, DetectionContext.Ns(_deletion["window"]));
        if (pair.Deleted.Total < _deletion[request.IsUnauthenticated ? "deleted" : "authenticated"])
            return;
        if (Observe(_deletion, request, request.IsUnauthenticated ? 0.85 : 0.6, pair.Deleted.FirstNs) is not { } open)
            return;
        open.Number("deleted", Math.Max(open.Alert.Count, pair.Deleted.Total), "records").Include("resources", request.Facts.Resource ?? "records");
        if (!request.Facts.Patient.IsNone)
            open.Patient(request.Facts.Patient);
        context.Alerts.Emit(open);
    }
}
