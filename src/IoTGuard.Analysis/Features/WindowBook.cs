using System.Numerics;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Inventory;
using IoTGuard.Analysis.Rules;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Application.Dicom;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Features;

/// <summary>
/// Sums what each device does in windows of packet time that follow one another, and hands the windows of all devices that did something out when
/// the time is over, ordered by address. Bounded: at most as many devices as the inventory holds, and what does not fit is counted.
/// </summary>
internal sealed class WindowBook
{
    /// <summary>Flows that go on whose last record is remembered, so that only what is new counts; of further ones only the end counts.</summary>
    public const int MaximumGoingOn = 65_536;

    /// <summary>Pairs of devices remembered as having met; beyond them no peer is new.</summary>
    public const int MaximumPairs = 1_000_000;

    private readonly DetectionContext _context;
    private readonly int _maximumDevices;
    private readonly long _lengthNs;
    private readonly Action<DeviceWindow> _onWindow;
    private readonly Dictionary<IpAddress, DeviceWindow> _open = [];
    private readonly Stack<DeviceWindow> _free = [];
    private readonly List<DeviceWindow> _ending = [];
    private readonly Dictionary<long, (DirectionTotals Out, DirectionTotals In)> _goingOn = [];
    private readonly HashSet<ulong> _met = [];
    private int _strangers;
    private long _endNs;
    private long _runStartNs = long.MinValue;

    private readonly record struct DirectionTotals(long Packets, long Bytes, long Payload)
    {
        public static DirectionTotals Of(in DirectionCounters counters) => new(counters.Packets, counters.Bytes, counters.PayloadBytes);

        public DirectionTotals Since(DirectionTotals earlier) => new(Packets - earlier.Packets, Bytes - earlier.Bytes, Payload - earlier.Payload);
    }

    /// <param name="context">Devices and what is known of them.</param>
    /// <param name="maximumDevices">Most devices in a window.</param>
    /// <param name="seconds">Length of the windows, s; they begin at multiples of it.</param>
    /// <param name="onWindow">Receives each window once it is over.</param>
    public WindowBook(DetectionContext context, int maximumDevices, int seconds, Action<DeviceWindow> onWindow)
    {
        _context = context;
        _maximumDevices = maximumDevices;
        _lengthNs = seconds * 1_000_000_000L;
        _onWindow = onWindow;
        foreach (var fact in context.Site.Facts.Keys)
        {
            if (fact.Kind == FactKind.Peer && _met.Count < MaximumPairs)
                _met.Add(PairOf(fact.A, fact.B));
        }
    }

    /// <summary>Events about devices that found no room.</summary>
    public long Overflows { get; private set; }

    /// <summary>A flow was opened.</summary>
    public void OnOpened(in FlowRecord flow, long timeNs)
    {
        var isOutside = _context.Scope.IsOutside(flow.Responder) || _context.Scope.IsOutside(flow.Originator);
        if ((Of(flow.Originator, timeNs) ?? OfStranger(flow.Originator, timeNs)) is { } client)
        {
            client.Counters.FlowsOut++;
            CountKind(ref client.Counters, flow.IpProtocol, isOutside);
            client.Peers.Add(Fingerprint.Of(flow.Responder));
            client.Services.Add(Fingerprint.Of(flow.Responder, flow.IpProtocol, flow.ResponderPort));
            client.PortsOut.Add(Fingerprint.Of(default, flow.IpProtocol, flow.ResponderPort));
        }

        if (Of(flow.Responder, timeNs) is { } server)
        {
            server.Counters.FlowsIn++;
            CountKind(ref server.Counters, flow.IpProtocol, isOutside);
            server.Peers.Add(Fingerprint.Of(flow.Originator));
            server.PortsIn.Add(Fingerprint.Of(default, flow.IpProtocol, flow.ResponderPort));
        }
    }

    /// <summary>The responder of a flow answered.</summary>
    public void OnEstablished(in FlowRecord flow, long timeNs)
    {
        if (_met.Count >= MaximumPairs || !_context.Scope.IsInside(flow.Originator) || !_context.Scope.IsInside(flow.Responder) || !AddressScope.IsHost(flow.Responder))
            return;
        if (!_met.Add(PairOf(_context.IdentityOf(flow.Originator), _context.IdentityOf(flow.Responder))))
            return;
        if (Of(flow.Originator, timeNs) is { } client)
            client.Counters.NewPeers++;
        if (Of(flow.Responder, timeNs) is { } server)
            server.Counters.NewPeers++;
    }

    /// <summary>A record of a flow that goes on.</summary>
    public void OnUpdated(in FlowRecord flow, long timeNs)
    {
        if (!_goingOn.TryGetValue(flow.FirstFrame, out var told) && _goingOn.Count >= MaximumGoingOn)
            return;
        AddTraffic(in flow, told, timeNs);
        _goingOn[flow.FirstFrame] = (DirectionTotals.Of(in flow.FromOriginator), DirectionTotals.Of(in flow.FromResponder));
    }

    /// <summary>The last record of a flow.</summary>
    public void OnClosed(in FlowRecord flow, long timeNs)
    {
        _goingOn.Remove(flow.FirstFrame, out var told);
        AddTraffic(in flow, told, timeNs);
        var isRefused = flow.State == ConnectionState.Rejected;
        var isUnanswered = flow.FromResponder.Packets == 0 && AddressScope.IsHost(flow.Responder);
        if (Of(flow.Originator, timeNs) is { } client)
        {
            client.Counters.Refused += isRefused ? 1 : 0;
            client.Counters.Unanswered += isUnanswered ? 1 : 0;
            CountEnd(ref client.Counters, in flow);
        }

        if (Of(flow.Responder, timeNs) is { } server)
        {
            server.Counters.Refusals += isRefused ? 1 : 0;
            server.Counters.Ignored += isUnanswered ? 1 : 0;
            CountEnd(ref server.Counters, in flow);
        }
    }

    /// <summary>Something happened in a protocol.</summary>
    public void OnTransaction(Transaction transaction, long timeNs)
    {
        var client = Of(transaction.Client, timeNs);
        var server = Of(transaction.Server, timeNs);
        switch (transaction)
        {
            case DicomTransaction dicom:
                CountDicom(dicom, client, server);
                break;
            case Hl7Transaction { Event: Hl7Event.Message } message:
                if (server is not null)
                    server.Counters.MessagesIn++;
                if (client is null)
                    break;
                client.Counters.MessagesOut++;
                client.Counters.Nacks += message.AckCode is "AE" or "AR" or "CE" or "CR" ? 1 : 0;
                break;
            case DnsTransaction { Event: DnsEvent.Query } question when client is not null:
                client.Counters.Questions++;
                client.Counters.NameFailures += question.ResponseCode > 0 ? 1 : 0;
                client.Names.Add(Fingerprint.Of(null, question.Name.Bytes));
                break;
            case SmbTransaction smb when client is not null:
                CountFiles(smb, ref client.Counters);
                break;
            case HttpTransaction { Event: HttpEvent.Request } request when client is not null:
                client.Counters.WebRequests++;
                client.Counters.WebErrors += request.Facts.Status >= 400 ? 1 : 0;
                break;
            case LoginTransaction login when client is not null:
                client.Counters.LoginFailures += login.FailedLogins;
                client.Counters.Logins += login.Login == LoginResult.Succeeded ? 1 : 0;
                break;
        }
    }

    /// <summary>Ends the window when its time is over.</summary>
    /// <param name="timeNs">A time up to which everything was told.</param>
    public void Tick(long timeNs)
    {
        if (_open.Count > 0 && timeNs >= _endNs)
            End(isWhole: true);
    }

    /// <summary>Ends the last window, which the end of the run cuts short.</summary>
    public void Complete()
    {
        if (_open.Count > 0)
            End(isWhole: false);
    }

    private void End(bool isWhole)
    {
        _ending.AddRange(_open.Values);
        _ending.Sort(static (x, y) => x.Address.CompareTo(y.Address));
        _open.Clear();
        _strangers = 0;
        foreach (var window in _ending)
        {
            var device = _context.Devices.Find(window.Address);
            window.IsKnown = device is not null;
            window.IsComplete = isWhole && window.StartNs >= _runStartNs;
            window.Role = device?.Role.Role ?? DeviceRole.Unknown;
            _onWindow(window);
            window.Clear();
            _free.Push(window);
        }

        _ending.Clear();
    }

    /// <summary>The open window of the device at an address; null when it is none of the site's, or there is no room.</summary>
    private DeviceWindow? Of(IpAddress address, long timeNs) => _context.Devices.Find(address) is { } device ? Open(device.Address, timeNs) : null;

    /// <summary>The same for an address inside that sends and is not in the inventory yet: it enters it once it is answered, or when its first flow ends.</summary>
    private DeviceWindow? OfStranger(IpAddress address, long timeNs)
    {
        if (!_context.Scope.IsInside(address) || !AddressScope.IsHost(address))
            return null;
        if (_open.TryGetValue(address, out var window))
            return window;
        return _strangers < DeviceInventory.MaximumUnconfirmed && Open(address, timeNs) is { } opened ? Count(opened) : null;

        DeviceWindow Count(DeviceWindow stranger)
        {
            _strangers++;
            return stranger;
        }
    }

    private DeviceWindow? Open(IpAddress address, long timeNs)
    {
        if (_runStartNs == long.MinValue)
            _runStartNs = timeNs;
        if (_open.TryGetValue(address, out var window))
            return window;
        if (_open.Count >= _maximumDevices)
        {
            Overflows++;
            return null;
        }

        if (_open.Count == 0)
            _endNs = ((timeNs - 1) / _lengthNs * _lengthNs) + _lengthNs;
        if (!_free.TryPop(out window))
            window = new DeviceWindow();
        window.Address = address;
        window.StartNs = _endNs - _lengthNs;
        window.EndNs = _endNs;
        _open.Add(address, window);
        return window;
    }

    /// <summary>The same for both orders.</summary>
    private static ulong PairOf(IpAddress one, IpAddress other)
    {
        var (first, second) = one.CompareTo(other) < 0 ? (one, other) : (other, one);
        return Fingerprint.Of(first) ^ BitOperations.RotateLeft(Fingerprint.Of(second), 17);
    }

    private static void CountKind(ref WindowCounters counters, byte ipProtocol, bool isOutside)
    {
        counters.TcpFlows += ipProtocol == IpProtocol.Tcp ? 1 : 0;
        counters.UdpFlows += ipProtocol == IpProtocol.Udp ? 1 : 0;
        counters.OutsideFlows += isOutside ? 1 : 0;
    }

    private void AddTraffic(in FlowRecord flow, (DirectionTotals Out, DirectionTotals In) told, long timeNs)
    {
        var sent = DirectionTotals.Of(in flow.FromOriginator).Since(told.Out);
        var answered = DirectionTotals.Of(in flow.FromResponder).Since(told.In);
        if (Of(flow.Originator, timeNs) is { } client)
            Add(ref client.Counters, sent, answered, _context.Scope.IsOutside(flow.Responder));
        if (Of(flow.Responder, timeNs) is { } server)
            Add(ref server.Counters, answered, sent, _context.Scope.IsOutside(flow.Originator));
    }

    private static void Add(ref WindowCounters counters, DirectionTotals sent, DirectionTotals received, bool isOutside)
    {
        counters.PacketsOut += sent.Packets;
        counters.PacketsIn += received.Packets;
        counters.BytesOut += sent.Bytes;
        counters.BytesIn += received.Bytes;
        counters.PayloadOut += sent.Payload;
        counters.PayloadIn += received.Payload;
        counters.OutsideBytesOut += isOutside ? sent.Bytes : 0;
        counters.OutsideBytesIn += isOutside ? received.Bytes : 0;
    }

    private static void CountEnd(ref WindowCounters counters, in FlowRecord flow)
    {
        counters.Ended++;
        counters.EndedSeconds += flow.DurationSeconds;
        counters.Faults += flow.Counters.Faults;
        if (ApplicationProtocols.IsMedical(flow.Application))
        {
            counters.MedicalFlows++;
            return;
        }

        switch (flow.Application)
        {
            case ApplicationProtocol.Http or ApplicationProtocol.Http2:
                counters.WebFlows++;
                break;
            case ApplicationProtocol.Tls or ApplicationProtocol.Dtls or ApplicationProtocol.Quic or ApplicationProtocol.Ssh or ApplicationProtocol.Rdp or ApplicationProtocol.OpenVpn
                or ApplicationProtocol.WireGuard:
                counters.EncryptedFlows++;
                break;
            case ApplicationProtocol.Smb or ApplicationProtocol.Nfs or ApplicationProtocol.Ftp or ApplicationProtocol.Tftp or ApplicationProtocol.Lpd:
                counters.FileFlows++;
                break;
            case ApplicationProtocol.Dns or ApplicationProtocol.Mdns or ApplicationProtocol.Llmnr or ApplicationProtocol.Nbns:
                counters.NameFlows++;
                break;
            case ApplicationProtocol.Unknown:
                counters.UnknownFlows += flow.FromOriginator.PayloadBytes + flow.FromResponder.PayloadBytes > 0 ? 1 : 0;
                break;
        }
    }

    private static void CountDicom(DicomTransaction dicom, DeviceWindow? client, DeviceWindow? server)
    {
        if (client is not null)
            CountAsked(dicom, ref client.Counters);
        if (server is null)
            return;
        switch (dicom.Event)
        {
            case DicomEvent.CStore:
                server.Counters.StoresIn++;
                server.Counters.ObjectBytesIn += dicom.DataSetBytes;
                server.Counters.Served++;
                break;
            case > DicomEvent.CStore and <= DicomEvent.NDelete:
                server.Counters.Served++;
                break;
        }
    }

    private static void CountAsked(DicomTransaction dicom, ref WindowCounters counters)
    {
        switch (dicom.Event)
        {
            case DicomEvent.AssociateAccept:
                counters.Associations++;
                return;
            case DicomEvent.AssociateReject:
                counters.Rejections++;
                return;
            case DicomEvent.Abort or DicomEvent.AssociationEnd:
                counters.Aborts++;
                return;
            case DicomEvent.CStore:
                counters.StoresOut++;
                counters.ObjectBytesOut += dicom.DataSetBytes;
                break;
            case DicomEvent.CFind:
                counters.Finds++;
                break;
            case DicomEvent.CMove or DicomEvent.CGet:
                counters.Retrieves++;
                break;
        }

        if (dicom.Status >= 0 && dicom.Event is >= DicomEvent.CStore and <= DicomEvent.NDelete && DimseStatus.ClassOf(dicom.Status) == DimseStatusClass.Failure)
            counters.DicomFailures++;
    }

    private static void CountFiles(SmbTransaction smb, ref WindowCounters counters)
    {
        switch (smb.Event)
        {
            case SmbEvent.Session when smb.Status == 0:
                counters.Logins++;
                break;
            case SmbEvent.Session when smb.Status > 0:
                counters.LoginFailures++;
                break;
            case SmbEvent.Files:
                var files = smb.Files;
                counters.FileReads += files.Reads;
                counters.FileWrites += files.Writes;
                counters.FileRenames += files.Renames;
                counters.FileDeletes += files.Deletes;
                counters.FileBytesRead += files.ReadBytes;
                counters.FileBytesWritten += files.WrittenBytes;
                break;
        }
    }
}
