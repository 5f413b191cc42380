using System.Buffers;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Inventory;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Rules;

/// <summary>Who associates with whom under which AE titles: guessing, strangers, defaults, probing, exhaustion, path characters.</summary>
internal sealed class DicomAssociationDetection
{
    /// <summary>Most pairs of client and server watched at once.</summary>
    public const int MaximumPairs = 8192;

    /// <summary>Different titles counted exactly per pair.</summary>
    public const int MaximumTitles = 1024;

    // A-ASSOCIATE-RJ sources (PS3.8 table 9-21).
    private const int SourceUser = 1;
    private const int SourcePresentation = 3;

    private const double StolenTitleWeight = 0.95;
    private const double StrangerWeight = 0.9;
    private const double NewTitleWeight = 0.7;

    private static readonly SearchValues<char> PathCharacters = SearchValues.Create("/\\\uFFFD;|`$<>");

    // Titles that products and tools ship with.
    private static readonly HashSet<string> DefaultTitles = new(StringComparer.OrdinalIgnoreCase)
    {
        "ANY-SCP", "ANYSCP", "ANY_SCP", "ANY-SCU", "ANYSCU", "ANY", "AE_TITLE", "AETITLE", "DEFAULT", "TEST", "TESTSCU", "TESTSCP",
        "STORESCU", "STORESCP", "STORE_SCP", "STORE_SCU", "STORE-SCU", "STORE-SCP", "ECHOSCU", "ECHOSCP", "FINDSCU", "MOVESCU", "GETSCU", "TERMSCU",
        "DCMQRSCP", "DCMTK", "ORTHANC", "DCM4CHEE", "DCM4CHE", "CONQUESTSRV1", "CLEARCANVAS", "PIXELMED", "PYNETDICOM", "GDCMSCU", "GDCM", "HOROS", "OSIRIX",
        "WEASIS", "WEASIS_AE", "RADIANT", "K-PACS", "KPSERVER", "DICOOGLE", "DICOOGLE-STORAGE", "COMMON", "QRSCP", "SERVERAE", "STORAGESCP",
    };

    private readonly DetectionContext _context;
    private readonly Rule _guessing;
    private readonly Rule _unknown;
    private readonly Rule _default;
    private readonly Rule _probing;
    private readonly Rule _exhaustion;
    private readonly Rule _path;
    private readonly KeyedState<(IpAddress Client, IpAddress Server), Pair> _pairs;
    private readonly KeyedState<IpAddress, Prober> _probers;
    private readonly Dictionary<string, IpAddress> _knownTitles = new(StringComparer.Ordinal);
    private readonly HashSet<(IpAddress, string)> _knownTitlesOf = [];
    private readonly HashSet<(IpAddress Archive, IpAddress Client, string Title)> _clients = [];
    private readonly HashSet<IpAddress> _associated = [];
    private readonly long _window;

    public DicomAssociationDetection(DetectionContext context)
    {
        _context = context;
        _guessing = context.Of(DicomRules.AeTitleGuessing);
        _unknown = context.Of(DicomRules.UnknownCallingAe);
        _default = context.Of(DicomRules.DefaultAeTitle);
        _probing = context.Of(DicomRules.ServiceProbing);
        _exhaustion = context.Of(DicomRules.AssociationExhaustion);
        _path = context.Of(DicomRules.PathTraversal);
        _window = DetectionContext.Ns(_guessing["window"]);
        _pairs = new(MaximumPairs, _window);
        _probers = new(MaximumPairs, DetectionContext.Ns(_probing["window"]));
        foreach (var fact in context.Site.Facts.Keys)
        {
            if (fact is not { Kind: FactKind.AePair, Text: { } calling })
                continue;
            if (!_knownTitles.TryGetValue(calling, out var owner) || fact.A < owner)
                _knownTitles[calling] = fact.A;
            _knownTitlesOf.Add((fact.A, calling));
            _clients.Add((fact.B, fact.A, calling));
            _associated.Add(fact.A);
            _associated.Add(fact.B);
        }
    }

    /// <summary>What a client does at a server.</summary>
    private sealed class Pair(DistinctWindow rejected, DistinctWindow accepted)
    {
        public readonly DistinctWindow Rejected = rejected;
        public readonly DistinctWindow Accepted = accepted;
        public WindowSum Refused;
        public int Open;
        public long OpenSinceNs;
    }

    /// <summary>What a client does at all servers without using them.</summary>
    private sealed class Prober(DistinctWindow servers)
    {
        public readonly DistinctWindow Servers = servers;
        public WindowSum Empty;
    }

    public void OnTransaction(DicomTransaction transaction)
    {
        switch (transaction.Event)
        {
            case DicomEvent.AssociateAccept:
                OnAccept(transaction);
                break;
            case DicomEvent.AssociateReject:
            case DicomEvent.AssociateRequest:
                OnRefused(transaction);
                break;
            case DicomEvent.Release:
            case DicomEvent.Abort:
            case DicomEvent.AssociationEnd:
                OnEnd(transaction);
                break;
            case DicomEvent.Fault:
                break;
            case DicomEvent.CEcho:
                Probe(transaction, 0);
                break;
            default:
                // Whoever does real work at a server does not probe it.
                _probers.Find(transaction.Client)?.Servers.Remove(ValueOf(transaction.Server));
                break;
        }
    }

    private void OnAccept(DicomTransaction transaction)
    {
        CheckTitles(transaction);
        var (client, server) = (_context.ClientOf(transaction), _context.ServerOf(transaction));
        if (transaction.PartialAssociation)
            return;
        var now = transaction.TimeNs;
        var pair = PairOf(transaction);
        if (pair is not null)
        {
            if (pair.Open++ == 0)
                pair.OpenSinceNs = now;
            if (pair.Open >= _exhaustion["open"])
                TellExhaustion(transaction, pair);
            var learned = _context.Facts.IsLearned(FactOf(transaction));
            if (!learned && pair.Accepted.Add(TitlesOf(transaction), now) && pair.Accepted.Count >= _guessing["accepted_titles"])
                TellGuessing(transaction, pair);
        }

        foreach (var title in (ReadOnlySpan<string?>)[transaction.CallingAe, transaction.CalledAe])
        {
            if (title is null || !DefaultTitles.Contains(title))
                continue;
            var isCalling = title == transaction.CallingAe;
            if (_context.Scope.IsOutside(isCalling ? transaction.Client : transaction.Server))
                continue;
            var open = _context.Observe(_default, isCalling ? client : server, isCalling ? server : client, now, now, 0.9);
            if (open is null)
                continue;
            open.Alert.Protocol = "dicom";
            open.Include("AE title", title, "a title of the site's own").Flow(transaction);
            _context.Alerts.Emit(open);
        }

        CheckCaller(transaction, client, server);
    }

    /// <summary>Is the calling title known, and from this address?</summary>
    private void CheckCaller(DicomTransaction transaction, in Alerts.Party client, in Alerts.Party server)
    {
        var fact = FactOf(transaction);
        var isNew = _context.Facts.Note(fact, transaction.TimeNs);
        if (!_context.Site.IsLearned || transaction.CallingAe is not { } calling || _knownTitlesOf.Contains((_context.IdentityOf(transaction.Client), calling)))
            return;
        if (!isNew && _context.Alerts.Find(_unknown, client, server.Address) is null)
            return;

        // An archive sends its own client, under the title by which that asks, what a C-MOVE asked for (PS3.4 C.4.2).
        if (transaction.CalledAe is { } called && _clients.Contains((_context.IdentityOf(transaction.Client), _context.IdentityOf(transaction.Server), called)))
            return;
        var stolen = _knownTitles.TryGetValue(calling, out var owner);
        var isStranger = _context.Devices.Find(transaction.Client) is not { IsLearned: true };
        var weight = stolen ? StolenTitleWeight : isStranger ? StrangerWeight : NewTitleWeight;
        if (!stolen && (_context.IsExpectedUse(transaction) || IsFirstWork(transaction)))
            weight *= Kin.Factor;
        var confidence = _context.Weigh(FactKind.AePair, transaction.Client, weight);
        if (confidence < _unknown["confidence"])
            return;
        var open = _context.Observe(_unknown, client, server, transaction.TimeNs, transaction.TimeNs, confidence);
        if (open is null)
            return;
        open.Alert.Protocol = "dicom";
        open.Include("calling AE title", calling).Include("known as", stolen ? $"is the title of {owner}" : "was never used at this site").Flow(transaction);
        _context.Alerts.Emit(open);
    }

    /// <summary>Two known devices of which nothing could be learned, since neither had an association in the minutes of learning.</summary>
    private bool IsFirstWork(DicomTransaction transaction) =>
        !_associated.Contains(_context.IdentityOf(transaction.Client)) && !_associated.Contains(_context.IdentityOf(transaction.Server))
        && _context.IsEarlyWork(transaction.Client, transaction.Server);

    private void OnRefused(DicomTransaction transaction)
    {
        CheckTitles(transaction);
        if (PairOf(transaction) is not { } pair || transaction.PartialAssociation)
            return;
        var now = transaction.TimeNs;
        if (transaction is { Event: DicomEvent.AssociateReject, Source: SourcePresentation })
        {
            pair.Refused.Add(1, now, DetectionContext.Ns(_exhaustion["window"]));
            if (pair.Refused.Total >= _exhaustion["refused"])
                TellExhaustion(transaction, pair);
            return;
        }

        if (transaction.Event == DicomEvent.AssociateReject && transaction.Source != SourceUser)
            return;
        if (_context.Facts.IsLearned(FactOf(transaction)))
            return;
        if (pair.Rejected.Add(TitlesOf(transaction), now) && pair.Rejected.Count >= _guessing["titles"])
            TellGuessing(transaction, pair);
    }

    private void OnEnd(DicomTransaction transaction)
    {
        if (_pairs.Find((transaction.Client, transaction.Server)) is { Open: > 0 } pair)
            pair.Open--;

        // Who keeps an association waits for something: it is no probe when its connection ends at last.
        if (transaction is { Operations: 0, PartialAssociation: false, CallingAe: not null } && transaction.DurationNs < DetectionContext.Ns(_probing["window"]))
            Probe(transaction, 1);
    }

    /// <summary>An association in which nothing was done, or only C-ECHO.</summary>
    private void Probe(DicomTransaction transaction, int empty)
    {
        if (_context.Facts.IsLearned(FactOf(transaction)))
            return;
        if (_probers.Touch(transaction.Client, transaction.TimeNs, _probing, static rule => new Prober(new DistinctWindow(DetectionContext.Ns(rule["window"]), MaximumTitles)))
            is not { } prober)
            return;
        var now = transaction.TimeNs;
        prober.Servers.Add(ValueOf(transaction.Server), now);
        if (empty > 0)
            prober.Empty.Add(empty, now, DetectionContext.Ns(_probing["window"]));
        if (prober.Servers.Count < _probing["servers"] && prober.Empty.Total < _probing["empty_associations"])
            return;
        var open = _context.Observe(_probing, _context.ClientOf(transaction),
            _context.ServerOf(transaction), prober.Servers.FirstNs, now, 0.7);
        if (open is null)
            return;
        open.Alert.Protocol = "dicom";
        open.Number("associations", Math.Max(open.Alert.Count, prober.Empty.Total), "associations").Number("servers", prober.Servers.Count, "servers",
            $"fewer than {_probing["servers"]}").Flow(transaction);
        _context.Alerts.Emit(open);
    }

    private void TellGuessing(DicomTransaction transaction, Pair pair)
    {
        var first = pair.Rejected.Count == 0 ? pair.Accepted.FirstNs : pair.Rejected.FirstNs;
        var open = _context.Observe(_guessing, _context.ClientOf(transaction),
            _context.ServerOf(transaction), first, transaction.TimeNs, 0.9);
        if (open is null)
            return;
        open.Alert.Protocol = "dicom";
        open.Number("titles", pair.Rejected.Count + pair.Accepted.Count, "pairs of titles", $"fewer than {_guessing["titles"]} refused")
            .Number("rejected", pair.Rejected.Count, "pairs of titles").Number("accepted", pair.Accepted.Count, "pairs of titles").Flow(transaction);
        _context.Alerts.Emit(open);
    }

    private void TellExhaustion(DicomTransaction transaction, Pair pair)
    {
        var open = _context.Observe(_exhaustion, _context.ClientOf(transaction),
            _context.ServerOf(transaction), pair.OpenSinceNs == 0 ? transaction.TimeNs : pair.OpenSinceNs, transaction.TimeNs, 0.8);
        if (open is null)
            return;
        open.Alert.Protocol = "dicom";
        open.Number("open", pair.Open, "associations", $"fewer than {_exhaustion["open"]}").Number("refused", pair.Refused.Total, "associations", "0")
            .Flow(transaction);
        _context.Alerts.Emit(open);
    }

    private void CheckTitles(DicomTransaction transaction)
    {
        var calling = HasPathCharacters(transaction.CallingAe);
        if (!calling && !HasPathCharacters(transaction.CalledAe))
            return;
        var open = _context.Observe(_path, _context.ClientOf(transaction),
            _context.ServerOf(transaction), transaction.TimeNs, transaction.TimeNs, 0.8);
        if (open is null)
            return;
        open.Alert.Protocol = "dicom";
        open.Include("field", calling ? "calling AE title" : "called AE title").Flow(transaction);
        _context.Alerts.Emit(open);
    }

    private static bool HasPathCharacters(string? title) =>
        title is not null && (title.AsSpan().ContainsAny(PathCharacters) || title.Contains("..", StringComparison.Ordinal));

    private static Fact FactOf(DicomTransaction transaction) =>
        new(FactKind.AePair, transaction.Client, transaction.Server, Text: transaction.CallingAe, OtherText: transaction.CalledAe);

    private Pair? PairOf(DicomTransaction transaction) => _pairs.Touch((transaction.Client, transaction.Server), transaction.TimeNs,
        _window, static window => new Pair(new DistinctWindow(window, MaximumTitles), new DistinctWindow(window, MaximumTitles)));

    private static ulong TitlesOf(DicomTransaction transaction) => Fingerprint.Of(transaction.CallingAe, transaction.CalledAe);

    private static ulong ValueOf(IpAddress address) => Fingerprint.Of(address);
}
