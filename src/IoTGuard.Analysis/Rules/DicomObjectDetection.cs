using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Inventory;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Application.Files;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Rules;

/// <summary>What is stored: kinds of objects that a sender never sent, floods, images that claim more than they carry.</summary>
internal sealed class DicomObjectDetection
{
    /// <summary>Most senders watched at once.</summary>
    public const int MaximumSenders = 8192;

    /// <summary>Examinations counted exactly, per sender.</summary>
    private const int MaximumExaminations = 1024;

    // One object a slice: a study holds hundreds or thousands (PS3.4 B.5).
    private static readonly HashSet<string> SliceClasses = new(StringComparer.Ordinal)
    {
        "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.128",
    };

    /// <summary>A flood began where this part of what makes it one was reached.</summary>
    private const double BurstShare = 10;

    private const double StrangerWeight = 0.85;
    private const double NewAtSiteWeight = 0.75;
    private const double KnownAtSiteWeight = 0.45;
    private const double ExpectedWeight = 0.25;

    private readonly DetectionContext _context;
    private readonly Rule _class;
    private readonly Rule _flood;
    private readonly Rule _bomb;
    private readonly Rule _program;
    private readonly HashSet<string> _siteClasses = new(StringComparer.Ordinal);
    private readonly HashSet<IpAddress> _knownSenders = [];
    private readonly KeyedState<IpAddress, Sender> _senders;
    private readonly long _window;
    private readonly Func<Sender> _makeSender;

    public DicomObjectDetection(DetectionContext context)
    {
        _context = context;
        _class = context.Of(DicomRules.NewSopClass);
        _flood = context.Of(DicomRules.StoreFlood);
        _bomb = context.Of(DicomRules.PixelBomb);
        _program = context.Of(WebRules.DisguisedProgram);
        _window = DetectionContext.Ns(_flood["window"]);
        _senders = new(MaximumSenders, _window);
        _makeSender = () => new Sender(_window);
        foreach (var fact in context.Site.Facts.Keys)
        {
            if (fact is not { Kind: FactKind.SopClass, Text: { } sopClass })
                continue;
            _siteClasses.Add(sopClass);
            _knownSenders.Add(fact.A);
        }
    }

    private sealed class Sender(long windowNs)
    {
        public readonly DistinctWindow Examinations = new(windowNs, MaximumExaminations);
        public WindowSum Objects;
    }

    public void OnTransaction(DicomTransaction transaction)
    {
        if (transaction.Event != DicomEvent.CStore)
            return;
        CheckClass(transaction);
        CountObjects(transaction);
        CheckPixels(transaction);
        CheckProgram(transaction);
    }

    private void CheckClass(DicomTransaction transaction)
    {
        if (transaction.SopClass is not { } sopClass)
            return;
        var fact = new Fact(FactKind.SopClass, transaction.Client, Text: sopClass);
        var isNew = _context.Facts.Note(fact, transaction.TimeNs);
        if (!isNew || !_context.Site.IsLearned || _context.Scope.IsOutside(transaction.Server))
            return;

        // Of a new device everything is new.
        if (PassesOn(transaction) || (_context.Devices.Find(transaction.Client) is { } sender && _context.IsNewcomer(sender, transaction.TimeNs)))
            return;
        var confidence = _context.Weigh(FactKind.SopClass, transaction.Client, WeightOf(fact, sopClass, transaction.Server));
        if (confidence < _class["confidence"])
            return;
        var open = Observe(_class, transaction, transaction.TimeNs, confidence);
        if (open is null)
            return;
        open.Include("SOP class", sopClass, "the classes that it sent while the site was learned").Patient(transaction.Patient).Flow(transaction);
        _context.Alerts.Emit(open);
    }

    private double WeightOf(in Fact fact, string sopClass, IpAddress server)
    {
        if (_knownSenders.Contains(_context.IdentityOf(fact.A)))
            return _siteClasses.Contains(sopClass) ? KnownAtSiteWeight : NewAtSiteWeight;

        // A known modality that made no image while the site was learned makes its first one now.
        return _context.Devices.Find(fact.A) is { IsLearned: true, Role.Role: DeviceRole.Modality } || _context.IsExpected(fact) || _context.IsEarlyWork(fact.A, server)
            ? ExpectedWeight
            : StrangerWeight;
    }

    private void CountObjects(DicomTransaction transaction)
    {
        if (transaction.MoveOriginator is not null)
            return;
        var now = transaction.TimeNs;
        _context.Rates.Add(transaction.Client, RateKind.Stores, 1, now);
        if (_senders.Touch(transaction.Client, now, _makeSender) is not { } sender)
            return;
        var usual = _context.Rates.UsualOf(transaction.Client, RateKind.Stores);
        var threshold = ThresholdOf(transaction, usual);
        sender.Objects.Add(1, now, _window, threshold / BurstShare);
        sender.Examinations.Add(transaction.Patient.Low ^ (31 * transaction.Study.Low), now);
        var isCrowd = sender.Examinations.Count >= _flood["examinations"] && sender.Objects.Total > _flood["factor"] * usual && !PassesOn(transaction);
        if (sender.Objects.Total < threshold && !isCrowd)
            return;
        var open = Observe(_flood, transaction, isCrowd ? sender.Examinations.FirstNs : sender.Objects.RiseNs, 0.7);
        if (open is null)
            return;
        open.Number("objects", sender.Objects.Total, "objects", usual > 0 ? $"up to {usual:0}" : $"fewer than {threshold}")
            .Number("examinations", sender.Examinations.Count, "examinations", $"fewer than {_flood["examinations"]}").Number("period", _flood["window"], "s")
            .Patient(transaction.Patient).Flow(transaction);
        _context.Alerts.Emit(open);
    }

    /// <summary>An archive passes on whatever it was given, as fast as it was given.</summary>
    private bool PassesOn(DicomTransaction transaction) => _context.Devices.Find(transaction.Client) is { Role.Role: DeviceRole.Pacs };

    private double ThresholdOf(DicomTransaction transaction, double usual)
    {
        if (usual <= 0 || PassesOn(transaction))
            return _flood["objects"];
        var isMany = transaction.SopClass is { } sopClass && SliceClasses.Contains(sopClass);
        return Math.Max(_flood[isMany ? "learned_slices" : "learned_objects"], _flood["factor"] * usual);
    }

    private void CheckProgram(DicomTransaction transaction)
    {
        if (transaction.Program == FileKind.Unknown || Observe(_program, transaction, transaction.TimeNs, 0.9) is not { } open)
            return;
        open.Include("what", $"{FileKinds.NameOf(transaction.Program).Replace('_', ' ')} inside a DICOM object").Patient(transaction.Patient).Flow(transaction);
        _context.Alerts.Emit(open);
    }

    private void CheckPixels(DicomTransaction transaction)
    {
        var claimed = transaction.ExpectedPixelBytes;
        if (claimed < _bomb["claimed"] || claimed < _bomb["factor"] * Math.Max(1, transaction.DataSetBytes))
            return;
        var open = Observe(_bomb, transaction, transaction.TimeNs, 0.8);
        if (open is null)
            return;
        open.Number("claimed", claimed, "bytes").Number("carried", transaction.DataSetBytes, "bytes", $"{Alerts.Measure.Format(claimed)} or a little more")
            .Patient(transaction.Patient).Flow(transaction);
        _context.Alerts.Emit(open);
    }

    private Alerts.OpenAlert? Observe(Rule rule, DicomTransaction transaction, long firstNs, double confidence)
    {
        var open = _context.Observe(rule, _context.ClientOf(transaction),
            _context.ServerOf(transaction), firstNs, transaction.TimeNs, confidence);
        if (open is not null)
            open.Alert.Protocol = "dicom";
        return open;
    }
}
