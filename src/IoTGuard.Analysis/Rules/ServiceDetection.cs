using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Inventory;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Application.Modbus;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Rules;

/// <summary>Directories, brokers, controllers and databases: what is open to everybody, and who reads or writes what he should not.</summary>
internal sealed class ServiceDetection(DetectionContext context) : TransactionDetection
{
    /// <summary>Most pairs watched at once.</summary>
    public const int MaximumKeys = 8192;

    private readonly Rule _bind = context.Of(ServiceRules.SimpleBind);
    private readonly Rule _harvesting = context.Of(ServiceRules.DirectoryHarvesting);
    private readonly Rule _broker = context.Of(ServiceRules.OpenBroker);
    private readonly Rule _everything = context.Of(ServiceRules.Eavesdropping);
    private readonly Rule _write = context.Of(ServiceRules.ControllerWrite);
    private readonly Rule _scan = context.Of(ServiceRules.ControllerScan);
    private readonly Rule _outside = context.Of(ServiceRules.BackdoorTraffic);
    private readonly Rule _database = context.Of(ServiceRules.OpenDatabase);
    private readonly KeyedState<(IpAddress Client, IpAddress Server), Use> _uses = new(MaximumKeys, 600_000_000_000);

    private sealed class Use(double scanSeconds)
    {
        public readonly DistinctWindow Refused = new(DetectionContext.Ns(scanSeconds), 256);
        public WindowSum Entries;
    }

    public override void OnTransaction(Transaction transaction, long timeNs)
    {
        switch (transaction)
        {
            case LdapTransaction { Event: LdapEvent.Bind, Mechanism: "simple", HasPassword: true } bind:
                context.Emit(context.Observe(_bind, context.ClientOf(bind), context.ServerOf(bind), bind.TimeNs, bind.TimeNs, 0.95), bind);
                break;
            case LdapTransaction { Event: LdapEvent.Search } search:
                OnSearch(search);
                break;
            case MqttTransaction { Event: MqttEvent.Connect, Code: 0, HasUser: false, HasPassword: false } connect:
                context.Emit(context.Observe(_broker, context.ServerOf(connect), context.ClientOf(connect), connect.TimeNs, connect.TimeNs, 0.9), connect);
                break;
            case MqttTransaction { Event: MqttEvent.Subscribe, Everything: > 0, Code: >= 0 and < 0x80 } subscribe:
                context.Emit(context.Observe(_everything, context.ClientOf(subscribe), context.ServerOf(subscribe), subscribe.TimeNs, subscribe.TimeNs, 0.8), subscribe);
                break;
            case ModbusTransaction { Event: ModbusEvent.Function } function:
                OnFunction(function);
                break;
            case DatabaseTransaction { Authentication: "none", IsAccepted: true } database:
                context.Emit(context.Observe(_database, context.ServerOf(database), context.ClientOf(database), database.TimeNs, database.TimeNs, 0.9)
                    ?.Include("kind", database.Protocol), database);
                break;
        }
    }

    public override void OnClosed(in FlowRecord flow, long timeNs)
    {
        if (flow.IpProtocol is not (IpProtocol.Tcp or IpProtocol.Udp) || flow.ResponderPort is not (515 or 111 or 2049)
            || (flow.IpProtocol == IpProtocol.Tcp && flow.FromOriginator.Syn == 0) || !context.Scope.IsInside(flow.Originator) || !context.Scope.IsOutside(flow.Responder))
            return;
        var open = context.Observe(_outside, context.PartyOf(flow.Originator, flow.OriginatorMac), context.PartyOf(flow.Responder, flow.ResponderMac), flow.FirstNs, timeNs, 0.85);
        if (open is null)
            return;
        open.Alert.Protocol = flow.Application == ApplicationProtocol.Unknown ? "tcp" : ApplicationProtocols.NameOf(flow.Application);
        open.Include("services", new ServicePort(flow.IpProtocol, flow.ResponderPort).ToString()).Flow(in flow);
        context.Alerts.Emit(open);
    }

    private Use? UseOf(Transaction transaction) => _uses.Touch((transaction.Client, transaction.Server), transaction.TimeNs, _scan, static rule => new Use(rule["window"]));

    private void OnSearch(LdapTransaction search)
    {
        if (search.Entries == 0 || UseOf(search) is not { } use)
            return;
        use.Entries.Add(search.Entries, search.TimeNs, DetectionContext.Ns(_harvesting["window"]));
        if (use.Entries.Total < _harvesting["entries"])
            return;
        context.Emit(context.Observe(_harvesting, context.ClientOf(search), context.ServerOf(search), use.Entries.FirstNs, search.TimeNs, 0.6)
            ?.Number("entries", use.Entries.Total, "entries", $"fewer than {_harvesting["entries"]}").Number("period", _harvesting["window"], "s"), search);
    }

    private void OnFunction(ModbusTransaction function)
    {
        if (function.IsWrite && function.Exceptions < function.Requests)
        {
            context.Emit(context.Observe(_write, context.ClientOf(function), context.ServerOf(function), function.TimeNs, function.TimeNs, 0.75)
                ?.Include("functions", ModbusHeader.NameOf(function.Function) ?? "?"), function);
        }

        if (function.Exceptions == 0 || UseOf(function) is not { } use)
            return;
        use.Refused.Add(((ulong)function.Unit << 8) | function.Function, function.TimeNs);
        if (use.Refused.Count < _scan["tries"])
            return;
        context.Emit(context.Observe(_scan, context.ClientOf(function), context.ServerOf(function), use.Refused.FirstNs, function.TimeNs, 0.85)
            ?.Number("tries", use.Refused.Count, "units and functions", $"fewer than {_scan["tries"]}"), function);
    }
}
