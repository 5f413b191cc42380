using System.Buffers.Binary;
using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.Kerberos;

namespace IoTGuard.Analysis.Sessions;

/// <summary>What Kerberos messages say.</summary>
public struct KerberosFacts
{
    public KerberosKind Kind;

    /// <summary>How the request was answered; None = not seen.</summary>
    public KerberosKind Answer;
    public string? Realm;

    /// <summary>The service asked for, without its host: "krbtgt", "cifs".</summary>
    public string? Service;

    /// <summary>The service's host.</summary>
    public string? Instance;

    /// <summary>The client's name.</summary>
    public Pseudonym User;
    public int ErrorCode;

    /// <summary>Encryption type of the ticket that came back; 0 = none.</summary>
    public int TicketEncryption;
    public int WantedEncryption;
    public bool IsWeakOnly;
    public bool IsPreauthenticated;
}

/// <summary>A request for a ticket with its answer.</summary>
public sealed class KerberosTransaction : FactTransaction<KerberosFacts>
{
    public override string Protocol => "kerberos";

    public override string EventName => Facts.Kind switch
    {
        KerberosKind.AsRequest => "as_request",
        KerberosKind.TgsRequest => "tgs_request",
        KerberosKind.AsReply => "as_reply",
        KerberosKind.TgsReply => "tgs_reply",
        _ => "error",
    };

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        writer.Text("realm", Facts.Realm);
        writer.Text("service", Facts.Service);
        writer.Text("host", Facts.Instance);
        if (!Facts.User.IsNone)
            writer.Pseudonym("user", Facts.User);
        if (Facts.Answer != KerberosKind.None)
            writer.Text("answer", Facts.Answer == KerberosKind.Error ? "error" : "ticket");
        if (Facts.ErrorCode != 0)
            writer.Number("error_code", Facts.ErrorCode);
        if (Facts.TicketEncryption != 0)
            writer.Number("ticket_encryption", Facts.TicketEncryption);
        if (Facts.WantedEncryption != 0)
            writer.Number("wanted_encryption", Facts.WantedEncryption);
        if (Facts.IsWeakOnly)
            writer.Flag("weak_encryption_only", true);
        if (Facts.Kind is KerberosKind.AsRequest or KerberosKind.TgsRequest)
            writer.Flag("preauthenticated", Facts.IsPreauthenticated);
    }
}

/// <summary>From messages to facts.</summary>
internal static class KerberosFiller
{
    public static KerberosFacts FactsOf(SessionContext context, in KerberosMessage message) => new()
    {
        Kind = message.Kind,
        Realm = context.Texts.Of(message.Realm),
        Service = context.Texts.Of(message.Service),
        Instance = message.Service.SequenceEqual("krbtgt"u8) ? null : context.Texts.Of(message.Instance),
        User = message.Client.IsEmpty ? default : context.Pseudonyms.Of(PseudonymKind.User, message.Client),
        ErrorCode = message.ErrorCode,
        WantedEncryption = message.Kind is KerberosKind.AsRequest or KerberosKind.TgsRequest ? message.Encryption : 0,
        TicketEncryption = message.Kind is KerberosKind.AsReply or KerberosKind.TgsReply ? message.Encryption : 0,
        IsWeakOnly = message.IsWeak,
        IsPreauthenticated = message.IsPreauthenticated,
    };

    /// <summary>Adds the answer to its request.</summary>
    public static void Complete(KerberosTransaction transaction, in KerberosFacts answer)
    {
        transaction.Facts.Answer = answer.Kind;
        transaction.Facts.ErrorCode = answer.ErrorCode;
        transaction.Facts.TicketEncryption = answer.TicketEncryption;
    }
}

/// <summary>Kerberos 5 over UDP (RFC 4120). One exchange at a time in each flow.</summary>
public sealed class KerberosSession() : ExchangeSession<KerberosTransaction, KerberosFacts>(MaximumOutstanding)
{
    /// <summary>Requests of a flow that wait for their answers.</summary>
    public const int MaximumOutstanding = 1;

    public override ApplicationProtocol Protocol => ApplicationProtocol.Kerberos;

    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data) =>
        data.Length > 16 && data[0] is 0x6A or 0x6B or 0x6C or 0x6D or 0x7E && KerberosMessage.TryRead(data, out _) ? ProbeResult.Certain : ProbeResult.NotForUs;

    public override void OnDatagram(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data, int cut)
    {
        if (!KerberosMessage.TryRead(data, out var message))
        {
            context.Flow.Counters.Faults++;
            return;
        }

        var facts = KerberosFiller.FactsOf(context, message);
        var bytes = data.Length + cut;
        if (facts.Kind is KerberosKind.AsRequest or KerberosKind.TgsRequest)
        {
            Ask(context, direction, 0, facts, bytes);
            return;
        }

        if (facts.Kind == KerberosKind.Error)
            context.Flow.Counters.Failures++;
        if (Answer(context, direction, 0, bytes) is { } transaction)
        {
            KerberosFiller.Complete(transaction, facts);
            context.Emit(transaction);
            return;
        }

        Tell(context, 1 - direction, facts, bytes);
    }
}

/// <summary>Kerberos 5 over TCP: four bytes of length before each message (RFC 4120, 7.2.2). After a gap nothing shows where a message starts.</summary>
public sealed class KerberosStreamSession : StreamSession
{
    /// <summary>Longest message that is read, in bytes; a longer one ends the reading of its direction.</summary>
    public const int MaximumMessage = 128 * 1024;

    private const int LengthSize = 4;
    private readonly bool[] _isLost = new bool[2];
    private Asked<KerberosFacts> _asked;
    private bool _isWaiting;

    public override ApplicationProtocol Protocol => ApplicationProtocol.Kerberos;

    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (data.Length < LengthSize)
            return data.Length == 0 || data[0] == 0 ? ProbeResult.Unsure : ProbeResult.NotForUs;
        var length = BinaryPrimitives.ReadUInt32BigEndian(data);
        if (length is < 16 or > MaximumMessage)
            return ProbeResult.NotForUs;
        if (data.Length == LengthSize)
            return ProbeResult.Unsure;
        if (data[LengthSize] is not (0x6A or 0x6B or 0x6C or 0x6D or 0x7E))
            return ProbeResult.NotForUs;

        // Enough for the outer lengths and the version.
        if (data.Length < LengthSize + 24 && data.Length < LengthSize + length)
            return ProbeResult.Unsure;
        return HasVersion(data[LengthSize..]) ? ProbeResult.Certain : ProbeResult.NotForUs;
    }

    public override StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (_isLost[(int)direction])
            return new StreamProgress(data.Length, Skip: Everything);
        var consumed = 0;
        while (data.Length - consumed >= LengthSize)
        {
            var rest = data[consumed..];
            var length = BinaryPrimitives.ReadUInt32BigEndian(rest);
            if (length > MaximumMessage)
            {
                context.Flow.Counters.Faults++;
                _isLost[(int)direction] = true;
                return new StreamProgress(data.Length, Skip: Everything);
            }

            if (rest.Length < LengthSize + length)
                return new StreamProgress(consumed, LengthSize + (int)length);
            OnMessage(context, direction, rest.Slice(LengthSize, (int)length));
            consumed += LengthSize + (int)length;
        }

        return new StreamProgress(consumed, LengthSize);
    }

    public override void OnGap(SessionContext context, FlowDirection direction, long bytes) => _isLost[(int)direction] |= bytes > 0;

    public override void OnEnd(SessionContext context)
    {
        if (_isWaiting)
            Emit(context, null);
    }

    public override void Reset()
    {
        Array.Clear(_isLost);
        _asked = default;
        _isWaiting = false;
    }

    private static bool HasVersion(ReadOnlySpan<byte> message)
    {
        // Lengths, then pvno 5 in context 0 or 1.
        var head = message[..Math.Min(message.Length, 24)];
        return head.IndexOf((ReadOnlySpan<byte>)[0xA1, 0x03, 0x02, 0x01, 0x05]) >= 0 || head.IndexOf((ReadOnlySpan<byte>)[0xA0, 0x03, 0x02, 0x01, 0x05]) >= 0;
    }

    private void OnMessage(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (!KerberosMessage.TryRead(data, out var message))
        {
            context.Flow.Counters.Faults++;
            return;
        }

        var facts = KerberosFiller.FactsOf(context, message);
        if (facts.Kind is KerberosKind.AsRequest or KerberosKind.TgsRequest)
        {
            context.Flow.Counters.Requests++;
            if (_isWaiting)
                Emit(context, null);
            _asked = new Asked<KerberosFacts>(0, direction, context.TimeNs, data.Length, facts);
            _isWaiting = true;
            return;
        }

        if (!_isWaiting)
            return;
        context.Flow.Counters.Responses++;
        if (facts.Kind == KerberosKind.Error)
            context.Flow.Counters.Failures++;
        Emit(context, facts, data.Length);
    }

    private void Emit(SessionContext context, KerberosFacts? answer, int bytes = 0)
    {
        var transaction = context.Begin<KerberosTransaction>(_asked.Asker);
        transaction.Facts = _asked.Facts;
        transaction.TimeNs = _asked.TimeNs;
        transaction.Bytes = _asked.Bytes + bytes;
        if (answer is { } facts)
        {
            KerberosFiller.Complete(transaction, facts);
            transaction.DurationNs = context.TimeNs - _asked.TimeNs;
        }

        context.Emit(transaction);
        _isWaiting = false;
    }
}
