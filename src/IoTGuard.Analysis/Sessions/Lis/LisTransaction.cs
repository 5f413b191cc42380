using System.Text.Json;

namespace IoTGuard.Analysis.Sessions;

/// <summary>What happened on a laboratory instrument's connection.</summary>
public enum LisEvent : byte
{
    /// <summary>A message from header to terminator record.</summary>
    Message,
    Fault,
}

/// <summary>What is wrong on such a connection.</summary>
public enum LisFault : byte
{
    None,
    BadChecksum,
    BadFrameNumber,

    /// <summary>The receiver refused a frame (NAK).</summary>
    Refused,
    FrameTooLarge,
    Garbage,

    /// <summary>A message without its terminator record, or a session that ended in its midst.</summary>
    NoTerminator,
}

/// <summary>
/// A message of LIS02-A2 (ASTM E1394). The client is who sent it. The duration runs from the first byte (ENQ) to the last; bytes are those of the records.
/// </summary>
public sealed class LisTransaction : Transaction
{
    private static readonly string[] FaultNames = Array.ConvertAll(Enum.GetNames<LisFault>(), JsonNamingPolicy.SnakeCaseLower.ConvertName);

    private LisFacts _facts;

    public LisEvent Event { get; set; }

    public ref LisFacts Facts => ref _facts;

    public override string Protocol => "lis";

    public override string EventName => Event == LisEvent.Message ? "message" : "fault";

    public static string NameOf(LisFault fault) => FaultNames[(int)fault];

    public override void Reset()
    {
        Event = LisEvent.Message;
        _facts = default;
    }

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        ref readonly var f = ref _facts;
        writer.Text("sender", f.Sender);
        writer.Text("receiver", f.Receiver);
        writer.Text("version", f.Version);
        writer.Text("processing_id", f.ProcessingId);
        if (Event == LisEvent.Message)
        {
            writer.Flag("framed", f.Framed);
            if (f.HasPassword)
                writer.Flag("access_password", true);
            WriteCount(ref writer, "records", f.Records);
            WriteCount(ref writer, "patients", f.Patients);
            WriteCount(ref writer, "orders", f.Orders);
            WriteCount(ref writer, "results", f.Results);
            WriteCount(ref writer, "queries", f.Queries);
            WriteCount(ref writer, "frames", f.Frames);
            WriteCount(ref writer, "refused_frames", f.Refused);
            if (!f.Patient.IsNone)
                writer.Pseudonym("patient", f.Patient);
            writer.Text("termination", f.Termination);
        }

        if (f.Fault != LisFault.None)
            writer.Text("fault", FaultNames[(int)f.Fault]);
    }

    private static void WriteCount<TWriter>(ref TWriter writer, string name, int value)
        where TWriter : IFieldWriter, allows ref struct
    {
        if (value > 0)
            writer.Number(name, value);
    }
}

/// <summary>What is known of a message. Texts are interned; null = not seen.</summary>
public struct LisFacts
{
    /// <summary>Sender name or id (H-5), all components: manufacturer's name of the instrument, software version.</summary>
    public string? Sender;

    /// <summary>Receiver id (H-10).</summary>
    public string? Receiver;

    /// <summary>H-12: P production, T training, D debugging, Q quality control.</summary>
    public string? ProcessingId;

    /// <summary>H-13: "1", "LIS2-A2".</summary>
    public string? Version;

    /// <summary>L-3: N normal, T sender aborted, R receiver abort, E unknown error, Q error in last request, I no information, F last request processed.</summary>
    public string? Termination;

    /// <summary>The first patient's identifier (P-3 to P-5) as a pseudonym.</summary>
    public Pseudonym Patient;
    public int Records;
    public int Patients;
    public int Orders;
    public int Results;
    public int Queries;
    public int Frames;

    /// <summary>Frames that the receiver refused.</summary>
    public int Refused;

    /// <summary>False for records without the frames of LIS01-A2.</summary>
    public bool Framed;

    /// <summary>True when the header holds an access password (H-4).</summary>
    public bool HasPassword;
    public LisFault Fault;
}
