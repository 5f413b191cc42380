using System.Buffers.Binary;
using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.IntelliVue;

namespace IoTGuard.Analysis.Sessions;

/// <summary>What happened between a monitor and a collector, without any measurement.</summary>
public struct IntelliVueFacts
{
    public IntelliVueMessageKind Kind;

    /// <summary>Polls aggregated in this event, and the messages and bytes that answered them.</summary>
    public int Polls;
    public int Results;

    /// <summary>An association request: how it was answered.</summary>
    public IntelliVueMessageKind Answer;

    /// <summary>Manufacturer and model of the monitor.</summary>
    public string? Manufacturer;
    public string? Model;
}

/// <summary>An event of the IntelliVue data export interface.</summary>
public sealed class IntelliVueTransaction : FactTransaction<IntelliVueFacts>
{
    public override string Protocol => "intellivue";

    public override string EventName => Facts.Kind switch
    {
        IntelliVueMessageKind.ConnectIndication => "connect_indication",
        IntelliVueMessageKind.AssociationRequest => "association",
        IntelliVueMessageKind.ReleaseRequest => "release",
        IntelliVueMessageKind.AssociationAbort => "abort",
        IntelliVueMessageKind.MdsCreate => "mds_create",
        IntelliVueMessageKind.PollRequest => "polls",
        IntelliVueMessageKind.Set => "set",
        IntelliVueMessageKind.Get => "get",
        _ => "error",
    };

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        if (Facts.Kind == IntelliVueMessageKind.AssociationRequest && Facts.Answer != IntelliVueMessageKind.None)
            writer.Text("answer", Facts.Answer == IntelliVueMessageKind.AssociationResponse ? "accepted" : "refused");
        writer.Text("manufacturer", Facts.Manufacturer);
        writer.Text("model", Facts.Model);
        if (Facts.Kind != IntelliVueMessageKind.PollRequest)
            return;
        writer.Number("polls", Facts.Polls);
        writer.Number("results", Facts.Results);
    }
}

/// <summary>
/// The Philips IntelliVue data export protocol over UDP (24105, connect indications 24005). Patients' data are neither read nor kept: polls and their results
/// are counted by their headers.
/// </summary>
public sealed class IntelliVueSession() : ExchangeSession<IntelliVueTransaction, IntelliVueFacts>(MaximumOutstanding)
{
    /// <summary>Association requests of a flow that wait for their answers.</summary>
    public const int MaximumOutstanding = 2;

    /// <summary>Polls are told together over at most this time, ns of packet time.</summary>
    public const long PeriodNs = 60_000_000_000;

    private const ulong Association = ulong.MaxValue;

    // NOM_ATTR_ID_MODEL: two texts, each with its length.
    private const ushort SystemModel = 0x0928;
    private IntelliVueFacts _polls;
    private long _pollBytes;
    private long _pollsFromNs;
    private long _pollsToNs;
    private FlowDirection _poller;

    public override ApplicationProtocol Protocol => ApplicationProtocol.IntelliVue;

    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (!IntelliVueMessage.TryRead(data, out var message))
            return ProbeResult.NotForUs;
        return message.Kind is IntelliVueMessageKind.ConnectIndication or IntelliVueMessageKind.MdsCreate or IntelliVueMessageKind.PollRequest && data.Length >= 18
            ? ProbeResult.Certain
            : ProbeResult.Likely;
    }

    public override void OnDatagram(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data, int cut)
    {
        if (!IntelliVueMessage.TryRead(data, out var message))
        {
            context.Flow.Counters.Faults++;
            return;
        }

        if (_polls.Polls + _polls.Results > 0 && context.TimeNs - _pollsFromNs >= PeriodNs)
            EmitPolls(context);
        var bytes = data.Length + cut;
        switch (message.Kind)
        {
            case IntelliVueMessageKind.AssociationRequest:
                context.Flow.Counters.Associations++;
                Ask(context, direction, Association, new IntelliVueFacts { Kind = message.Kind }, bytes);
                break;
            case IntelliVueMessageKind.AssociationResponse or IntelliVueMessageKind.AssociationRefuse:
                if (message.Kind == IntelliVueMessageKind.AssociationRefuse)
                    context.Flow.Counters.Failures++;
                if (Answer(context, direction, Association, bytes) is not { } association)
                    break;
                association.Facts.Answer = message.Kind;
                association.Claim(association.Server, ClaimKind.Class, "intellivue monitor");
                association.Claim(association.Server, ClaimKind.Vendor, "Philips");
                context.Emit(association);
                break;
            case IntelliVueMessageKind.ConnectIndication or IntelliVueMessageKind.MdsCreate:
                Describe(context, direction, message, bytes);
                break;
            case IntelliVueMessageKind.PollRequest:
                CountPoll(context, direction, bytes);
                _polls.Polls++;
                context.Flow.Counters.Requests++;
                break;
            case IntelliVueMessageKind.PollResult:
                CountPoll(context, 1 - direction, bytes);
                _polls.Results++;
                context.Flow.Counters.Responses++;
                context.Flow.Counters.Objects++;
                context.Flow.Counters.ObjectBytes += bytes;
                break;
            case IntelliVueMessageKind.ReleaseRequest or IntelliVueMessageKind.AssociationAbort or IntelliVueMessageKind.Set or IntelliVueMessageKind.Get
                or IntelliVueMessageKind.Error:
                if (message.Kind == IntelliVueMessageKind.Error)
                    context.Flow.Counters.Failures++;
                Tell(context, direction, new IntelliVueFacts { Kind = message.Kind }, bytes);
                break;
            default:
                break;
        }
    }

    public override void OnEnd(SessionContext context)
    {
        base.OnEnd(context);
        if (_polls.Polls + _polls.Results > 0)
            EmitPolls(context);
    }

    public override void Reset()
    {
        base.Reset();
        _polls = default;
        _pollBytes = _pollsFromNs = _pollsToNs = 0;
    }

    private static void Describe(SessionContext context, FlowDirection direction, in IntelliVueMessage message, int bytes)
    {
        var transaction = context.Begin<IntelliVueTransaction>(direction);
        transaction.Facts.Kind = message.Kind;
        transaction.Bytes = bytes;
        var attributes = new IntelliVueAttributeReader(message.Attributes);
        while (attributes.TryRead(out var id, out var value))
        {
            if (id != SystemModel)
                continue;
            transaction.Facts.Manufacturer = LabelOf(context, ref value);
            transaction.Facts.Model = LabelOf(context, ref value);
        }

        transaction.Claim(transaction.Client, ClaimKind.Class, "intellivue monitor");
        transaction.Claim(transaction.Client, ClaimKind.Vendor, transaction.Facts.Manufacturer ?? "Philips");
        transaction.Claim(transaction.Client, ClaimKind.Model, transaction.Facts.Model);
        context.Emit(transaction);
    }

    /// <summary>VariableLabel: two bytes of length, text.</summary>
    private static string? LabelOf(SessionContext context, ref ReadOnlySpan<byte> value)
    {
        if (value.Length < 2 || value.Length < 2 + BinaryPrimitives.ReadUInt16BigEndian(value))
        {
            value = default;
            return null;
        }

        var label = value.Slice(2, BinaryPrimitives.ReadUInt16BigEndian(value));
        value = value[(2 + label.Length)..];
        return context.Texts.Of(label);
    }

    private void CountPoll(SessionContext context, FlowDirection poller, int bytes)
    {
        if (_polls.Polls + _polls.Results == 0)
            (_pollsFromNs, _poller) = (context.TimeNs, poller);
        _pollsToNs = context.TimeNs;
        _pollBytes += bytes;
    }

    private void EmitPolls(SessionContext context)
    {
        var transaction = context.Begin<IntelliVueTransaction>(_poller);
        transaction.Facts = _polls;
        transaction.Facts.Kind = IntelliVueMessageKind.PollRequest;
        transaction.TimeNs = _pollsFromNs;
        transaction.DurationNs = _pollsToNs - _pollsFromNs;
        transaction.Bytes = _pollBytes;
        transaction.IsAnswered = _polls.Results > 0;
        context.Emit(transaction);
        _polls = default;
        _pollBytes = 0;
    }
}
