using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.Ntp;

namespace IoTGuard.Analysis.Sessions;

/// <summary>What NTP packets say.</summary>
public struct NtpFacts
{
    public NtpMode Mode;
    public byte Version;

    /// <summary>Of the server; 0 or 16 = not synchronised.</summary>
    public byte Stratum;

    /// <summary>Leap indicator of the server; 3 = not synchronised.</summary>
    public byte Leap;

    /// <summary>Reference id of strata 0 and 1 (the kind of clock, or a kiss code); of modes 6 and 7 the operation.</summary>
    public uint Reference;

    /// <summary>The server's time less packet time, ns, taken in the middle of the exchange; meaningful when <see cref="HasOffset"/>.</summary>
    public long OffsetNs;
    public bool HasOffset;
}

/// <summary>One exchange of NTP, or a packet that needs no answer.</summary>
public sealed class NtpTransaction : FactTransaction<NtpFacts>
{
    private static readonly string[] EventNames =
        ["reserved", "symmetric", "symmetric", "exchange", "response", "broadcast", "control", "private"];

    public override string Protocol => "ntp";

    public override string EventName => EventNames[(int)Facts.Mode];

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        writer.Number("version", Facts.Version);
        if (Facts.Mode is NtpMode.Control or NtpMode.Private)
        {
            writer.Number("operation", Facts.Reference);
            return;
        }

        if (Facts.Mode == NtpMode.Client && !IsAnswered)
            return;
        writer.Number("stratum", Facts.Stratum);
        writer.Number("leap", Facts.Leap);
        if (Facts.Stratum <= 1 && Facts.Reference != 0)
        {
            Span<byte> text = stackalloc byte[4];
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(text, Facts.Reference);
            writer.Text("reference", System.Text.Encoding.Latin1.GetString(text.TrimEnd((byte)0)));
        }

        if (Facts.HasOffset)
            writer.Real("offset", Facts.OffsetNs / 1e9);
    }
}

/// <summary>NTP and SNTP (RFC 5905): a client's packet is paired with the answer that carries its time back.</summary>
public sealed class NtpSession() : ExchangeSession<NtpTransaction, NtpFacts>(MaximumOutstanding)
{
    /// <summary>Packets of a flow that wait for their answers.</summary>
    public const int MaximumOutstanding = 4;

    public override ApplicationProtocol Protocol => ApplicationProtocol.Ntp;

    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data) =>
        NtpPacket.TryRead(data, out var packet) && (packet.Mode >= NtpMode.Control || (data.Length & 3) == 0) ? ProbeResult.Likely : ProbeResult.NotForUs;

    public override void OnDatagram(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data, int cut)
    {
        if (!NtpPacket.TryRead(data, out var packet))
        {
            context.Flow.Counters.Faults++;
            return;
        }

        var bytes = data.Length + cut;
        var facts = new NtpFacts { Mode = packet.Mode, Version = packet.Version, Stratum = packet.Stratum, Leap = packet.Leap, Reference = packet.Reference };
        switch (packet.Mode)
        {
            case NtpMode.Client:
                Ask(context, direction, packet.Transmit, facts, bytes);
                break;
            case NtpMode.Server when Answer(context, direction, packet.Origin, bytes) is { } transaction:
                facts.Mode = NtpMode.Client;
                var server = (NtpPacket.ToUnix(packet.Receive, context.TimeNs) / 2) + (NtpPacket.ToUnix(packet.Transmit, context.TimeNs) / 2);
                facts.OffsetNs = server - (transaction.TimeNs + (transaction.DurationNs / 2));
                facts.HasOffset = packet is { Leap: < 3, Stratum: > 0 and < 16, Transmit: not 0 };
                transaction.Facts = facts;
                context.Emit(transaction);
                break;
            case NtpMode.Server:
                context.Flow.Counters.Responses++;
                Tell(context, 1 - direction, facts, bytes);
                break;
            case NtpMode.Broadcast or NtpMode.SymmetricActive or NtpMode.SymmetricPassive:
                if (packet is { Leap: < 3, Stratum: > 0 and < 16, Transmit: not 0 })
                {
                    facts.OffsetNs = NtpPacket.ToUnix(packet.Transmit, context.TimeNs) - context.TimeNs;
                    facts.HasOffset = true;
                }

                Tell(context, direction, facts, bytes);
                break;
            default:
                context.Flow.Counters.Requests++;
                Tell(context, FlowDirection.FromOriginator, facts, bytes);
                break;
        }
    }
}
