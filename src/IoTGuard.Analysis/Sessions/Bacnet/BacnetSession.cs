using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.Bacnet;

namespace IoTGuard.Analysis.Sessions;

/// <summary>What BACnet messages say.</summary>
public struct BacnetFacts
{
    public BacnetPdu Pdu;
    public byte Service;

    /// <summary>BVLC function of messages without an application PDU.</summary>
    public byte Function;

    /// <summary>Object type and instance, and property, of the first that is named.</summary>
    public bool HasObject;
    public int ObjectType;
    public int Instance;
    public int Property;

    /// <summary>I-Am: vendor id.</summary>
    public int Vendor;

    /// <summary>How a confirmed request was answered.</summary>
    public BacnetPdu Answer;

    /// <summary>Reads aggregated in this event, and how many of them failed; 0 elsewhere.</summary>
    public int Reads;
    public int FailedReads;
}

/// <summary>A BACnet service with its answer, or the reads of a flow over a stretch of time.</summary>
public sealed class BacnetTransaction : FactTransaction<BacnetFacts>
{
    private static readonly string[] Unconfirmed =
    [
        "i_am", "i_have", "cov_notification", "event_notification", "private_transfer", "text_message", "time_synchronization", "who_has", "who_is",
        "utc_time_synchronization", "write_group", "cov_notification_multiple",
    ];

    private static readonly string[] Confirmed =
    [
        "acknowledge_alarm", "confirmed_cov_notification", "confirmed_event_notification", "get_alarm_summary", "get_enrollment_summary", "subscribe_cov",
        "atomic_read_file", "atomic_write_file", "add_list_element", "remove_list_element", "create_object", "delete_object", "read_property",
        "read_property_conditional", "read_property_multiple", "write_property", "write_property_multiple", "device_communication_control",
        "confirmed_private_transfer", "confirmed_text_message", "reinitialize_device", "vt_open", "vt_close", "vt_data", "authenticate", "request_key",
        "read_range", "life_safety_operation", "subscribe_cov_property", "get_event_information", "subscribe_cov_property_multiple",
    ];

    private static readonly string[] Answers = ["", "", "ack", "ack", "segment_ack", "error", "reject", "abort"];

    private static readonly string[] Functions =
    [
        "bvlc_result", "write_broadcast_table", "read_broadcast_table", "read_broadcast_table_ack", "forwarded", "register_foreign_device",
        "read_foreign_devices", "read_foreign_devices_ack", "delete_foreign_device", "distribute_broadcast", "network_message", "network_message", "secure",
    ];

    public override string Protocol => "bacnet";

    public override string EventName
    {
        get
        {
            if (Facts.Reads > 0)
                return "reads";
            return Facts.Pdu switch
            {
                BacnetPdu.UnconfirmedRequest => Facts.Service < Unconfirmed.Length ? Unconfirmed[Facts.Service] : "other",
                BacnetPdu.ConfirmedRequest => Facts.Service < Confirmed.Length ? Confirmed[Facts.Service] : "other",
                BacnetPdu.None => Facts.Function < Functions.Length ? Functions[Facts.Function] : "other",
                _ => Answers[(int)Facts.Pdu & 7],
            };
        }
    }

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        if (Facts.Reads > 0)
        {
            writer.Number("reads", Facts.Reads);
            writer.Number("failed", Facts.FailedReads);
            return;
        }

        if (Facts.HasObject)
        {
            writer.Number("object_type", Facts.ObjectType);
            writer.Number("instance", Facts.Instance);
        }

        if (Facts.Property > 0)
            writer.Number("property", Facts.Property);
        if (Facts.Vendor > 0)
            writer.Number("vendor_id", Facts.Vendor);
        if (Facts.Answer is not (BacnetPdu.ConfirmedRequest or BacnetPdu.None))
            writer.Text("answer", Answers[(int)Facts.Answer & 7]);
    }
}

/// <summary>
/// BACnet/IP (ANSI/ASHRAE 135, annex J). Services that change or announce something are told one by one; reads and notifications, of which controllers
/// send hundreds a second, by count.
/// </summary>
public sealed class BacnetSession() : ExchangeSession<BacnetTransaction, BacnetFacts>(MaximumOutstanding)
{
    /// <summary>Confirmed requests of a flow that wait for their answers.</summary>
    public const int MaximumOutstanding = 16;

    /// <summary>Reads are told together over at most this time, ns of packet time.</summary>
    public const long PeriodNs = 60_000_000_000;

    private const byte IAm = 0;
    private const byte ObjectIdentifierTag = 12;
    private const byte UnsignedTag = 2;
    private const byte ReadProperty = 12;
    private const byte ReadPropertyMultiple = 14;
    private const byte ReadRange = 26;
    private const byte ConfirmedChange = 1;
    private const byte UnconfirmedChange = 2;
    private BacnetFacts _reads;
    private long _readBytes;
    private long _readsFromNs;
    private long _readsToNs;
    private FlowDirection _reader;

    public override ApplicationProtocol Protocol => ApplicationProtocol.Bacnet;

    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (data.Length < 4 || data[0] != 0x81 || ((data[2] << 8) | data[3]) != data.Length || !BacnetMessage.TryRead(data, out var message))
            return ProbeResult.NotForUs;
        return message.Pdu != BacnetPdu.None ? ProbeResult.Certain : ProbeResult.Likely;
    }

    public override void OnDatagram(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data, int cut)
    {
        if (!BacnetMessage.TryRead(data, out var message))
        {
            context.Flow.Counters.Faults++;
            return;
        }

        if (_reads.Reads > 0 && context.TimeNs - _readsFromNs >= PeriodNs)
            EmitReads(context);
        var bytes = data.Length + cut;
        var facts = new BacnetFacts { Pdu = message.Pdu, Service = message.Service, Function = message.Function };
        switch (message.Pdu)
        {
            case BacnetPdu.ConfirmedRequest when message.Service is ReadProperty or ReadPropertyMultiple or ReadRange or ConfirmedChange:
                CountRead(context, direction, bytes);
                break;
            case BacnetPdu.ConfirmedRequest:
                Name(ref facts, message.Parameters);
                Ask(context, direction, message.InvokeId, facts, bytes);
                break;
            case BacnetPdu.UnconfirmedRequest when message.Service == UnconfirmedChange:
                CountRead(context, direction, bytes);
                break;
            case BacnetPdu.UnconfirmedRequest:
                context.Flow.Counters.Requests++;
                var transaction = context.Begin<BacnetTransaction>(direction);
                if (message.Service == IAm)
                    Announce(context, transaction, ref facts, message.Parameters);
                transaction.Facts = facts;
                transaction.Bytes = bytes;
                context.Emit(transaction);
                break;
            case BacnetPdu.SimpleAck or BacnetPdu.ComplexAck or BacnetPdu.Error or BacnetPdu.Reject or BacnetPdu.Abort:
                OnAnswer(context, direction, message, bytes);
                break;
            case BacnetPdu.None:
                Tell(context, direction, facts, bytes);
                break;
            default:
                break;
        }
    }

    public override void OnEnd(SessionContext context)
    {
        base.OnEnd(context);
        if (_reads.Reads > 0)
            EmitReads(context);
    }

    public override void Reset()
    {
        base.Reset();
        _reads = default;
        _readBytes = _readsFromNs = _readsToNs = 0;
    }

    private void OnAnswer(SessionContext context, FlowDirection direction, in BacnetMessage message, int bytes)
    {
        var isFailure = message.Pdu is BacnetPdu.Error or BacnetPdu.Reject or BacnetPdu.Abort;
        if (isFailure)
            context.Flow.Counters.Failures++;
        if (Answer(context, direction, message.InvokeId, bytes) is { } answered)
        {
            answered.Facts.Answer = message.Pdu;
            context.Emit(answered);
            return;
        }

        context.Flow.Counters.Responses++;
        _readBytes += bytes;
        _reads.FailedReads += isFailure ? 1 : 0;
    }

    private void CountRead(SessionContext context, FlowDirection direction, int bytes)
    {
        if (_reads.Reads++ == 0)
            (_readsFromNs, _reader) = (context.TimeNs, direction);
        _readsToNs = context.TimeNs;
        _readBytes += bytes;
        context.Flow.Counters.Requests++;
    }

    private void EmitReads(SessionContext context)
    {
        var transaction = context.Begin<BacnetTransaction>(_reader);
        transaction.Facts = _reads;
        transaction.TimeNs = _readsFromNs;
        transaction.DurationNs = _readsToNs - _readsFromNs;
        transaction.Bytes = _readBytes;
        context.Emit(transaction);
        _reads = default;
        _readBytes = 0;
    }

    /// <summary>The object and property that a request names first, in contexts 0 and 1 (15.9, 15.10).</summary>
    private static void Name(ref BacnetFacts facts, ReadOnlySpan<byte> parameters)
    {
        if (!BacnetMessage.TryReadTag(ref parameters, out var number, out var isContext, out var value) || !isContext || number != 0 || value.Length != 4)
            return;
        SetObject(ref facts, value);
        if (BacnetMessage.TryReadTag(ref parameters, out number, out isContext, out value) && isContext && number == 1 && value.Length is > 0 and <= 4)
            facts.Property = (int)BacnetMessage.ToUnsigned(value);
    }

    /// <summary>I-Am: the device, its longest PDU, segmentation, vendor (16.10.1).</summary>
    private static void Announce(SessionContext context, BacnetTransaction transaction, ref BacnetFacts facts, ReadOnlySpan<byte> parameters)
    {
        if (!BacnetMessage.TryReadTag(ref parameters, out var number, out var isContext, out var value) || isContext || number != ObjectIdentifierTag || value.Length != 4)
            return;
        SetObject(ref facts, value);
        BacnetMessage.TryReadTag(ref parameters, out _, out _, out _);
        BacnetMessage.TryReadTag(ref parameters, out _, out _, out _);
        if (BacnetMessage.TryReadTag(ref parameters, out number, out _, out value) && number == UnsignedTag)
            facts.Vendor = (int)BacnetMessage.ToUnsigned(value);
        transaction.Claim(transaction.Client, ClaimKind.Class, "bacnet device");
        Span<byte> text = stackalloc byte[32];
        "bacnet-vendor "u8.CopyTo(text);
        System.Buffers.Text.Utf8Formatter.TryFormat(facts.Vendor, text[14..], out var written);
        transaction.Claim(transaction.Client, ClaimKind.Fingerprint, context.Texts.Of(text[..(14 + written)]));
    }

    /// <summary>Ten bits of type, 22 of instance (20.2.14).</summary>
    private static void SetObject(ref BacnetFacts facts, ReadOnlySpan<byte> value)
    {
        var identifier = BacnetMessage.ToUnsigned(value);
        facts.HasObject = true;
        facts.ObjectType = (int)(identifier >> 22);
        facts.Instance = (int)(identifier & 0x3F_FFFF);
    }
}
