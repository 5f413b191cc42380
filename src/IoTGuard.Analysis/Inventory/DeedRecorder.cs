using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Application.IntelliVue;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Inventory;

/// <summary>Writes what transactions say about devices into the inventory.</summary>
internal sealed class DeedRecorder
{
    private const string WorklistFind = "1.2.840.10008.5.1.4.31";

    /// <summary>Most application names remembered of what devices were sent.</summary>
    public const int MaximumReceived = 65_536;

    /// <summary>Most AE titles, and most other names, whose first bearer is remembered.</summary>
    public const int MaximumTitles = 65_536;

    private readonly DeviceInventory _devices;
    private readonly HashSet<(IpAddress Receiver, string Application)> _received = [];
    private readonly Dictionary<string, IpAddress> _bearers = [];
    private readonly Dictionary<string, IpAddress> _named = [];

    // PS3.7 C.1: Success is 0000, Warning Bxxx and few others, Pending FF00 and FF01.
    private const int StatusSuccess = 0;

    /// <param name="devices">The inventory; what is in it already was learned.</param>
    public DeedRecorder(DeviceInventory devices)
    {
        _devices = devices;
        foreach (var device in devices.Devices)
        {
            foreach (var title in device.AeTitles)
                _bearers.TryAdd(title, device.Address);
            foreach (var name in device.Names)
                _named.TryAdd(name, device.Address);
        }
    }

    public void OnTransaction(Transaction transaction)
    {
        var client = _devices.Find(transaction.Client);
        var server = _devices.Find(transaction.Server);
        TakeClaims(transaction);
        switch (transaction)
        {
            case DicomTransaction dicom:
                OnDicom(dicom, client, server);
                break;
            case LisTransaction { Event: LisEvent.Message }:
            case PoctTransaction { Facts.Observations: > 0 }:
                Count(client, Deed.SamplesSent);
                Count(server, Deed.SamplesReceived);
                break;
            case IntelliVueTransaction { Facts.Kind: IntelliVueMessageKind.ConnectIndication or IntelliVueMessageKind.MdsCreate }:
                Count(client, Deed.VitalsShown);
                break;
            case IntelliVueTransaction { Facts: { Kind: IntelliVueMessageKind.PollRequest, Results: > 0 } }:
                Count(server, Deed.VitalsShown);
                break;
        }
    }

    /// <param name="transaction">A transaction.</param>
    /// <param name="link">Its link, which keeps what was looked up.</param>
    public void OnHl7(Hl7Transaction transaction, Rules.Hl7Link? link)
    {
        TakeClaims(transaction);
        if (transaction.Event == Hl7Event.Message)
            OnMessage(transaction, link, link?.Client ?? _devices.Find(transaction.Client), link?.Server ?? _devices.Find(transaction.Server));
    }

    private void TakeClaims(Transaction transaction)
    {
        foreach (ref readonly var claim in transaction.Claims)
            _devices.Find(claim.Device)?.Add(claim);
    }

    private void OnDicom(DicomTransaction transaction, Device? client, Device? server)
    {
        var answered = transaction.Status >= 0 && (transaction.Status == StatusSuccess || transaction.Status >> 12 == 0xB);
        switch (transaction.Event)
        {
            case DicomEvent.AssociateAccept:
                Bear(client, transaction.CallingAe);
                Bear(server, transaction.CalledAe);
                break;
            case DicomEvent.CEcho:
                Count(client, Deed.EchoesSent);
                break;
            case DicomEvent.CStore:
                Count(client, Deed.StoresSent);
                if (answered)
                    Count(server, Deed.StoresAccepted);
                Describe(transaction, client);
                break;
            case DicomEvent.CFind when transaction.SopClass == WorklistFind:
                Count(client, Deed.WorklistAsked);
                if (answered)
                    Count(server, Deed.WorklistAnswered);
                break;
            case DicomEvent.CFind:
                Count(client, Deed.QueriesAsked);
                if (answered)
                    Count(server, Deed.QueriesAnswered);
                break;
            case DicomEvent.CMove or DicomEvent.CGet:
                Count(client, Deed.RetrievesAsked);
                if (answered)
                    Count(server, Deed.RetrievesAnswered);
                break;
            case DicomEvent.NCreate or DicomEvent.NSet:
                Count(client, Deed.StepsReported);
                if (answered)
                    Count(server, Deed.StepsAccepted);
                break;
        }
    }

    private void OnMessage(Hl7Transaction transaction, Rules.Hl7Link? link, Device? client, Device? server)
    {
        switch (link?.TypeOf(transaction.MessageType)?.Code ?? Rules.Hl7SenderDetection.CodeOf(transaction))
        {
            case "ADT" or "SIU" or "DFT" or "BAR":
                Count(client, Deed.AdtSent);
                Count(server, Deed.AdtReceived);
                break;
            case "ORM" or "OMG" or "OML" or "OMI" or "OMP" or "RDE":
                Count(client, Deed.OrdersSent);
                Count(server, Deed.OrdersReceived);
                break;
            case "ORU" or "OUL" or "MDM":
                Count(client, Deed.ResultsSent);
                Count(server, Deed.ResultsReceived);
                break;
            default:
                Count(client, Deed.OtherHl7Sent);
                break;
        }

        Count(server, Deed.Hl7Received);
        if (transaction.AckCode is not ("AA" or "CA"))
            return;

        // Who passes messages on speaks in the names of others; what it is called itself stands in what it is sent.
        if (client is not null && server is not null && client.Deeds[Deed.Hl7Received] == 0)
            NameServer(transaction.ReceivingApplication, server, link);
        if (transaction.SendingApplication is { } application)
            NameClient(application, client, server, link);
    }

    private static void NameServer(string? name, Device server, Rules.Hl7Link? link)
    {
        if (link is { ServerNameCount: { } known } && link.ServerName == name)
        {
            known.Add(1);
            return;
        }

        var count = server.AddName(name);
        if (link is not null)
            (link.ServerName, link.ServerNameCount) = (name, count);
    }

    private void NameClient(string name, Device? client, Device? server, Rules.Hl7Link? link)
    {
        if (link is not null && link.ClientName == name && (link.ClientPassesOn || link.ReceivedNames == _received.Count))
        {
            link.ClientNameCount?.Add(1);
            return;
        }

        if (server is not null && _received.Count < MaximumReceived)
            _received.Add((server.Address, name));
        var passesOn = client is null || _received.Contains((client.Address, name)) || !IsFirst(_named, name, client);
        var count = passesOn ? null : client!.AddName(name);
        if (link is not null)
            (link.ClientName, link.ClientNameCount, link.ClientPassesOn, link.ReceivedNames) = (name, count, passesOn, _received.Count);
    }

    /// <summary>An object names the equipment that made it; that is the sender, unless the sender passes on what it was given.</summary>
    private void Describe(DicomTransaction transaction, Device? client)
    {
        if (client is null || client.Deeds[Deed.StoresAccepted] > 0 || client.Deeds[Deed.RetrievesAnswered] > 0 || transaction.Status > StatusSuccess)
            return;
        client.Vendor ??= transaction.Manufacturer;
        client.Model ??= transaction.ModelName;
        client.Software = transaction.SoftwareVersions ?? client.Software;
        client.Serial ??= transaction.DeviceSerial;
        client.Modality ??= transaction.Modality;
        if (transaction.StationName is { } name && IsFirst(_named, name, client))
            client.AddName(name);
    }

    private void Bear(Device? device, string? title)
    {
        if (device is not null && title is not null && IsFirst(_bearers, title, device))
            device.AddAeTitle(title);
    }

    /// <summary>A title or name is that of the device that bore it first: whoever uses it later may have borrowed or stolen it.</summary>
    private bool IsFirst(Dictionary<string, IpAddress> bearers, string name, Device device)
    {
        if (bearers.TryGetValue(name, out var bearer))
            return _devices.Find(bearer) is not { } other || other == device;
        if (bearers.Count < MaximumTitles)
            bearers.Add(name, device.Address);
        return true;
    }

    private static void Count(Device? device, Deed deed)
    {
        if (device is not null)
            device.Deeds[deed]++;
    }
}
