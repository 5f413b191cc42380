using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Rules;

/// <summary>Who sends HL7, as whom, and what kinds of messages.</summary>
internal sealed class Hl7SenderDetection
{
    /// <summary>Most names, and most message codes, remembered of what devices were sent.</summary>
    public const int MaximumReceived = 65_536;

    private const double StrangerWeight = 0.95;
    private const double StolenNameWeight = 0.8;
    private const double NewNameWeight = 0.6;
    private const double NewTypeWeight = 0.55;

    private readonly DetectionContext _context;
    private readonly Rule _sender;
    private readonly Rule _type;
    private readonly HashSet<IpAddress> _knownSenders = [];
    private readonly HashSet<(string?, string?)> _knownNames = [];

    // What a device was sent it may pass on: an engine speaks in the names, and of the events, of others.
    private readonly HashSet<(IpAddress Receiver, string? Application, string? Facility)> _received = [];
    private readonly HashSet<(IpAddress Receiver, string Code)> _receivedCodes = [];

    public Hl7SenderDetection(DetectionContext context)
    {
        _context = context;
        _sender = context.Of(Hl7Rules.NewSender);
        _type = context.Of(Hl7Rules.NewType);
        foreach (var fact in context.Site.Facts.Keys)
        {
            if (fact is { Kind: FactKind.Hl7Type, Text: { } code } && _receivedCodes.Count < MaximumReceived)
                _receivedCodes.Add((fact.B, code));
            if (fact.Kind != FactKind.Hl7Sender)
                continue;
            _knownSenders.Add(fact.A);
            _knownNames.Add((fact.Text, fact.OtherText));
        }
    }

    public void OnTransaction(Hl7Transaction transaction)
    {
        if (transaction.Event != Hl7Event.Message)
            return;
        var device = _context.PartyOf(transaction.Client, transaction.ClientMac);
        var peer = _context.PartyOf(transaction.Server, transaction.ServerMac);
        CheckSender(transaction, device, peer);
        CheckType(transaction, device, peer);
        var receiver = _context.IdentityOf(transaction.Server);
        if (_received.Count < MaximumReceived)
            _received.Add((receiver, transaction.SendingApplication, transaction.SendingFacility));
        if (CodeOf(transaction) is { } code && _receivedCodes.Count < MaximumReceived)
            _receivedCodes.Add((receiver, code));
    }

    /// <summary>The message code, the first component of MSH-9.</summary>
    public static string? CodeOf(Hl7Transaction transaction)
    {
        var type = transaction.MessageType;
        var end = type?.IndexOf('^', StringComparison.Ordinal) ?? -1;
        if (end <= 0)
            return type;

        // The usual ones cost no allocation.
        return type.AsSpan(0, end) switch
        {
            "ADT" => "ADT",
            "ORU" => "ORU",
            "ORM" => "ORM",
            "SIU" => "SIU",
            "MDM" => "MDM",
            "DFT" => "DFT",
            "OML" => "OML",
            "OMG" => "OMG",
            "OUL" => "OUL",
            "RDE" => "RDE",
            "VXU" => "VXU",
            "QBP" => "QBP",
            "RSP" => "RSP",
            _ => type![..end],
        };
    }

    private void CheckSender(Hl7Transaction transaction, in Party device, in Party peer)
    {
        var fact = new Fact(FactKind.Hl7Sender, transaction.Client, Text: transaction.SendingApplication, OtherText: transaction.SendingFacility);
        _context.Facts.Note(fact, transaction.TimeNs);
        var identity = _context.IdentityOf(transaction.Client);
        if (!_context.Site.IsLearned || _context.Facts.IsLearned(fact) || _context.Scope.IsOutside(transaction.Server))
            return;
        var stranger = !_knownSenders.Contains(identity);
        if (!stranger && _received.Contains((identity, fact.Text, fact.OtherText)))
            return;
        var weight = stranger ? StrangerWeight : _knownNames.Contains((fact.Text, fact.OtherText)) ? StolenNameWeight : NewNameWeight;
        var confidence = _context.Weigh(FactKind.Hl7Sender, transaction.Client, weight);
        if (confidence < _sender["confidence"])
            return;
        var open = _context.Observe(_sender, device, peer, transaction.TimeNs, transaction.TimeNs, confidence);
        if (open is null)
            return;
        open.Alert.Protocol = "hl7";
        open.Include("sender", $"{fact.Text ?? "(no application)"} of {fact.OtherText ?? "(no facility)"}", stranger ? "this address sent no HL7" : "its own names")
            .Include("message types", transaction.MessageType ?? "?").Patient(transaction.Patient).Flow(transaction);
        _context.Alerts.Emit(open);
    }

    private void CheckType(Hl7Transaction transaction, in Party device, in Party peer)
    {
        if (CodeOf(transaction) is not { } code)
            return;
        var fact = new Fact(FactKind.Hl7Type, transaction.Client, transaction.Server, Text: code);
        _context.Facts.Note(fact, transaction.TimeNs);
        if (!_context.Site.IsLearned || _context.Facts.IsLearned(fact) || _context.Scope.IsOutside(transaction.Server)
            || !_knownSenders.Contains(_context.IdentityOf(transaction.Client)) || _receivedCodes.Contains((_context.IdentityOf(transaction.Client), code)))
            return;
        var confidence = _context.Weigh(FactKind.Hl7Type, transaction.Client, NewTypeWeight);
        if (confidence < _type["confidence"])
            return;
        var open = _context.Observe(_type, device, peer, transaction.TimeNs, transaction.TimeNs, confidence);
        if (open is null)
            return;
        open.Alert.Protocol = "hl7";
        open.Include("message type", transaction.MessageType ?? code, "the types of this link while the site was learned")
            .Patient(transaction.Patient).Flow(transaction);
        _context.Alerts.Emit(open);
    }
}
