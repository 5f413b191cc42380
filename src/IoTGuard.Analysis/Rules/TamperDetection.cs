using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Rules;

/// <summary>Images and messages that pass a second time, on another hop, with other content.</summary>
internal sealed class TamperDetection
{
    /// <summary>Images, and messages, remembered: a newer one takes the place of an older one with the same place in the table.</summary>
    public const int MaximumSightings = 65_536;

    /// <summary>Most hops (client, server, kind of message) watched at once.</summary>
    public const int MaximumHops = 8192;

    private readonly DetectionContext _context;
    private readonly Rule _image;
    private readonly Rule _message;
    private readonly Sightings _images = new();
    private readonly Sightings _messages = new();
    private readonly HashSet<IpAddress> _knownSenders = [];
    private readonly KeyedState<Hop, Passed> _hops = new(MaximumHops, 86_400_000_000_000);

    private readonly record struct Hop(IpAddress Client, IpAddress Server, ulong Kind);

    private sealed class Passed
    {
        public long Unchanged;
        public long Changed;

        /// <summary>Where it is noted that the hop changes content, as of a version of the inventory, and whether it did so while the site was learned.</summary>
        public SeenFact? Finding;
        public int Version;
        public bool IsUsual;
    }

    public TamperDetection(DetectionContext context)
    {
        _context = context;
        _image = context.Of(DicomRules.ImageChanged);
        _message = context.Of(Hl7Rules.MessageChanged);
        foreach (var fact in context.Site.Facts.Keys)
        {
            if (fact.Kind == FactKind.Hl7Sender)
                _knownSenders.Add(fact.A);
        }
    }

    public void OnTransaction(DicomTransaction transaction)
    {
        if (transaction.Event != DicomEvent.CStore || transaction.PixelPrint == 0 || transaction.Instance.IsNone)
            return;

        // Another transfer syntax has other bytes for the same pixels.
        var key = transaction.Instance.Low ^ Fingerprint.Of(transaction.TransferSyntax, other: null);
        if (!_images.IsChanged(key, transaction.PixelPrint, transaction, out var first) || _context.IsUsual(_image, transaction, out _))
            return;
        Emit(Observe(_image, transaction, 0.75)?.Patient(transaction.Patient), transaction, first);
    }

    public void OnTransaction(Hl7Transaction transaction)
    {
        if (transaction.Event != Hl7Event.Message || transaction.ControlId.Length == 0 || transaction.Patients + transaction.Observations == 0)
            return;
        var key = Fingerprint.Of(transaction.SendingApplication, transaction.ControlId.Bytes);
        var isChanged = _messages.IsChanged(key, transaction.Content.Value, transaction, out var first);

        // Control ids come again after a time, and on the same link when a message is sent again: only what is passed on at once can be compared.
        if (first.TimeNs == 0 || transaction.TimeNs - first.TimeNs > DetectionContext.Ns(_message["window"]) || first.IsOf(transaction))
            return;
        if (_hops.Touch(new Hop(transaction.Client, transaction.Server, Fingerprint.Of(transaction.MessageType, other: null)), transaction.TimeNs, static () => new Passed()) is not { } passed)
            return;
        if (!isChanged)
        {
            passed.Unchanged++;
            return;
        }

        passed.Changed++;
        if (IsUsual(passed, transaction))
            return;

        // An engine translates what it passes on. Who passed messages on unchanged, or never sent any, has no reason to.
        var isStranger = _context.Site.IsLearned && !_knownSenders.Contains(_context.IdentityOf(transaction.Client));
        if (!isStranger && (passed.Unchanged < _message["unchanged"] || passed.Unchanged < _message["share"] * passed.Changed))
            return;
        Emit(Observe(_message, transaction, 0.7)?.Patient(transaction.Patient), transaction, first);
    }

    /// <summary>Does a hop usually change messages? Found out once while both ends stay the devices that they are.</summary>
    private bool IsUsual(Passed passed, Transaction transaction)
    {
        if (passed.Finding is { } known && passed.Version == _context.Devices.Version)
        {
            known.Again(transaction.TimeNs);
            return passed.IsUsual;
        }

        passed.IsUsual = _context.IsUsual(_message, transaction, out var seen);
        passed.Finding = _context.Devices.Find(transaction.Client) is null || _context.Devices.Find(transaction.Server) is null ? null : seen;
        passed.Version = _context.Devices.Version;
        return passed.IsUsual;
    }

    private OpenAlert? Observe(Rule rule, Transaction transaction, double confidence) =>
        _context.Observe(rule, _context.ClientOf(transaction), _context.ServerOf(transaction), transaction.TimeNs, transaction.TimeNs, confidence);

    private void Emit(OpenAlert? open, Transaction transaction, in Sighting first)
    {
        open?.Number("changed", open.Alert.Count, transaction is DicomTransaction ? "images" : "messages", "0")
            .Include("first sent", $"{_context.NameOf(_context.PartyOf(first.Client, default))} to {_context.NameOf(_context.PartyOf(first.Server, default))}");
        _context.Emit(open, transaction);
    }

    /// <summary>Where an image or a message was seen first, and what stands for its content.</summary>
    private readonly record struct Sighting(ulong Key, ulong Print, long TimeNs, IpAddress Client, IpAddress Server)
    {
        public bool IsOf(Transaction transaction) => Client == transaction.Client && Server == transaction.Server;
    }

    /// <summary>A table with one place for each of its keys' remainders, made when the first is seen.</summary>
    private sealed class Sightings
    {
        private Sighting[] _places = [];

        /// <summary>True when the same thing was seen before with other content; else it is remembered, if it is new.</summary>
        /// <param name="key">Which image or message; well mixed.</param>
        /// <param name="print">Its content.</param>
        /// <param name="transaction">Where and when it passes.</param>
        /// <param name="first">Receives where it was seen first; default when it is new.</param>
        public bool IsChanged(ulong key, ulong print, Transaction transaction, out Sighting first)
        {
            if (_places.Length == 0)
                _places = new Sighting[MaximumSightings];
            ref var place = ref _places[key & (MaximumSightings - 1)];
            first = default;
            if (place.Key != key || place.TimeNs == 0)
            {
                place = new Sighting(key, print, transaction.TimeNs, transaction.Client, transaction.Server);
                return false;
            }

            first = place;
            if (transaction is Hl7Transaction && first.IsOf(transaction))
                place = place with { Print = print, TimeNs = transaction.TimeNs };
            return first.Print != print;
        }
    }
}
