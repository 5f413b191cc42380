using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Application.Bacnet;
using IoTGuard.Wire.Application.Kerberos;
using IoTGuard.Wire.Application.Ntp;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Rules;

/// <summary>SNMP, Kerberos, BACnet, patient monitors, clocks, TFTP.</summary>
internal sealed class ManagementDetection : TransactionDetection
{
    /// <summary>Most devices watched at once, for each rule.</summary>
    public const int MaximumDevices = 8192;

    private const int ExactValues = 1024;

    // RFC 4120, 7.5.9: unknown client, wrong password. RC4 is encryption type 23.
    private const int UnknownClient = 6;
    private const int WrongPassword = 24;
    private const int Rc4 = 23;
    private const int RestartDevice = 20;
    private const int ControlCommunication = 17;
    private const int WriteProperty = 15;
    private const int WritePropertyMultiple = 16;
    private const int WriteFile = 7;

    private readonly DetectionContext _context;
    private readonly Rule _community;
    private readonly Rule _guessing;
    private readonly Rule _kerberos;
    private readonly Rule _roasting;
    private readonly Rule _building;
    private readonly Rule _monitor;
    private readonly Rule _clock;
    private readonly Rule _tftp;
    private readonly KeyedState<IpAddress, DistinctWindow> _communities;
    private readonly KeyedState<IpAddress, LogIns> _logIns;
    private readonly KeyedState<IpAddress, DistinctWindow> _tickets;
    private readonly KeyedState<IpAddress, Clock> _clocks;
    private readonly Func<DistinctWindow> _makeCommunities;
    private readonly Func<LogIns> _makeLogIns;
    private readonly Func<DistinctWindow> _makeTickets;

    private sealed class LogIns(DistinctWindow users)
    {
        public readonly DistinctWindow Users = users;
        public WindowSum Failures;
    }

    private sealed class Clock
    {
        public int Wrong;
    }

    public ManagementDetection(DetectionContext context)
    {
        _context = context;
        _community = context.Of(ManagementRules.DefaultCommunity);
        _guessing = context.Of(ManagementRules.CommunityGuessing);
        _kerberos = context.Of(ManagementRules.KerberosGuessing);
        _roasting = context.Of(ManagementRules.Roasting);
        _building = context.Of(ManagementRules.BuildingWrite);
        _monitor = context.Of(ManagementRules.MonitorOutside);
        _clock = context.Of(ManagementRules.WrongClock);
        _tftp = context.Of(ManagementRules.TftpUse);
        var (guess, logIn, ticket) = (DetectionContext.Ns(_guessing["window"]), DetectionContext.Ns(_kerberos["window"]), DetectionContext.Ns(_roasting["window"]));
        _communities = new(MaximumDevices, guess);
        _logIns = new(MaximumDevices, logIn);
        _tickets = new(MaximumDevices, ticket);
        _clocks = new(MaximumDevices, 86_400_000_000_000);
        _makeCommunities = () => new DistinctWindow(guess, ExactValues);
        _makeLogIns = () => new LogIns(new DistinctWindow(logIn, ExactValues));
        _makeTickets = () => new DistinctWindow(ticket, ExactValues);
    }

    public override void OnTransaction(Transaction transaction, long timeNs)
    {
        switch (transaction)
        {
            case SnmpTransaction snmp:
                OnSnmp(snmp, timeNs);
                break;
            case KerberosTransaction kerberos:
                OnKerberos(kerberos, timeNs);
                break;
            case BacnetTransaction { Facts: { Pdu: BacnetPdu.ConfirmedRequest, Reads: 0, Service: WriteProperty or WritePropertyMultiple or WriteFile or ControlCommunication or RestartDevice } } bacnet:
                Emit(Begin(_building, bacnet, bacnet.Client, bacnet.Server, timeNs, 0.6)?.Include("services", bacnet.EventName));
                break;
            case IntelliVueTransaction monitor when _context.Scope.IsOutside(monitor.Client) || _context.Scope.IsOutside(monitor.Server):
                var isClientOutside = _context.Scope.IsOutside(monitor.Client);
                Emit(Begin(_monitor, monitor, isClientOutside ? monitor.Server : monitor.Client, isClientOutside ? monitor.Client : monitor.Server, timeNs, 0.9)?.Include("events", monitor.EventName));
                break;
            case NtpTransaction { Facts: { HasOffset: true, Mode: NtpMode.Client or NtpMode.Broadcast } } ntp:
                OnTime(ntp, timeNs);
                break;
            case TftpTransaction { IsAnswered: true } tftp when _context.Scope.IsInside(tftp.Server):
                Emit(Begin(_tftp, tftp, tftp.Server, tftp.Client, timeNs, 0.9)?.Include("operations", tftp.EventName, "an encrypted service"));
                break;
            default:
                break;
        }
    }

    private void OnSnmp(SnmpTransaction snmp, long timeNs)
    {
        if (snmp.Facts.Version == 3)
            return;
        if (snmp.IsAnswered)
        {
            if (snmp.Facts.Community is SnmpCommunity.Public or SnmpCommunity.Private or SnmpCommunity.Empty && _context.Scope.IsInside(snmp.Server))
                Emit(Begin(_community, snmp, snmp.Server, snmp.Client, timeNs, 0.95)?.Include("communities", NameOf(snmp.Facts.Community), "a secret one, or version 3"));
            return;
        }

        // Traps and informs go the other way; only questions guess.
        if (snmp.Facts.Pdu is Wire.Application.Snmp.SnmpPdu.Trap or Wire.Application.Snmp.SnmpPdu.TrapV1 or Wire.Application.Snmp.SnmpPdu.Inform or Wire.Application.Snmp.SnmpPdu.Response)
            return;
        if (_communities.Touch(snmp.Client, timeNs, _makeCommunities) is not { } tried || !tried.Add(snmp.Facts.CommunityPrint, timeNs) || tried.Count < _guessing["communities"])
            return;
        Emit(Begin(_guessing, snmp, snmp.Client, snmp.Server, timeNs, 0.8, tried.FirstNs)?.Number("communities", tried.Count, "communities", "1"));
    }

    private void OnKerberos(KerberosTransaction kerberos, long timeNs)
    {
        ref readonly var facts = ref kerberos.Facts;
        var user = facts.User.High ^ facts.User.Low;
        if (facts.Kind == KerberosKind.AsRequest && facts.ErrorCode is UnknownClient or WrongPassword)
        {
            if (_logIns.Touch(kerberos.Client, timeNs, _makeLogIns) is not { } logIns)
                return;
            logIns.Failures.Add(1, timeNs, DetectionContext.Ns(_kerberos["window"]));
            logIns.Users.Add(user, timeNs);
            if (logIns.Failures.Total < _kerberos["failures"])
                return;
            Emit(Begin(_kerberos, kerberos, kerberos.Client, kerberos.Server, timeNs, 0.85, logIns.Failures.FirstNs)
                ?.Number("failures", logIns.Failures.Total, "requests", $"fewer than {_kerberos["failures"]}").Number("users", logIns.Users.Count, "users"));
            return;
        }

        if (facts.Answer is not (KerberosKind.AsReply or KerberosKind.TgsReply))
            return;
        var isRoasted = facts.Kind == KerberosKind.TgsRequest
            ? facts.TicketEncryption == Rc4 && facts.Service != "krbtgt"
            : facts.Kind == KerberosKind.AsRequest && !facts.IsPreauthenticated;
        if (!isRoasted || _tickets.Touch(kerberos.Client, timeNs, _makeTickets) is not { } tickets)
            return;
        var what = facts.Kind == KerberosKind.TgsRequest ? Fingerprint.Of(facts.Service, facts.Instance) : user;
        if (!tickets.Add(what, timeNs) || tickets.Count < _roasting["tickets"])
            return;
        Emit(Begin(_roasting, kerberos, kerberos.Client, kerberos.Server, timeNs, 0.8, tickets.FirstNs)?.Number("tickets", tickets.Count, "tickets", $"fewer than {_roasting["tickets"]}"));
    }

    private void OnTime(NtpTransaction ntp, long timeNs)
    {
        // A broadcast's client is the server.
        var (server, client) = ntp.Facts.Mode == NtpMode.Broadcast ? (ntp.Client, ntp.Server) : (ntp.Server, ntp.Client);
        if (_clocks.Touch(server, timeNs, static () => new Clock()) is not { } clock)
            return;
        var offset = ntp.Facts.OffsetNs / 1e9;
        clock.Wrong = Math.Abs(offset) >= _clock["offset"] ? clock.Wrong + 1 : 0;
        if (clock.Wrong < _clock["exchanges"])
            return;
        Emit(Begin(_clock, ntp, server, client, timeNs, 0.7)?.Number("offset", Math.Round(offset), "s", $"less than {_clock["offset"]} s"));
    }

    private OpenAlert? Begin(Rule rule, Transaction transaction, IpAddress device, IpAddress peer, long timeNs, double confidence, long firstNs = 0)
    {
        var isClient = device == transaction.Client;
        var (deviceMac, peerMac) = isClient ? (transaction.ClientMac, transaction.ServerMac) : (transaction.ServerMac, transaction.ClientMac);
        var open = _context.Observe(rule, _context.PartyOf(device, deviceMac), _context.PartyOf(peer, peerMac), firstNs == 0 ? transaction.TimeNs : firstNs, timeNs, confidence);
        if (open is null)
            return null;
        open.Alert.Protocol = transaction.Protocol;
        return open.Flow(transaction);
    }

    private void Emit(OpenAlert? open)
    {
        if (open is not null)
            _context.Alerts.Emit(open);
    }

    private static string NameOf(SnmpCommunity community) => community switch
    {
        SnmpCommunity.Public => "public",
        SnmpCommunity.Private => "private",
        _ => "none",
    };
}

/// <summary>The clocks of HL7 senders: what MSH-7 says against packet time.</summary>
internal sealed class Hl7ClockDetection(DetectionContext context)
{
    /// <summary>Most senders watched at once.</summary>
    public const int MaximumSenders = 8192;

    private readonly Rule _rule = context.Of(ManagementRules.Hl7Clock);
    private readonly KeyedState<IpAddress, Sender> _senders = new(MaximumSenders, 86_400_000_000_000);

    private sealed class Sender
    {
        public int Messages;
        public double Least;
        public double Most;
    }

    public void OnTransaction(Hl7Transaction message)
    {
        if (message.Event != Hl7Event.Message || message.MessageTimeNs == 0
            || _senders.Touch(message.Client, message.TimeNs, static () => new Sender()) is not { } sender)
            return;
        var offset = (message.MessageTimeNs - message.TimeNs) / 1e9;
        var (least, most) = sender.Messages == 0 ? (offset, offset) : (Math.Min(sender.Least, offset), Math.Max(sender.Most, offset));
        if (Math.Abs(offset) < _rule["offset"] || most - least > _rule["spread"])
        {
            // A row of messages that are off by the same amount begins anew.
            sender.Messages = 0;
            return;
        }

        (sender.Messages, sender.Least, sender.Most) = (sender.Messages + 1, least, most);
        if (sender.Messages < _rule["messages"])
            return;
        var open = context.Observe(_rule, context.ClientOf(message), context.ServerOf(message), message.TimeNs, message.TimeNs, 0.7);
        if (open is null)
            return;
        open.Alert.Protocol = "hl7";
        open.Number("offset", Math.Round(offset), "s", $"less than {_rule["offset"]} s").Flow(message);
        context.Alerts.Emit(open);
    }
}
