using System.Buffers.Text;
using System.Text;
using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.Http;

namespace IoTGuard.Analysis.Sessions;

/// <summary>The head of a SIP message (RFC 3261 section 7): start line and header fields. Who calls whom is not read.</summary>
internal static class SipMessage
{
    /// <summary>Shortest start line that can be told from other text, in bytes.</summary>
    private const int MinimumStart = 20;

    private static readonly byte[][] Methods =
    [
        .. new[] { "INVITE ", "ACK ", "BYE ", "CANCEL ", "REGISTER ", "OPTIONS ", "PRACK ", "SUBSCRIBE ", "NOTIFY ", "PUBLISH ", "INFO ", "REFER ", "MESSAGE ", "UPDATE " }
            .Select(Encoding.ASCII.GetBytes),
    ];

    /// <summary>True when bytes start with a request or status line of SIP.</summary>
    public static bool Starts(ReadOnlySpan<byte> data)
    {
        if (data.Length < MinimumStart || data[0] is < (byte)'A' or > (byte)'U')
            return false;
        if (IsResponse(data))
            return true;
        var end = data.IndexOf((byte)'\n');
        return end > 0 && data[..end].TrimEnd((byte)'\r').EndsWith(" SIP/2.0"u8) && MethodOf(data).Length > 0;
    }

    /// <summary>True when the bytes that are there could become a start line with more behind them.</summary>
    public static bool MayStart(ReadOnlySpan<byte> data)
    {
        var response = "SIP/2.0 "u8;
        if (data.Length < response.Length ? response.StartsWith(data) : data.StartsWith(response))
            return true;
        foreach (var method in Methods)
        {
            if (data.Length < method.Length ? method.AsSpan().StartsWith(data) : data.StartsWith(method))
                return !data.Contains((byte)'\n');
        }

        return false;
    }

    /// <summary>Tells a message by its head.</summary>
    /// <param name="context">Where it is told.</param>
    /// <param name="sender">Who sent it.</param>
    /// <param name="head">From the start line on; for datagrams with the body behind it.</param>
    /// <param name="bytes">Bytes of the head.</param>
    /// <returns>Bytes of the body as Content-Length says; 0 when it says nothing.</returns>
    public static long Tell(SessionContext context, FlowDirection sender, ReadOnlySpan<byte> head, int bytes)
    {
        var transaction = context.Begin<SipTransaction>(sender);
        transaction.IsAnswered |= sender == FlowDirection.FromResponder;
        ref var counters = ref context.Flow.Counters;
        if (IsResponse(head))
        {
            transaction.Status = StatusOf(head);
            if (transaction.Status >= 200)
                counters.Responses++;
            else
                counters.Interim++;
            if (transaction.Status >= 400)
                counters.Failures++;
        }
        else
        {
            counters.Requests++;
            transaction.Method = context.Texts.Of(MethodOf(head));
        }

        var body = ReadFields(context, transaction, head);
        transaction.Bytes = bytes + body;
        transaction.Claim(transaction.Client, ClaimKind.Software, transaction.Software);
        context.Emit(transaction);
        return body;
    }

    private static long ReadFields(SessionContext context, SipTransaction transaction, ReadOnlySpan<byte> head)
    {
        long body = 0;
        foreach (var range in head.Split((byte)'\n'))
        {
            var line = head[range].TrimEnd((byte)'\r');
            if (line.IsEmpty)
                break;
            if (!HttpFieldLine.TryRead(line, out var field))
                continue;
            if (Is(field.Name, "user-agent"u8) || Is(field.Name, "server"u8))
                transaction.Software = context.Texts.Of(field.Value);
            else if (Is(field.Name, "authorization"u8) || Is(field.Name, "proxy-authorization"u8))
                transaction.HasCredentials = true;
            else if (Is(field.Name, "cseq"u8) && transaction.Status > 0)
                transaction.Method = context.Texts.Of(field.Value[(field.Value.LastIndexOf((byte)' ') + 1)..]);
            else if ((Is(field.Name, "content-length"u8) || Is(field.Name, "l"u8)) && Utf8Parser.TryParse(field.Value, out uint length, out _))
                body = length;
        }

        return body;
    }

    private static bool IsResponse(ReadOnlySpan<byte> data) => data.StartsWith("SIP/2.0 "u8);

    /// <summary>Three digits behind the version; 0 when there are none.</summary>
    private static int StatusOf(ReadOnlySpan<byte> data) =>
        data.Length >= 11 && Utf8Parser.TryParse(data.Slice(8, 3), out ushort status, out var used) && used == 3 ? status : 0;

    private static ReadOnlySpan<byte> MethodOf(ReadOnlySpan<byte> data)
    {
        foreach (var method in Methods)
        {
            if (data.StartsWith(method))
                return method.AsSpan(0, method.Length - 1);
        }

        return default;
    }

    private static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> lower) => Ascii.EqualsIgnoreCase(name, lower);
}
