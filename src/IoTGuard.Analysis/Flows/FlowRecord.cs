using IoTGuard.Wire.Link;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Flows;

/// <summary>Which endpoint of a flow sent something. The originator sent the first packet (or the SYN).</summary>
public enum FlowDirection : byte
{
    FromOriginator,
    FromResponder,
}

/// <summary>Directions of flows.</summary>
internal static class FlowDirections
{
    /// <summary>The other direction.</summary>
    public static FlowDirection Opposite(this FlowDirection direction) => (FlowDirection)(1 - (int)direction);
}

/// <summary>How far a TCP connection came.</summary>
public enum ConnectionState : byte
{
    /// <summary>Not TCP.</summary>
    None,

    /// <summary>SYN seen, no answer.</summary>
    SynSent,

    /// <summary>SYN answered by RST.</summary>
    Rejected,

    /// <summary>Handshake seen, or data in both directions.</summary>
    Established,

    /// <summary>Packets without a handshake: the capture began in the middle, or a stealth probe.</summary>
    MidStream,

    /// <summary>FIN from both sides.</summary>
    Closed,

    /// <summary>RST after establishment.</summary>
    Reset,
}

/// <summary>Why a flow record was written.</summary>
public enum FlowEndReason : byte
{
    /// <summary>The flow goes on; this is an interim record.</summary>
    Active,

    /// <summary>No packet for the idle timeout.</summary>
    Idle,

    /// <summary>TCP FIN or RST.</summary>
    Finished,

    /// <summary>Removed because the table was full.</summary>
    Evicted,

    /// <summary>The input ended.</summary>
    EndOfCapture,
}

/// <summary>Count, sum, sum of squares and maximum of a series; the unit is the owner's.</summary>
public struct Moments
{
    public long Count;
    public double Sum;
    public double SumOfSquares;
    public double Maximum;

    public readonly double Mean => Count == 0 ? 0 : Sum / Count;

    /// <summary>Population standard deviation.</summary>
    public readonly double StandardDeviation => Count == 0 ? 0 : Math.Sqrt(Math.Max(0, (SumOfSquares / Count) - (Mean * Mean)));

    public void Add(double value)
    {
        Maximum = Count == 0 ? value : Math.Max(Maximum, value);
        Count++;
        Sum += value;
        SumOfSquares += value * value;
    }
}

/// <summary>What one endpoint of a flow sent.</summary>
public struct DirectionCounters
{
    public long Packets;

    /// <summary>IP bytes on the wire, headers included.</summary>
    public long Bytes;

    /// <summary>Transport payload bytes on the wire, retransmissions included.</summary>
    public long PayloadBytes;

    public long PayloadPackets;

    /// <summary>Packet time of the first and last packet, ns; 0 when there was none.</summary>
    public long FirstNs;
    public long LastNs;

    /// <summary>IP packet sizes in bytes.</summary>
    public Moments Size;

    /// <summary>Times between packets in seconds.</summary>
    public Moments InterArrival;

    public int Syn;
    public int Fin;
    public int Rst;
    public int Psh;
    public int Urg;

    /// <summary>Segments whose bytes were all seen before.</summary>
    public int Retransmissions;

    public int OutOfOrder;

    /// <summary>Payload bytes never seen.</summary>
    public long GapBytes;

    public int ZeroWindows;

    /// <summary>Bytes whose second copy differed from the first.</summary>
    public long ConflictingBytes;

    /// <summary>Shannon entropy of the first payload bytes (up to 256), bits per byte; NaN before payload was seen.</summary>
    public float Entropy;

    /// <summary>Share of printable ASCII among the same bytes, 0 to 1; NaN before payload was seen.</summary>
    public float Printable;
}

/// <summary>What a protocol session counted in a flow, in terms that all protocols share.</summary>
public struct ApplicationCounters
{
    /// <summary>Requests, or messages that ask for an acknowledgement.</summary>
    public int Requests;

    /// <summary>Final responses, or acknowledgements.</summary>
    public int Responses;

    /// <summary>Responses that say failure (DICOM status class Failure, HL7 AE/AR/CE/CR, association rejects).</summary>
    public int Failures;

    /// <summary>Interim responses (DICOM Pending).</summary>
    public int Interim;

    /// <summary>Objects carried (DICOM composite instances, HL7 messages).</summary>
    public int Objects;

    /// <summary>Bytes of these objects.</summary>
    public long ObjectBytes;

    /// <summary>Sessions opened in the flow (DICOM associations).</summary>
    public int Associations;

    public int Faults;
}

/// <summary>
/// One flow as it stands: identity, counters of both directions, and what the session saw. Copied by value into events.
/// </summary>
public struct FlowRecord
{
    public IpAddress Originator;
    public IpAddress Responder;
    public MacAddress OriginatorMac;
    public MacAddress ResponderMac;
    public ushort OriginatorPort;
    public ushort ResponderPort;

    /// <summary>IP protocol number.</summary>
    public byte IpProtocol;

    public ConnectionState State;
    public FlowEndReason End;
    public ApplicationProtocol Application;

    /// <summary>TTL or hop limit of the first packet of each endpoint; 0 before it sent.</summary>
    public byte OriginatorTtl;
    public byte ResponderTtl;

    /// <summary>Outermost VLAN id of the first packet; 0 = untagged.</summary>
    public ushort Vlan;

    // Beside what names the flow, because sessions need both with every message.
    public ApplicationCounters Counters;

    /// <summary>Tunnel of the first packet.</summary>
    public Encapsulation Encapsulation;

    /// <summary>Number of the first frame, which also orders flows.</summary>
    public long FirstFrame;

    /// <summary>Packet time of first and last packet, ns since 1970.</summary>
    public long FirstNs;
    public long LastNs;

    public DirectionCounters FromOriginator;
    public DirectionCounters FromResponder;

    /// <summary>Copies of packets that the mirror delivered a second time, used once.</summary>
    public long MirrorCopies;

    /// <summary>Pauses longer than one second, and the time in them, seconds.</summary>
    public int IdlePeriods;
    public double IdleSeconds;

    public readonly double DurationSeconds => (LastNs - FirstNs) / 1e9;
}
