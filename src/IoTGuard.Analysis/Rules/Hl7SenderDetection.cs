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

    /// <param name="transaction">A transaction; only messages count.</param>
    /// <param name="link">Its link. What was found to be nothing to tell stays so, and is kept there.</param>
    public void OnTransaction(Hl7Transaction transaction, Hl7Link? link)
    {
        if (transaction.Event != Hl7Event.Message)
            return;
        if (link is { Sender: { } sender } && link.Application == transaction.SendingApplication && link.Facility == transaction.SendingFacility)
        {
            sender.Again(transaction.TimeNs);
        }
        else
        {
            var seen = CheckSender(transaction);
            if (link is not null)
                (link.Sender, link.Application, link.Facility) = (seen, transaction.SendingApplication, transaction.SendingFacility);
            if (_received.Count < MaximumReceived)
                _received.Add((_context.IdentityOf(transaction.Server), transaction.SendingApplication, transaction.SendingFacility));
        }

        if (link?.TypeOf(transaction.MessageType) is { } type)
        {
            type.Fact.Again(transaction.TimeNs);
        }
        else if (CodeOf(transaction) is { } code)
        {
            if (CheckType(transaction, code) is { } seen && link is not null)
                link.Keep(new Hl7LinkType(transaction.MessageType, code, seen));
            if (_receivedCodes.Count < MaximumReceived)
                _receivedCodes.Add((_context.IdentityOf(transaction.Server), code));
        }
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

    /// <summary>Returns where the sender is noted when there is, and always will be, nothing to tell.</summary>
    private SeenFact? CheckSender(Hl7Transaction transaction)
    {
        var fact = new Fact(FactKind.Hl7Sender, transaction.Client, Text: transaction.SendingApplication, OtherText: transaction.SendingFacility);
        _context.Facts.Note(fact, transaction.TimeNs, out var seen);
        var identity = _context.IdentityOf(transaction.Client);
        if (!_context.Site.IsLearned || _context.Facts.IsLearned(fact) || _context.Scope.IsOutside(transaction.Server))
            return seen;
        var stranger = !_knownSenders.Contains(identity);
        if (!stranger && _received.Contains((identity, fact.Text, fact.OtherText)))
            return seen;
        var isTaken = _knownNames.Contains((fact.Text, fact.OtherText));
        var weight = stranger ? StrangerWeight : isTaken ? StolenNameWeight : NewNameWeight;
        if (stranger && !isTaken && _context.IsExpectedUse(transaction))
            weight *= Kin.Factor;
        var confidence = _context.Weigh(FactKind.Hl7Sender, transaction.Client, weight);
        if (confidence < _sender["confidence"])
            return seen;
        var open = Observe(_sender, transaction, confidence);
        if (open is null)
            return null;
        open.Alert.Protocol = "hl7";
        open.Include("sender", $"{fact.Text ?? "(no application)"} of {fact.OtherText ?? "(no facility)"}", stranger ? "this address sent no HL7" : "its own names")
            .Include("message types", transaction.MessageType ?? "?").Patient(transaction.Patient).Flow(transaction);
        _context.Alerts.Emit(open);
        return null;
    }

    /// <summary>Returns where the type is noted when there is, and always will be, nothing to tell.</summary>
    private SeenFact? CheckType(Hl7Transaction transaction, string code)
    {
        var fact = new Fact(FactKind.Hl7Type, transaction.Client, transaction.Server, Text: code);
        _context.Facts.Note(fact, transaction.TimeNs, out var seen);
        if (!_context.Site.IsLearned || _context.Facts.IsLearned(fact) || _context.Scope.IsOutside(transaction.Server)
            || !_knownSenders.Contains(_context.IdentityOf(transaction.Client)) || _receivedCodes.Contains((_context.IdentityOf(transaction.Client), code)))
            return seen;
        var confidence = _context.Weigh(FactKind.Hl7Type, transaction.Client, _context.IsExpected(fact) ? NewTypeWeight * Kin.Factor : NewTypeWeight);
        if (confidence < _type["confidence"])
            return seen;
        var open = Observe(_type, transaction, confidence);
        if (open is null)
            return null;
        open.Alert.Protocol = "hl7";
        open.Include("message type", transaction.MessageType ?? code, "the types of this link while the site was learned")
            .Patient(transaction.Patient).Flow(transaction);
        _context.Alerts.Emit(open);
        return null;
    }

    private OpenAlert? Observe(Rule rule, Hl7Transaction transaction, double confidence) => _context.Observe(
        rule, _context.ClientOf(transaction), _context.ServerOf(transaction),
        transaction.TimeNs, transaction.TimeNs, confidence);
}
