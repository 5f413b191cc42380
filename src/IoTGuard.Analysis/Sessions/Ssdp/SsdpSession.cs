using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.Http;

namespace IoTGuard.Analysis.Sessions;

/// <summary>A message of SSDP. The client is who sent it.</summary>
public sealed class SsdpTransaction : Transaction
{
    private string _event = "search";

    /// <summary>What is asked for or announced (ST, NT).</summary>
    public string? Target { get; set; }

    /// <summary>Unique service name, which names the device for good.</summary>
    public string? Usn { get; set; }

    /// <summary>Where the device describes itself.</summary>
    public string? Location { get; set; }

    /// <summary>SERVER, or USER-AGENT of a search.</summary>
    public string? Software { get; set; }

    public override string Protocol => "ssdp";

    public override string EventName => _event;

    internal void SetEvent(string name) => _event = name;

    public override void Reset()
    {
        _event = "search";
        Target = Usn = Location = Software = null;
    }

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        writer.Text("target", Target);
        writer.Text("usn", Usn);
        writer.Text("location", Location);
        writer.Text("software", Software);
    }
}

/// <summary>SSDP (UPnP device architecture 2.0, clause 1): devices that announce themselves, and those that look for them.</summary>
public sealed class SsdpSession : DatagramSession
{
    public override ApplicationProtocol Protocol => ApplicationProtocol.Ssdp;

    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (data.Length < 20 || data[0] is not ((byte)'M' or (byte)'N' or (byte)'H'))
            return ProbeResult.NotForUs;
        if (data.StartsWith("M-SEARCH * HTTP/1."u8) || data.StartsWith("NOTIFY * HTTP/1."u8))
            return ProbeResult.Certain;
        return data.StartsWith("HTTP/1.1 200"u8) && (data.IndexOf("USN:"u8) >= 0 || data.IndexOf("usn:"u8) >= 0 || data.IndexOf("Usn:"u8) >= 0) ? ProbeResult.Certain : ProbeResult.NotForUs;
    }

    public override void OnDatagram(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data, int cut)
    {
        if (Probe(direction, data) != ProbeResult.Certain)
            return;
        var transaction = context.Begin<SsdpTransaction>(direction);
        transaction.IsAnswered = direction == FlowDirection.FromResponder;
        transaction.Bytes = data.Length + cut;
        transaction.SetEvent(data[0] switch { (byte)'M' => "search", (byte)'N' => "notify", _ => "response" });
        ref var counters = ref context.Flow.Counters;
        if (data[0] == 'M')
            counters.Requests++;
        else if (data[0] == 'H')
            counters.Responses++;
        foreach (var range in data.Split((byte)'\n'))
        {
            if (!HttpFieldLine.TryRead(data[range].TrimEnd((byte)'\r'), out var field))
                continue;
            if (Is(field.Name, "nt"u8) || Is(field.Name, "st"u8))
                transaction.Target = context.Texts.Of(field.Value);
            else if (Is(field.Name, "usn"u8))
                transaction.Usn = context.Texts.Of(field.Value);
            else if (Is(field.Name, "location"u8))
                transaction.Location = context.Texts.Of(field.Value);
            else if (Is(field.Name, "server"u8) || Is(field.Name, "user-agent"u8))
                transaction.Software = context.Texts.Of(field.Value);
            else if (Is(field.Name, "nts"u8) && field.Value.IndexOf("byebye"u8) >= 0)
                transaction.SetEvent("byebye");
        }

        if (transaction.EventName is "notify" or "response")
        {
            transaction.Claim(transaction.Client, ClaimKind.Software, transaction.Software);
            if (transaction.Target is { } target && target.Contains(":device:", StringComparison.Ordinal))
                transaction.Claim(transaction.Client, ClaimKind.Class, target);
        }

        context.Emit(transaction);
    }

    public override void OnEnd(SessionContext context)
    {
    }

    public override void Reset()
    {
    }

    private static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> lower) => System.Text.Ascii.EqualsIgnoreCase(name, lower);
}
