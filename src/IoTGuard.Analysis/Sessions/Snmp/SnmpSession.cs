using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.Asn1;
using IoTGuard.Wire.Application.Snmp;

namespace IoTGuard.Analysis.Sessions;

/// <summary>What is said of a community: never the community.</summary>
public enum SnmpCommunity : byte
{
    /// <summary>Version 3 has none.</summary>
    None,
    Empty,
    Public,
    Private,
    Other,
}

/// <summary>What an SNMP message says.</summary>
public struct SnmpFacts
{
    public SnmpPdu Pdu;

    /// <summary>1, 2 or 3.</summary>
    public byte Version;
    public SnmpCommunity Community;

    /// <summary>Stands for the community within a run, so that different ones can be counted; never written.</summary>
    internal ulong CommunityPrint;

    /// <summary>Version 3: authenticated, encrypted.</summary>
    public bool IsAuthenticated;
    public bool IsEncrypted;

    /// <summary>Variables of the request, and of the response.</summary>
    public int Variables;
    public int Returned;

    /// <summary>error-status of the response; generic-trap of a version 1 trap.</summary>
    public long ErrorStatus;

    /// <summary>True when a report came back in place of a response (RFC 3414: unknown engine, wrong digest).</summary>
    public bool IsReported;

    /// <summary>Name of the first variable asked for, encoded.</summary>
    public WireText FirstName;
}

/// <summary>One SNMP request with its response, or a trap.</summary>
public sealed class SnmpTransaction : FactTransaction<SnmpFacts>
{
    private static readonly string[] CommunityNames = ["none", "empty", "public", "private", "other"];

    public override string Protocol => "snmp";

    public override string EventName => Facts.Pdu switch
    {
        SnmpPdu.Get => "get",
        SnmpPdu.GetNext => "get_next",
        SnmpPdu.GetBulk => "get_bulk",
        SnmpPdu.Set => "set",
        SnmpPdu.Response => "response",
        SnmpPdu.Trap or SnmpPdu.TrapV1 => "trap",
        SnmpPdu.Inform => "inform",
        SnmpPdu.Report => "report",
        _ => "encrypted",
    };

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        writer.Text("version", Facts.Version switch { 1 => "1", 2 => "2c", _ => "3" });
        if (Facts.Community != SnmpCommunity.None)
            writer.Text("community", CommunityNames[(int)Facts.Community]);
        if (Facts.Version == 3)
        {
            writer.Flag("authenticated", Facts.IsAuthenticated);
            writer.Flag("encrypted", Facts.IsEncrypted);
        }

        writer.Number("variables", Facts.Variables);
        if (IsAnswered)
            writer.Number("returned", Facts.Returned);
        if (Facts.ErrorStatus != 0)
            writer.Number("error_status", Facts.ErrorStatus);
        if (Facts.IsReported)
            writer.Flag("reported", true);
        if (Facts.FirstName.IsEmpty)
            return;
        Span<byte> text = stackalloc byte[128];
        writer.Text("first_name", System.Text.Encoding.ASCII.GetString(text[..BerReader.FormatIdentifier(Facts.FirstName.Bytes, text)]));
    }
}

/// <summary>SNMP of all versions: requests paired with responses by their id.</summary>
public sealed class SnmpSession() : ExchangeSession<SnmpTransaction, SnmpFacts>(MaximumOutstanding)
{
    /// <summary>Requests of a flow that wait for their responses.</summary>
    public const int MaximumOutstanding = 32;

    /// <summary>Variables of a response that are looked at for what they say about the device.</summary>
    public const int MaximumLooked = 16;

    // 1.3.6.1.2.1.1.1.0, .2.0 and .5.0 (RFC 3418), encoded.
    private static ReadOnlySpan<byte> SystemDescription => [0x2B, 6, 1, 2, 1, 1, 1, 0];

    private static ReadOnlySpan<byte> SystemObject => [0x2B, 6, 1, 2, 1, 1, 2, 0];

    private static ReadOnlySpan<byte> SystemName => [0x2B, 6, 1, 2, 1, 1, 5, 0];

    public override ApplicationProtocol Protocol => ApplicationProtocol.Snmp;

    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (data.Length < 8 || data[0] != BerReader.Sequence || !SnmpMessage.TryRead(data, out var message))
            return ProbeResult.NotForUs;
        return message.IsClipped ? ProbeResult.Likely : ProbeResult.Certain;
    }

    public override void OnDatagram(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data, int cut)
    {
        if (!SnmpMessage.TryRead(data, out var message))
        {
            context.Flow.Counters.Faults++;
            return;
        }

        var bytes = data.Length + cut;
        var client = direction;
        var key = (ulong)message.Id;
        if (message.Pdu is SnmpPdu.Response or SnmpPdu.Report || (message.Pdu == SnmpPdu.None && direction == FlowDirection.FromResponder))
        {
            client = 1 - direction;
            if (Answer(context, direction, key, bytes) is { } answered)
            {
                answered.Facts.ErrorStatus = message.ErrorStatus;
                answered.Facts.IsReported = message.Pdu == SnmpPdu.Report;
                answered.Facts.Returned = Look(context, answered, message.Variables);
                if (message.ErrorStatus != 0 || answered.Facts.IsReported)
                    context.Flow.Counters.Failures++;
                context.Emit(answered);
                return;
            }
        }

        var facts = FactsOf(message);
        if (message.Pdu is SnmpPdu.Get or SnmpPdu.GetNext or SnmpPdu.GetBulk or SnmpPdu.Set or SnmpPdu.Inform
            || (message.Pdu == SnmpPdu.None && direction == FlowDirection.FromOriginator))
        {
            Ask(context, direction, key, facts, bytes);
            return;
        }

        Tell(context, client, facts, bytes);
    }

    private static SnmpFacts FactsOf(in SnmpMessage message)
    {
        var facts = new SnmpFacts
        {
            Pdu = message.Pdu,
            Version = (byte)(message.Version + (message.Version == 3 ? 0 : 1)),
            IsAuthenticated = (message.SecurityFlags & 1) != 0,
            IsEncrypted = (message.SecurityFlags & 2) != 0,
        };
        if (message.Pdu is SnmpPdu.Response or SnmpPdu.TrapV1)
            facts.ErrorStatus = message.ErrorStatus;
        if (message.Version != 3)
        {
            facts.Community = message.Community switch
            {
                [] => SnmpCommunity.Empty,
                var c when c.SequenceEqual("public"u8) => SnmpCommunity.Public,
                var c when c.SequenceEqual("private"u8) => SnmpCommunity.Private,
                _ => SnmpCommunity.Other,
            };
            facts.CommunityPrint = PrintOf(message.Community);
        }

        var variables = message.Variables;
        while (variables.TryEnter(BerReader.Sequence, out var variable))
        {
            if (facts.Variables++ == 0 && variable.TryRead(BerReader.ObjectIdentifier, out var name))
                facts.FirstName.Set(name);
        }

        return facts;
    }

    /// <summary>Counts the variables and takes what they say about the device that answers.</summary>
    private static int Look(SessionContext context, SnmpTransaction transaction, BerReader variables)
    {
        var count = 0;
        while (variables.TryEnter(BerReader.Sequence, out var variable))
        {
            if (count++ >= MaximumLooked || !variable.TryRead(BerReader.ObjectIdentifier, out var name) || !variable.TryRead(out var tag, out var value))
                continue;
            if (tag == BerReader.OctetString && name.SequenceEqual(SystemDescription))
                transaction.Claim(transaction.Server, ClaimKind.Software, context.Texts.Of(value));
            else if (tag == BerReader.OctetString && name.SequenceEqual(SystemName))
                transaction.Claim(transaction.Server, ClaimKind.HostName, context.Texts.Of(value));
            else if (tag == BerReader.ObjectIdentifier && name.SequenceEqual(SystemObject))
                transaction.Claim(transaction.Server, ClaimKind.Fingerprint, IdentifierOf(context, value));
        }

        return count;
    }

    private static string? IdentifierOf(SessionContext context, ReadOnlySpan<byte> identifier)
    {
        Span<byte> text = stackalloc byte[TextInterner.MaximumTextBytes];
        "snmp "u8.CopyTo(text);
        return context.Texts.Of(text[..(5 + BerReader.FormatIdentifier(identifier, text[5..]))]);
    }

    private static ulong PrintOf(ReadOnlySpan<byte> community)
    {
        var value = 0xCBF2_9CE4_8422_2325UL;
        foreach (var octet in community)
            value = (value ^ octet) * 0x100_0000_01B3;
        return value;
    }
}
