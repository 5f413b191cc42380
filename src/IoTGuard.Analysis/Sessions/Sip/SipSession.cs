using System.Text;
using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.Http;

namespace IoTGuard.Analysis.Sessions;

/// <summary>A message of SIP: who calls whom is not told. The client is who sent it.</summary>
public sealed class SipTransaction : Transaction
{
    public string? Method { get; set; }

    /// <summary>Status of a response; 0 = a request.</summary>
    public int Status { get; set; }

    /// <summary>User-Agent, or Server.</summary>
    public string? Software { get; set; }

    /// <summary>True when a request carries credentials.</summary>
    public bool HasCredentials { get; set; }

    public override string Protocol => "sip";

    public override string EventName => Status == 0 ? "request" : "response";

    public override void Reset()
    {
        Method = Software = null;
        Status = 0;
        HasCredentials = false;
    }

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        writer.Text("method", Method);
        if (Status > 0)
            writer.Number("status", Status);
        writer.Text("software", Software);
        if (HasCredentials)
            writer.Flag("credentials", true);
    }
}

/// <summary>SIP over UDP (RFC 3261), named and counted.</summary>
public sealed class SipSession : DatagramSession
{
    private static readonly byte[][] Methods =
    [
        .. new[] { "INVITE ", "ACK ", "BYE ", "CANCEL ", "REGISTER ", "OPTIONS ", "PRACK ", "SUBSCRIBE ", "NOTIFY ", "PUBLISH ", "INFO ", "REFER ", "MESSAGE ", "UPDATE " }
            .Select(Encoding.ASCII.GetBytes),
    ];

    public override ApplicationProtocol Protocol => ApplicationProtocol.Sip;

    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (data.Length < 20 || data[0] is < (byte)'A' or > (byte)'U')
            return ProbeResult.NotForUs;
        if (data.StartsWith("SIP/2.0 "u8))
            return ProbeResult.Certain;
        var end = data.IndexOf((byte)'\n');
        return end > 0 && data[..end].TrimEnd((byte)'\r').EndsWith(" SIP/2.0"u8) && MethodOf(data).Length > 0 ? ProbeResult.Certain : ProbeResult.NotForUs;
    }

    public override void OnDatagram(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data, int cut)
    {
        if (Probe(direction, data) != ProbeResult.Certain)
            return; // keep-alives between the messages
        var transaction = context.Begin<SipTransaction>(direction);
        transaction.IsAnswered = direction == FlowDirection.FromResponder;
        transaction.Bytes = data.Length + cut;
        ref var counters = ref context.Flow.Counters;
        if (data.StartsWith("SIP/2.0 "u8))
        {
            if (char.IsAsciiDigit((char)data[8]) && char.IsAsciiDigit((char)data[9]) && char.IsAsciiDigit((char)data[10]))
                transaction.Status = ((data[8] - '0') * 100) + ((data[9] - '0') * 10) + data[10] - '0';
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
            transaction.Method = context.Texts.Of(MethodOf(data));
        }

        foreach (var range in data.Split((byte)'\n'))
        {
            var line = data[range].TrimEnd((byte)'\r');
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
        }

        transaction.Claim(transaction.Client, ClaimKind.Software, transaction.Software);
        context.Emit(transaction);
    }

    public override void OnEnd(SessionContext context)
    {
    }

    public override void Reset()
    {
    }

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
