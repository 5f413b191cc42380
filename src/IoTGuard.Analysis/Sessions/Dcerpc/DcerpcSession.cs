using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.Dcerpc;

namespace IoTGuard.Analysis.Sessions;

/// <summary>What happened on a DCERPC connection over TCP.</summary>
public enum DcerpcEvent : byte
{
    /// <summary>The client asked for an interface.</summary>
    Bind,

    /// <summary>An operation that tells something was called.</summary>
    Operation,
    Fault,
}

/// <summary>One DCERPC event; arguments are not read. Bytes are those of the PDU.</summary>
public sealed class DcerpcTransaction : Transaction
{
    private static readonly string[] EventNames = ["bind", "operation", "fault"];
    private static readonly string[] UseNames = Array.ConvertAll(Enum.GetNames<DcerpcUse>(), System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName);

    public DcerpcEvent Event { get; set; }

    /// <summary>Name of the interface, or its UUID.</summary>
    public string? Interface { get; set; }

    public DcerpcOperation? Operation { get; set; }

    /// <summary>Calls of the operation on the connection so far.</summary>
    public int Calls { get; set; }

    public string? FaultText { get; set; }

    public override string Protocol => "dcerpc";

    public override string EventName => EventNames[(int)Event];

    public override void Reset()
    {
        Event = DcerpcEvent.Bind;
        Interface = FaultText = null;
        Operation = null;
        Calls = 0;
    }

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        writer.Text("interface", Interface);
        writer.Text("fault", FaultText);
        if (Operation is null)
            return;
        writer.Text("operation", Operation.Name);
        writer.Text("use", UseNames[(int)Operation.Use]);
        writer.Number("calls", Calls);
    }
}

/// <summary>Connection-oriented DCERPC over TCP: the endpoint mapper (135) and the interfaces behind it. Stub data is passed over.</summary>
public sealed class DcerpcSession : StreamSession
{
    /// <summary>First bytes of a bind that are read.</summary>
    public const int MaximumHeadBytes = 512;

    /// <summary>Presentation contexts and operations of a connection that are told apart.</summary>
    public const int MaximumContexts = 16;

    private readonly (ushort Id, DcerpcInterface? Interface)[] _contexts = new (ushort, DcerpcInterface?)[MaximumContexts];
    private readonly (DcerpcOperation? Operation, int Calls)[] _operations = new (DcerpcOperation?, int)[MaximumContexts];
    private readonly bool[] _isLost = new bool[2];
    private int _contextCount;

    public override ApplicationProtocol Protocol => ApplicationProtocol.Dcerpc;

    /// <summary>A bind of version 5 in one of the two usual byte orders.</summary>
    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        ReadOnlySpan<byte> version = [5, 0];
        var start = data[..Math.Min(data.Length, 2)];
        if (!version.StartsWith(start))
            return ProbeResult.NotForUs;
        if (data.Length < DcerpcHeader.Size)
            return data.Length < 5 || (data[2] is (byte)DcerpcType.Bind or (byte)DcerpcType.BindAcknowledge && data[4] is 0 or 0x10) ? ProbeResult.Unsure : ProbeResult.NotForUs;
        return DcerpcHeader.TryRead(data, out var header) && header.Type is DcerpcType.Bind or DcerpcType.BindAcknowledge && data[4] is 0 or 0x10 && data[5] == 0 && data[6] == 0 && data[7] == 0
            && header.Length >= 28
            ? ProbeResult.Certain
            : ProbeResult.NotForUs;
    }

    public override StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (_isLost[(int)direction])
        {
            // After a gap the next segment that begins with a message is where it goes on.
            if (!DcerpcHeader.TryRead(data, out _))
                return new StreamProgress(data.Length);
            _isLost[(int)direction] = false;
        }

        var at = 0;
        while (at < data.Length)
        {
            var rest = data[at..];
            if (rest.Length < DcerpcHeader.Size)
                return new StreamProgress(at, DcerpcHeader.Size);
            if (!DcerpcHeader.TryRead(rest, out var header))
            {
                _isLost[(int)direction] = true;
                context.Flow.Counters.Faults++;
                var fault = Begin(context, direction, DcerpcEvent.Fault, data.Length - at);
                fault.FaultText = "not_dcerpc";
                context.Emit(fault);
                return new StreamProgress(data.Length, 0, Everything);
            }

            var head = Math.Min((int)header.Length, MaximumHeadBytes);
            if (rest.Length < head)
                return new StreamProgress(at, head);
            OnPdu(context, direction, header, rest[..head]);
            var here = Math.Min(header.Length, rest.Length);
            at += here;
            if (here < header.Length)
                return new StreamProgress(at, 0, header.Length - here);
        }

        return new StreamProgress(at);
    }

    public override void OnGap(SessionContext context, FlowDirection direction, long bytes) => _isLost[(int)direction] = true;

    public override void OnEnd(SessionContext context)
    {
    }

    public override void Reset()
    {
        Array.Clear(_contexts);
        Array.Clear(_operations);
        Array.Clear(_isLost);
        _contextCount = 0;
    }

    private static DcerpcTransaction Begin(SessionContext context, FlowDirection client, DcerpcEvent kind, int bytes)
    {
        var transaction = context.Begin<DcerpcTransaction>(client);
        transaction.Event = kind;
        transaction.Bytes = bytes;
        return transaction;
    }

    private void OnPdu(SessionContext context, FlowDirection direction, in DcerpcHeader header, ReadOnlySpan<byte> pdu)
    {
        ref var counters = ref context.Flow.Counters;
        switch (header.Type)
        {
            case DcerpcType.Bind or DcerpcType.AlterContext:
                counters.Requests++;
                OnBind(context, direction, header, pdu);
                break;
            case DcerpcType.Request when header.IsFirst:
                counters.Requests++;
                OnRequest(context, direction, header, pdu);
                break;
            case DcerpcType.Response when header.IsFirst:
            case DcerpcType.BindAcknowledge or DcerpcType.AlterContextResponse:
                counters.Responses++;
                break;
            case DcerpcType.Fault or DcerpcType.BindReject:
                counters.Responses++;
                counters.Failures++;
                break;
        }
    }

    private void OnBind(SessionContext context, FlowDirection direction, in DcerpcHeader header, ReadOnlySpan<byte> pdu)
    {
        var elements = header.Contexts(pdu);
        var isFirst = true;
        while (elements.MoveNext())
        {
            var known = DcerpcInterface.Find(elements.Interface);
            if (_contextCount < MaximumContexts)
                _contexts[_contextCount++] = (elements.Id, known);
            if (!isFirst)
                continue;

            // Further contexts of a bind are mostly the same interface in another encoding.
            isFirst = false;
            var transaction = Begin(context, direction, DcerpcEvent.Bind, header.Length);
            transaction.Interface = known?.Name ?? NameOf(context, elements.Interface);
            context.Emit(transaction);
        }
    }

    private void OnRequest(SessionContext context, FlowDirection direction, in DcerpcHeader header, ReadOnlySpan<byte> pdu)
    {
        if (!header.TryReadRequest(pdu, out var id, out var number))
            return;
        DcerpcInterface? known = null;
        foreach (var (contextId, bound) in _contexts.AsSpan(0, _contextCount))
        {
            if (contextId == id)
                known = bound ?? known;
        }

        if (known is null || !known.Operations.TryGetValue(number, out var operation))
            return;
        foreach (ref var counted in _operations.AsSpan())
        {
            if (counted.Operation is not null && counted.Operation != operation)
                continue;
            counted.Operation = operation;
            if (++counted.Calls <= SmbSession.CallsInFull || int.IsPow2(counted.Calls))
            {
                var transaction = Begin(context, direction, DcerpcEvent.Operation, header.Length);
                transaction.Interface = known.Name;
                transaction.Operation = operation;
                transaction.Calls = counted.Calls;
                context.Emit(transaction);
            }

            return;
        }
    }

    private static string? NameOf(SessionContext context, Guid id)
    {
        Span<byte> text = stackalloc byte[36];
        return id.TryFormat(text, out var written) ? context.Texts.Of(text[..written]) : null;
    }
}
