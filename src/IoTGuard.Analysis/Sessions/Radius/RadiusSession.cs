using System.Buffers.Binary;
using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Sessions;

/// <summary>What RADIUS packets say, without the value of any attribute.</summary>
public struct RadiusFacts
{
    /// <summary>Code of the request (RFC 2865, 3), and of the response; 0 = none seen.</summary>
    public byte Code;
    public byte Answer;

    /// <summary>Attributes of the request: User-Password (2), EAP-Message (79), Message-Authenticator (80).</summary>
    public bool HasPassword;
    public bool HasEap;
    public bool IsSigned;
    public bool IsAnswerSigned;
    public int Attributes;
}

/// <summary>One RADIUS request with its response.</summary>
public sealed class RadiusTransaction : FactTransaction<RadiusFacts>
{
    public override string Protocol => "radius";

    public override string EventName => NameOf(Facts.Code);

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        if (Facts.Answer != 0)
            writer.Text("answer", NameOf(Facts.Answer));
        writer.Number("attributes", Facts.Attributes);
        writer.Flag("password", Facts.HasPassword);
        writer.Flag("eap", Facts.HasEap);
        writer.Flag("signed", Facts.IsSigned);
        if (Facts.Answer != 0)
            writer.Flag("answer_signed", Facts.IsAnswerSigned);
    }

    private static string NameOf(byte code) => code switch
    {
        1 => "access_request",
        2 => "access_accept",
        3 => "access_reject",
        4 => "accounting_request",
        5 => "accounting_response",
        11 => "access_challenge",
        12 => "status_server",
        40 => "disconnect_request",
        41 => "disconnect_ack",
        42 => "disconnect_nak",
        43 => "change_request",
        44 => "change_ack",
        45 => "change_nak",
        _ => "other",
    };
}

/// <summary>RADIUS authentication, accounting and dynamic authorization (RFC 2865, 2866, 5176).</summary>
public sealed class RadiusSession() : ExchangeSession<RadiusTransaction, RadiusFacts>(MaximumOutstanding)
{
    /// <summary>Requests of a flow that wait: an identifier has eight bits, access points use few at once.</summary>
    public const int MaximumOutstanding = 64;

    private const int HeadSize = 20;
    private const byte Password = 2;
    private const byte EapMessage = 79;
    private const byte MessageAuthenticator = 80;

    public override ApplicationProtocol Protocol => ApplicationProtocol.Radius;

    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (data.Length < HeadSize || !IsKnown(data[0]) || BinaryPrimitives.ReadUInt16BigEndian(data[2..]) is var length && (length < HeadSize || length > 4096))
            return ProbeResult.NotForUs;
        return BinaryPrimitives.ReadUInt16BigEndian(data[2..]) >= data.Length ? ProbeResult.Likely : ProbeResult.NotForUs;
    }

    public override void OnDatagram(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data, int cut)
    {
        if (data.Length < HeadSize || !IsKnown(data[0]))
        {
            context.Flow.Counters.Faults++;
            return;
        }

        var facts = new RadiusFacts { Code = data[0] };
        var attributes = data[HeadSize..Math.Max(HeadSize, Math.Min(data.Length, BinaryPrimitives.ReadUInt16BigEndian(data[2..])))];
        while (attributes.Length >= 2 && attributes[1] >= 2 && attributes[1] <= attributes.Length)
        {
            facts.Attributes++;
            facts.HasPassword |= attributes[0] == Password;
            facts.HasEap |= attributes[0] == EapMessage;
            facts.IsSigned |= attributes[0] == MessageAuthenticator;
            attributes = attributes[attributes[1]..];
        }

        if (!attributes.IsEmpty && cut == 0)
            context.Flow.Counters.Faults++;
        var bytes = data.Length + cut;
        ulong key = data[1];
        if (facts.Code is 1 or 4 or 12 or 40 or 43)
        {
            Ask(context, direction, key, facts, bytes);
            return;
        }

        if (facts.Code is 3 or 42 or 45)
            context.Flow.Counters.Failures++;
        if (Answer(context, direction, key, bytes) is { } transaction)
        {
            transaction.Facts.Answer = facts.Code;
            transaction.Facts.IsAnswerSigned = facts.IsSigned;
            context.Emit(transaction);
            return;
        }

        Tell(context, 1 - direction, facts, bytes);
    }

    private static bool IsKnown(byte code) => code is (>= 1 and <= 5) or 11 or 12 or (>= 40 and <= 45);
}
