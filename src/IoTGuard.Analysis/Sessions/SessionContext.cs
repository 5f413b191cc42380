using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Streams;
using IoTGuard.Wire;

namespace IoTGuard.Analysis.Sessions;

/// <summary>What a session may use while it is called: time, its flow, texts, pseudonyms, and the way to emit transactions. One per worker.</summary>
public sealed class SessionContext(Pseudonymizer pseudonyms)
{
    private FlowRecord[] _flows = new FlowRecord[1];
    private int _flow;
    private EventBatch? _output;
    private int _sequence;
    private Conversation? _conversation;
    private bool _handOver;
    private Hl7HeaderReader? _hl7Headers;

    /// <summary>Clock of the run: packet time of the newest packet, ns since 1970.</summary>
    public long TimeNs { get; private set; }

    /// <summary>Number of the frame that is being worked on.</summary>
    public long Frame { get; private set; }

    public TextInterner Texts { get; } = new();

    public Pseudonymizer Pseudonyms { get; } = pseudonyms;

    /// <summary>For those who take the events, on their thread: makes the pseudonyms that they ask for.</summary>
    internal Pseudonymizer PseudonymsOnDemand { get; } = pseudonyms.Another();

    internal Hl7HeaderReader Hl7Headers => _hl7Headers ??= new Hl7HeaderReader(Texts);

    /// <summary>Faults that were not handed on because their flow had reached <see cref="FlowLimits.MaximumFaultsPerFlow"/>.</summary>
    public long FaultsSuppressed { get; private set; }

    /// <summary>
    /// The flow whose session is called; <see cref="FlowRecord.Counters"/> in it may be raised. Its packet counters are those of the last event.
    /// </summary>
    public ref FlowRecord Flow => ref _conversation is { } conversation ? ref conversation.Record : ref _flows[_flow];

    /// <summary>Points the context at a frame. Called by the sensor.</summary>
    public void AtFrame(long timeNs, long frame, EventBatch output)
    {
        TimeNs = timeNs;
        Frame = frame;
        _output = output;
        _sequence = 0;
    }

    /// <summary>
    /// Points the context at the time when something was due in a flow. <paramref name="sequence"/> keeps the events of different causes apart that
    /// could fall on the same time.
    /// </summary>
    internal void AtDue(long timeNs, long firstFrame, int sequence, EventBatch output)
    {
        AtFrame(timeNs, firstFrame, output);
        _sequence = sequence;
    }

    /// <summary>Points the context at the flow whose session is called next. Called by the sensor.</summary>
    public void AtFlow(FlowRecord[] flows, int index)
    {
        _flows = flows;
        _flow = index;
        _conversation = null;
    }

    internal void AtConversation(Conversation conversation)
    {
        _conversation = conversation;
        _handOver = false;
    }

    /// <summary>A fresh transaction with time and endpoints filled in.</summary>
    /// <param name="client">The direction that the client of the transaction sends in.</param>
    public T Begin<T>(FlowDirection client = FlowDirection.FromOriginator)
        where T : Transaction, new()
    {
        var transaction = Rent<T>();
        transaction.TimeNs = TimeNs;
        transaction.DurationNs = -1;
        transaction.Bytes = 0;
        Address(transaction, client);
        transaction.Reset();
        return transaction;
    }

    /// <summary>A transaction with any content, for a session that fills it over several calls and emits it once it is complete.</summary>
    internal T Rent<T>()
        where T : Transaction, new()
    {
        var transaction = _output!.Rent<T>();
        transaction.ForgetClaims();
        return transaction;
    }

    /// <summary>Fills the endpoints of a transaction in.</summary>
    internal void Address(Transaction transaction, FlowDirection client)
    {
        ref readonly var flow = ref Flow;
        var forward = client == FlowDirection.FromOriginator;
        transaction.Client = forward ? flow.Originator : flow.Responder;
        transaction.Server = forward ? flow.Responder : flow.Originator;
        transaction.ClientPort = forward ? flow.OriginatorPort : flow.ResponderPort;
        transaction.ServerPort = forward ? flow.ResponderPort : flow.OriginatorPort;
        transaction.ClientMac = forward ? flow.OriginatorMac : flow.ResponderMac;
        transaction.ServerMac = forward ? flow.ResponderMac : flow.OriginatorMac;
        transaction.IpProtocol = flow.IpProtocol;
        transaction.IsAnswered = flow.IpProtocol == Wire.Network.IpProtocol.Tcp;
        transaction.Encapsulation = flow.Encapsulation;
    }

    /// <summary>
    /// A stream session is done with the connection: what follows its consumed bytes, in both directions, is another protocol's (STARTTLS, HTTP
    /// CONNECT). To be called within <see cref="StreamSession.OnData"/> only. The session is ended after that call, and the probes look anew. Within
    /// <see cref="DatagramSession.OnDatagram"/>: the datagram is not its own; another session has the flow from there when a probe recognises it.
    /// </summary>
    public void HandOver() => _handOver = true;

    internal bool TakeHandOver()
    {
        var handOver = _handOver;
        _handOver = false;
        return handOver;
    }

    /// <summary>Hands a transaction on, which is the batch's from then on; it must have come from <see cref="Begin{T}"/> or <see cref="Rent{T}"/>.</summary>
    public void Emit(Transaction transaction) => _output!.Add(new EventKey(TimeNs, Frame, _sequence++), transaction);

    /// <summary>Hands a flow record on. Called by the sensor.</summary>
    public void Emit(SensorEventKind kind, in FlowRecord flow) => _output!.Add(new EventKey(TimeNs, Frame, _sequence++), kind, flow);

    /// <summary>Hands a stream fault of the present flow on, unless the flow had <see cref="FlowLimits.MaximumFaultsPerFlow"/> already.</summary>
    public void Emit(in Fault fault)
    {
        if (_conversation is { } conversation)
        {
            if (conversation.Faults == FlowLimits.MaximumFaultsPerFlow)
            {
                FaultsSuppressed++;
                return;
            }

            conversation.Faults++;
            conversation.Refresh();
        }

        _output!.Add(new EventKey(TimeNs, Frame, _sequence++), new FlowFault(fault, Flow));
    }

    internal void Emit(in Neighbor neighbor) => _output!.Add(new EventKey(TimeNs, Frame, _sequence++), neighbor);
}
