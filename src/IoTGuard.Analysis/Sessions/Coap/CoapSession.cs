using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.Coap;

namespace IoTGuard.Analysis.Sessions;

/// <summary>What CoAP messages say.</summary>
public struct CoapFacts
{
    /// <summary>Code of the request (class × 32 + detail), and of the response; 0 = none seen.</summary>
    public byte Code;
    public byte Answer;
    public bool IsConfirmable;
    public bool IsObserve;
    public int QueryOptions;
    public int PayloadBytes;
    public int AnswerBytes;

    /// <summary>The path with what may be an identifier replaced.</summary>
    public WireText Path;
}

/// <summary>One CoAP request with its response.</summary>
public sealed class CoapTransaction : FactTransaction<CoapFacts>
{
    private static readonly string[] Methods = ["empty", "get", "post", "put", "delete", "fetch", "patch", "ipatch"];

    public override string Protocol => "coap";

    public override string EventName => Facts.Code < Methods.Length ? Methods[Facts.Code] : Facts.Code < 32 ? "other" : "response";

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        writer.Text("path", Facts.Path.Bytes);
        var answer = Facts.Code >= 32 ? Facts.Code : Facts.Answer;
        if (answer != 0)
            writer.Text("code", string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{answer >> 5}.{answer & 31:00}"));

        writer.Flag("confirmable", Facts.IsConfirmable);
        if (Facts.IsObserve)
            writer.Flag("observe", true);
        if (Facts.QueryOptions > 0)
            writer.Number("queries", Facts.QueryOptions);
        writer.Number("payload_bytes", Facts.PayloadBytes);
        if (IsAnswered)
            writer.Number("response_bytes", Facts.AnswerBytes);
    }
}

/// <summary>CoAP (RFC 7252) over UDP: requests paired with responses by token.</summary>
public sealed class CoapSession() : ExchangeSession<CoapTransaction, CoapFacts>(MaximumOutstanding)
{
    /// <summary>Requests of a flow that wait for their responses.</summary>
    public const int MaximumOutstanding = 16;

    public override ApplicationProtocol Protocol => ApplicationProtocol.Coap;

    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data) =>
        CoapMessage.TryRead(data, out var message) && message.IsPlausible ? ProbeResult.Likely : ProbeResult.NotForUs;

    public override void OnDatagram(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data, int cut)
    {
        if (!CoapMessage.TryRead(data, out var message))
        {
            context.Flow.Counters.Faults++;
            return;
        }

        // Empty messages acknowledge or reset and tell nothing of their own.
        if (message.Code == 0)
            return;
        var bytes = data.Length + cut;
        var facts = new CoapFacts { Code = message.Code, IsConfirmable = message.Type == 0 };
        Span<byte> path = stackalloc byte[WireText.Capacity];
        var length = 0;
        var options = message.Options;
        while (options.TryRead(out var number, out var value))
        {
            if (number == CoapOption.UriPath)
                length = ShapedPath.Append(path, length, value);
            else if (number == CoapOption.UriQuery)
                facts.QueryOptions++;
            else if (number == CoapOption.Observe)
                facts.IsObserve = true;
        }

        facts.Path.Set(path[..length]);
        facts.PayloadBytes = options.PayloadLength + cut;
        if (message.Code < 32)
        {
            Ask(context, direction, message.Token, facts, bytes);
            return;
        }

        if (message.Code >= 128)
            context.Flow.Counters.Failures++;
        if (Answer(context, direction, message.Token, bytes) is { } transaction)
        {
            transaction.Facts.Answer = message.Code;
            transaction.Facts.AnswerBytes = facts.PayloadBytes;
            context.Emit(transaction);
            return;
        }

        Tell(context, 1 - direction, facts, bytes);
    }
}

/// <summary>A path of which only the shape is kept: segments that may be identifiers are replaced by {id}.</summary>
internal static class ShapedPath
{
    /// <summary>Digits in a segment from which on it may be an identifier.</summary>
    private const int Digits = 3;

    /// <summary>Longest segment that is kept, bytes.</summary>
    private const int MaximumSegment = 24;

    /// <summary>Appends a slash and the segment or {id}. Returns the new length; what does not fit is left out.</summary>
    public static int Append(Span<byte> path, int length, ReadOnlySpan<byte> segment)
    {
        var digits = 0;
        foreach (var octet in segment)
            digits += octet is >= (byte)'0' and <= (byte)'9' ? 1 : 0;
        if (digits >= Digits || segment.Length > MaximumSegment || segment.ContainsAnyExceptInRange((byte)'!', (byte)'~'))
            segment = "{id}"u8;
        if (length + 1 + segment.Length > path.Length)
            return length;
        path[length] = (byte)'/';
        segment.CopyTo(path[(length + 1)..]);
        return length + 1 + segment.Length;
    }
}
