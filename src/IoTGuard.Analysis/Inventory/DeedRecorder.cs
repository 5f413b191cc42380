using IoTGuard.Analysis.Sessions;

namespace IoTGuard.Analysis.Inventory;

/// <summary>Writes what transactions say about devices into the inventory.</summary>
internal sealed class DeedRecorder(DeviceInventory devices)
{
    private const string WorklistFind = "1.2.840.10008.5.1.4.31";

    /// <summary>Most application names remembered of what devices were sent.</summary>
    public const int MaximumReceived = 65_536;

    private readonly HashSet<(Wire.Network.IpAddress Receiver, string Application)> _received = [];

    // PS3.7 C.1: Success is 0000, Warning Bxxx and few others, Pending FF00 and FF01.
    private const int StatusSuccess = 0;

    public void OnTransaction(Transaction transaction)
    {
        var client = devices.Find(transaction.Client);
        var server = devices.Find(transaction.Server);
        foreach (ref readonly var claim in transaction.Claims)
            devices.Find(claim.Device)?.Add(claim);
        if (transaction is DicomTransaction dicom)
            OnDicom(dicom, client, server);
        else if (transaction is Hl7Transaction { Event: Hl7Event.Message } hl7)
            OnHl7(hl7, client, server);
    }

    private static void OnDicom(DicomTransaction transaction, Device? client, Device? server)
    {
        var answered = transaction.Status >= 0 && (transaction.Status == StatusSuccess || transaction.Status >> 12 == 0xB);
        switch (transaction.Event)
        {
            case DicomEvent.AssociateAccept:
                client?.AddAeTitle(transaction.CallingAe);
                server?.AddAeTitle(transaction.CalledAe);
                break;
            case DicomEvent.CEcho:
                Count(client, static (ref d) => d.EchoesSent++);
                break;
            case DicomEvent.CStore:
                Count(client, static (ref d) => d.StoresSent++);
                if (answered)
                    Count(server, static (ref d) => d.StoresAccepted++);
                Describe(transaction, client);
                break;
            case DicomEvent.CFind when transaction.SopClass == WorklistFind:
                Count(client, static (ref d) => d.WorklistAsked++);
                if (answered)
                    Count(server, static (ref d) => d.WorklistAnswered++);
                break;
            case DicomEvent.CFind:
                Count(client, static (ref d) => d.QueriesAsked++);
                if (answered)
                    Count(server, static (ref d) => d.QueriesAnswered++);
                break;
            case DicomEvent.CMove or DicomEvent.CGet:
                Count(client, static (ref d) => d.RetrievesAsked++);
                if (answered)
                    Count(server, static (ref d) => d.RetrievesAnswered++);
                break;
            case DicomEvent.NCreate or DicomEvent.NSet:
                Count(client, static (ref d) => d.StepsReported++);
                if (answered)
                    Count(server, static (ref d) => d.StepsAccepted++);
                break;
        }
    }

    private void OnHl7(Hl7Transaction transaction, Device? client, Device? server)
    {
        switch (Rules.Hl7SenderDetection.CodeOf(transaction))
        {
            case "ADT" or "SIU" or "DFT" or "BAR":
                Count(client, static (ref d) => d.AdtSent++);
                break;
            case "ORM" or "OMG" or "OML" or "OMI" or "OMP" or "RDE":
                Count(client, static (ref d) => d.OrdersSent++);
                break;
            case "ORU" or "OUL" or "MDM":
                Count(client, static (ref d) => d.ResultsSent++);
                break;
            default:
                Count(client, static (ref d) => d.OtherHl7Sent++);
                break;
        }

        Count(server, static (ref d) => d.Hl7Received++);
        if (transaction.AckCode is not ("AA" or "CA"))
            return;

        // Who passes messages on speaks in the names of others; what it is called itself stands in what it is sent.
        if (client is { Deeds.Hl7Received: 0 })
            server?.AddName(transaction.ReceivingApplication);
        if (server is not null && transaction.SendingApplication is { } application && _received.Count < MaximumReceived)
            _received.Add((server.Address, application));
        if (client is not null && transaction.SendingApplication is { } own && !_received.Contains((client.Address, own)))
            client.AddName(own);
    }

    /// <summary>An object names the equipment that made it; that is the sender, unless the sender passes on what it was given.</summary>
    private static void Describe(DicomTransaction transaction, Device? client)
    {
        if (client is null || client.Deeds.StoresAccepted > 0 || client.Deeds.RetrievesAnswered > 0 || transaction.Status > StatusSuccess)
            return;
        client.Vendor ??= transaction.Manufacturer;
        client.Model ??= transaction.ModelName;
        client.Software = transaction.SoftwareVersions ?? client.Software;
        client.Serial ??= transaction.DeviceSerial;
        client.Modality ??= transaction.Modality;
        client.AddName(transaction.StationName);
    }

    private delegate void Deed(ref Deeds deeds);

    private static void Count(Device? device, Deed deed)
    {
        if (device is not null)
            deed(ref device.Deeds);
    }
}
