using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.Dns;

namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// The messages of one flow: questions wait for their answers, at most <see cref="MaximumOutstanding"/> at once; the oldest is given up, unanswered, for
/// one more. What is sent to all is emitted at once, since its answers travel on other flows.
/// </summary>
internal sealed class DnsExchanges
{
    /// <summary>Questions of a flow that wait for their answers.</summary>
    public const int MaximumOutstanding = 16;

    /// <summary>Malformed messages of a flow that are told; further ones are counted.</summary>
    public const int MaximumMalformed = 8;

    private const ushort DnsPort = 53;
    private const ushort NetBiosPort = 137;
    private const ushort MdnsPort = 5353;
    private const ushort LlmnrPort = 5355;

    // Made when needed, since most flows carry one question: the first are in use, in the order they came.
    private readonly List<DnsTransaction> _waiting = [];
    private readonly List<FlowDirection> _askers = [];
    private int _count;
    private int _malformed;
    private ushort _transferId;
    private bool _isTransfer;

    public static ApplicationProtocol KindOf(in FlowRecord flow)
    {
        if (flow.ResponderPort == DnsPort || flow.OriginatorPort == DnsPort)
            return ApplicationProtocol.Dns;
        if (flow.ResponderPort == MdnsPort || flow.OriginatorPort == MdnsPort)
            return ApplicationProtocol.Mdns;
        if (flow.ResponderPort == LlmnrPort || flow.OriginatorPort == LlmnrPort)
            return ApplicationProtocol.Llmnr;
        return flow.ResponderPort == NetBiosPort || flow.OriginatorPort == NetBiosPort ? ApplicationProtocol.Nbns : ApplicationProtocol.Dns;
    }

    /// <summary>A message, as far as it was captured.</summary>
    public void OnMessage(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> message, int cut)
    {
        if (!DnsHeader.TryRead(message, out var header))
        {
            Malformed(context, direction, message.Length + cut);
            return;
        }

        if (header.IsResponse)
            OnResponse(context, direction, header, message, cut);
        else
            OnQuestion(context, direction, header, message, cut);
    }

    /// <summary>Emits what still waits.</summary>
    public void OnEnd(SessionContext context)
    {
        while (_count > 0)
            GiveUpOldest(context);
    }

    public void Reset()
    {
        _count = _malformed = 0;
        _isTransfer = false;
    }

    private void OnQuestion(SessionContext context, FlowDirection direction, in DnsHeader header, ReadOnlySpan<byte> message, int cut)
    {
        ref var flow = ref context.Flow;
        var isGroup = Wire.Network.IpAddresses.IsGroup(flow.Responder) || flow.ResponderMac.IsGroup;
        if (!isGroup && FindWaiting(direction, header.Id) is var known and >= 0)
        {
            _waiting[known].Repeats++;
            return;
        }

        flow.Counters.Requests++;
        if (isGroup)
        {
            var transaction = context.Begin<DnsTransaction>(direction);
            DnsFiller.Begin(transaction, flow.Application, header);
            if (!DnsFiller.FillQuestion(transaction, header, message, cut))
                flow.Counters.Faults++;
            if (flow.Application == ApplicationProtocol.Nbns && transaction.Event == DnsEvent.Registration)
                DnsFiller.FillAnswers(context, transaction, header, message, isSpeaker: true);
            transaction.Bytes = transaction.QueryBytes;
            context.Emit(transaction);
            return;
        }

        if (_count == MaximumOutstanding)
            GiveUpOldest(context);
        if (_count == _waiting.Count)
        {
            _waiting.Add(new DnsTransaction());
            _askers.Add(direction);
        }

        var question = _waiting[_count];
        question.Reset();
        question.TimeNs = context.TimeNs;
        DnsFiller.Begin(question, flow.Application, header);
        if (!DnsFiller.FillQuestion(question, header, message, cut) && cut == 0)
        {
            Malformed(context, direction, message.Length);
            return;
        }

        _askers[_count++] = direction;
        if (question.Type is DnsType.Axfr or DnsType.Ixfr)
            (_isTransfer, _transferId) = (true, question.Id);
    }

    private void OnResponse(SessionContext context, FlowDirection direction, in DnsHeader header, ReadOnlySpan<byte> message, int cut)
    {
        ref var counters = ref context.Flow.Counters;
        var asker = direction == FlowDirection.FromOriginator ? FlowDirection.FromResponder : FlowDirection.FromOriginator;
        var index = FindWaiting(asker, header.Id);
        if (index < 0 && _isTransfer && header.Id == _transferId)
        {
            counters.Interim++;
            return;
        }

        counters.Responses++;
        if (header.ResponseCode != 0)
            counters.Failures++;
        var isTold = context.Flow.Application == ApplicationProtocol.Mdns && index < 0;
        var transaction = context.Begin<DnsTransaction>(isTold ? direction : asker);
        DnsFiller.Begin(transaction, context.Flow.Application, header);
        var isRead = true;
        if (index >= 0)
        {
            transaction.CopyQuestionFrom(_waiting[index]);
            transaction.DurationNs = context.TimeNs - transaction.TimeNs;
            transaction.IsAnswered = true;
            RemoveAt(index);
        }
        else
        {
            transaction.Event = isTold ? DnsEvent.Announcement : DnsEvent.Response;
            isRead = DnsFiller.FillQuestion(transaction, header, message, 0);
            transaction.QueryBytes = 0;
        }

        DnsFiller.FillResponse(transaction, header, message.Length + cut);
        if (!DnsFiller.FillAnswers(context, transaction, header, message, isSpeaker: isTold) || !isRead)
            counters.Faults += cut == 0 ? 1 : 0;
        transaction.Bytes = transaction.QueryBytes + transaction.ResponseBytes;
        context.Emit(transaction);
    }

    private int FindWaiting(FlowDirection asker, ushort id)
    {
        for (var i = 0; i < _count; i++)
        {
            if (_waiting[i].Id == id && _askers[i] == asker)
                return i;
        }

        return -1;
    }

    private void GiveUpOldest(SessionContext context)
    {
        var transaction = context.Begin<DnsTransaction>(_askers[0]);
        transaction.CopyQuestionFrom(_waiting[0]);
        context.Emit(transaction);
        RemoveAt(0);
    }

    private void RemoveAt(int index)
    {
        var free = _waiting[index];
        _waiting.RemoveAt(index);
        _askers.RemoveAt(index);
        _waiting.Add(free);
        _askers.Add(default);
        _count--;
    }

    private void Malformed(SessionContext context, FlowDirection direction, int bytes)
    {
        context.Flow.Counters.Faults++;
        if (++_malformed > MaximumMalformed)
            return;
        var transaction = context.Begin<DnsTransaction>(direction);
        transaction.Kind = context.Flow.Application;
        transaction.Event = DnsEvent.Malformed;
        transaction.Bytes = bytes;
        context.Emit(transaction);
    }
}
