using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire;
using IoTGuard.Wire.Link;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Tests.Rules;

/// <summary>A script of sensor events with a clock of its own, played into a detector. Times in seconds.</summary>
internal sealed class Scene : IAlertSink
{
    public const long Start = 1_700_000_000_000_000_000;
    public const string Pacs = "10.0.0.10";
    public const string Modality = "10.0.0.11";
    public const string Workstation = "10.0.0.12";
    public const string Engine = "10.0.0.20";
    public const string Sender = "10.0.0.21";
    public const string Stranger = "10.0.0.66";
    public const string Outside = "93.184.216.34";

    private readonly EventBatch _batch = new();
    private long _frame;
    private ushort _nextPort = 40_000;

    public Scene(Site? site = null, DetectorOptions? options = null) => Detector = new Detector(site ?? Site.Empty, options ?? new DetectorOptions(), this);

    public Detector Detector { get; }

    public double Seconds { get; set; }

    public long Now => Start + (long)(Seconds * 1e9);

    /// <summary>Alerts in their final form, in the order they closed.</summary>
    public List<Alert> Closed { get; } = [];

    public List<(string Rule, AlertPhase Phase)> Phases { get; } = [];

    public void OnAlert(Alert alert, AlertPhase phase)
    {
        Phases.Add((alert.Rule, phase));
        if (phase == AlertPhase.Closed)
            Closed.Add(alert);
    }

    public static IpAddress Ip(string text) => IpAddress.TryParse(text, out var address) ? address : throw new ArgumentException(text, nameof(text));

    /// <summary>Each address has a hardware address of its own.</summary>
    public static MacAddress Mac(string ip) => new(0x0200_0000_0000 | (Ip(ip).Low & 0xFFFF_FFFF));

    public List<Alert> Finish()
    {
        Detector.Complete();
        return Closed;
    }

    public IEnumerable<Alert> Of(string rule) => Closed.Where(a => a.Rule == rule);

    public Scene Wait(double seconds)
    {
        Seconds += seconds;
        Detector.AdvanceTo(Now);
        return this;
    }

    public FlowRecord Flow(string client, string server, ushort port, byte protocol = IpProtocol.Tcp) => new()
    {
        Originator = Ip(client),
        Responder = Ip(server),
        OriginatorMac = Mac(client),
        ResponderMac = Mac(server),
        OriginatorPort = protocol == IpProtocol.Icmp ? (ushort)8 : _nextPort++,
        ResponderPort = port,
        IpProtocol = protocol,
        State = protocol == IpProtocol.Tcp ? ConnectionState.SynSent : ConnectionState.None,
        FirstFrame = _frame,
        FirstNs = Now,
        LastNs = Now,
        FromOriginator = new DirectionCounters { Packets = 1, Bytes = 60, Syn = protocol == IpProtocol.Tcp ? 1 : 0, FirstNs = Now, LastNs = Now },
    };

    /// <summary>A connection in which both sides sent data.</summary>
    public Scene Exchange(string client, string server, ushort port, ApplicationProtocol application = ApplicationProtocol.Unknown, double duration = 1,
        byte protocol = IpProtocol.Tcp)
    {
        var flow = Flow(client, server, port, protocol);
        Send(SensorEventKind.FlowOpened, flow);
        flow.State = ConnectionState.Established;
        flow.FromResponder = new DirectionCounters { Packets = 1, Bytes = 60, Syn = 1, FirstNs = Now, LastNs = Now };
        Send(SensorEventKind.FlowEstablished, flow);
        Seconds += duration;
        flow.Application = application;
        flow.LastNs = Now;
        flow.FromOriginator.Packets = flow.FromResponder.Packets = 6;
        flow.FromOriginator.PayloadBytes = flow.FromResponder.PayloadBytes = 400;
        flow.State = ConnectionState.Closed;
        return Send(SensorEventKind.FlowClosed, flow);
    }

    /// <summary>A SYN that is refused, or ignored.</summary>
    public Scene Try(string client, string server, ushort port, bool refused = true, byte protocol = IpProtocol.Tcp)
    {
        var flow = Flow(client, server, port, protocol);
        Send(SensorEventKind.FlowOpened, flow);
        if (!refused)
            return this;
        flow.State = ConnectionState.Rejected;
        flow.FromResponder = new DirectionCounters { Packets = 1, Bytes = 60, Rst = 1 };
        return Send(SensorEventKind.FlowClosed, flow);
    }

    public Scene Send(SensorEventKind kind, in FlowRecord flow)
    {
        _batch.Add(NextKey(), kind, flow);
        return Play();
    }

    public Scene Arp(string sender, string address, string target, bool reply = false)
    {
        _batch.Add(NextKey(), new Neighbor(Mac(sender), Ip(address), default, Ip(target), reply, 0));
        return Play();
    }

    public Scene Dicom(string client, string server, DicomEvent kind, Action<DicomTransaction>? fill = null)
    {
        var transaction = Endpoints<DicomTransaction>(client, server, 104);
        transaction.Event = kind;
        transaction.CallingAe = "AE" + client[^2..];
        transaction.CalledAe = "AE" + server[^2..];
        transaction.Status = 0;
        fill?.Invoke(transaction);
        _batch.Add(NextKey(), transaction);
        return Play();
    }

    public Scene Hl7(string client, string server, string type = "ADT^A01", Action<Hl7Transaction>? fill = null, string id = "")
    {
        var transaction = Endpoints<Hl7Transaction>(client, server, 2575);
        transaction.Event = Hl7Event.Message;
        transaction.MessageType = type;
        transaction.SendingApplication = "APP" + client[^2..];
        transaction.SendingFacility = "SITE";
        transaction.AckCode = "AA";
        transaction.ControlId.Set(System.Text.Encoding.ASCII.GetBytes(id.Length == 0 ? "M" + _frame : id));
        fill?.Invoke(transaction);
        _batch.Add(NextKey(), transaction);
        return Play();
    }

    /// <summary>A complete handshake of TLS 1.2 with a strong suite, unless told otherwise.</summary>
    public Scene Tls(string client, string server, ushort port, Action<TlsTransaction>? fill = null) => Other<TlsTransaction>(client, server, port, t =>
    {
        (t.Facts.IsComplete, t.Facts.Version, t.Facts.Suite) = (true, 0x0303, 0xC02F);
        fill?.Invoke(t);
    });

    public Scene Smb(string client, string server, SmbEvent kind, Action<SmbTransaction> fill, ushort clientPort = 0) => Other<SmbTransaction>(client, server, 445, t =>
    {
        t.Event = kind;
        if (clientPort != 0)
            t.ClientPort = clientPort;
        fill(t);
    });

    /// <summary>A transaction of any protocol.</summary>
    public Scene Other<T>(string client, string server, ushort port, Action<T> fill)
        where T : Transaction, new()
    {
        var transaction = Endpoints<T>(client, server, port);
        fill(transaction);
        _batch.Add(NextKey(), transaction);
        return Play();
    }

    /// <summary>A transaction over UDP.</summary>
    public Scene Say<T>(string client, string server, ushort port, Action<T> fill)
        where T : Transaction, new()
    {
        var transaction = Endpoints<T>(client, server, port);
        transaction.IpProtocol = IpProtocol.Udp;
        fill(transaction);
        _batch.Add(NextKey(), transaction);
        return Play();
    }

    public Scene Fault(in FlowFault fault)
    {
        _batch.Add(NextKey(), fault);
        return Play();
    }

    /// <summary>A quiet working day: what a site is learned from.</summary>
    public static Site LearnedSite()
    {
        var scene = new Scene();
        foreach (var host in new[] { Pacs, Modality, Workstation, Engine, Sender })
            scene.Arp(host, host, "10.0.0.1");
        for (var i = 0; i < 20; i++)
            scene.Work();
        scene.Finish();
        return scene.Detector.Learn();
    }

    /// <summary>One round of the usual work.</summary>
    public Scene Work()
    {
        Dicom(Modality, Pacs, DicomEvent.AssociateAccept);
        Dicom(Modality, Pacs, DicomEvent.CStore, t => (t.SopClass, t.Study) = ("1.2.840.10008.5.1.4.1.1.2", new Pseudonym(1, 1)));
        Dicom(Modality, Pacs, DicomEvent.Release, t => t.Operations = 1);
        Exchange(Modality, Pacs, 104, ApplicationProtocol.Dicom);
        Dicom(Workstation, Pacs, DicomEvent.AssociateAccept);
        Dicom(Workstation, Pacs, DicomEvent.CFind, t => (t.QueryKeys, t.EmptyKeys, t.PendingResponses, t.SopClass) = (4, 3, 2, "1.2.840.10008.5.1.4.1.2.2.1"));
        Dicom(Workstation, Pacs, DicomEvent.CMove, t => (t.MoveDestination, t.Study) = ("AE12", new Pseudonym(1, (ulong)_frame)));
        Dicom(Workstation, Pacs, DicomEvent.Release, t => t.Operations = 2);
        Exchange(Workstation, Pacs, 104, ApplicationProtocol.Dicom);
        Hl7(Sender, Engine);
        Exchange(Sender, Engine, 2575, ApplicationProtocol.Hl7);
        return Wait(60);
    }

    private T Endpoints<T>(string client, string server, ushort port)
        where T : Transaction, new()
    {
        var transaction = _batch.Rent<T>();
        transaction.Reset();
        transaction.TimeNs = Now;
        transaction.DurationNs = -1;
        transaction.Client = Ip(client);
        transaction.Server = Ip(server);
        transaction.ClientMac = Mac(client);
        transaction.ServerMac = Mac(server);
        transaction.ClientPort = _nextPort++;
        transaction.ServerPort = port;
        transaction.IpProtocol = IpProtocol.Tcp;
        return transaction;
    }

    private EventKey NextKey() => new(Now, _frame++, 0);

    private Scene Play()
    {
        foreach (ref readonly var e in _batch.Events)
            Detector.OnEvent(_batch, e);
        _batch.Clear();
        return this;
    }
}
