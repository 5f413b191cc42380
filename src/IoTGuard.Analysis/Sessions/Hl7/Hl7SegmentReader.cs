using IoTGuard.Wire.Application.Hl7;

namespace IoTGuard.Analysis.Sessions;

/// <summary>Takes from single segments what a transaction keeps. Names, dates and free text are passed over.</summary>
internal static class Hl7SegmentReader
{
    /// <summary>True for the segments that <see cref="Read"/> wants to see whole; the others are only counted.</summary>
    public static bool Wants(uint id) => id is Hl7SegmentId.Msh or Hl7SegmentId.Msa or Hl7SegmentId.Err or Hl7SegmentId.Evn
        or Hl7SegmentId.Pid or Hl7SegmentId.Pv1 or Hl7SegmentId.Obx or Hl7SegmentId.Prt;

    /// <summary>Reads one segment into <paramref name="message"/>.</summary>
    public static void Read(SessionContext context, Hl7Segment segment, Hl7Transaction message)
    {
        switch (segment.Id)
        {
            case Hl7SegmentId.Msh:
                context.Hl7Headers.Read(segment, message);
                break;
            case Hl7SegmentId.Msa:
                message.Event = Hl7Event.Ack;
                message.AckCode = Code(context, segment[1].Bytes);
                message.Acknowledges.Set(segment[2].Bytes.Trim((byte)' '));
                break;
            case Hl7SegmentId.Err:
                ReadError(context, segment, message);
                break;
            case Hl7SegmentId.Evn:
                message.EventType ??= Code(context, segment[1].Bytes);
                break;
            case Hl7SegmentId.Pid:
                message.Content.Add(segment.Bytes);
                ReadPatient(context, segment, message);
                break;
            case Hl7SegmentId.Pv1:
                ReadVisit(context, segment, message);
                break;
            case Hl7SegmentId.Obx:
                message.Content.Add(segment.Bytes);
                message.DeviceIdentifier ??= DeviceText(context, segment[18].Component(1), segment.Delimiters);
                break;
            case Hl7SegmentId.Prt:
                ReadParticipation(context, segment, message);
                break;
        }
    }

    private static void ReadError(SessionContext context, Hl7Segment segment, Hl7Transaction message)
    {
        message.Errors++;
        if (message.ErrorCode is not null)
            return;
        var code = segment[3].Component(1);
        message.ErrorCode = Code(context, code.IsEmpty ? segment[1].Subcomponent(4, 1) : code);
    }

    private static void ReadPatient(SessionContext context, Hl7Segment segment, Hl7Transaction message)
    {
        message.Patients++;
        ref var patient = ref message.PatientIdentifier;
        if (patient.IsNone)
            Take(context, ref patient, PseudonymKind.Patient, segment[3], segment.Delimiters);
        if (patient.IsNone)
            Take(context, ref patient, PseudonymKind.Patient, segment[2], segment.Delimiters);
    }

    private static void ReadVisit(SessionContext context, Hl7Segment segment, Hl7Transaction message)
    {
        message.PatientClass ??= Code(context, segment[2].Component(1));
        if (message.VisitIdentifier.IsNone)
            Take(context, ref message.VisitIdentifier, PseudonymKind.Visit, segment[19], segment.Delimiters);
    }

    private static void ReadParticipation(SessionContext context, Hl7Segment segment, Hl7Transaction message)
    {
        var udi = DeviceText(context, segment[16].Component(1), segment.Delimiters);
        message.DeviceIdentifier ??= udi ?? DeviceText(context, segment[10].Component(1), segment.Delimiters);
        message.DeviceLot ??= DeviceText(context, segment[19].Component(1), segment.Delimiters);
        message.DeviceSerial ??= DeviceText(context, segment[20].Component(1), segment.Delimiters);
    }

    private static void Take(SessionContext context, ref DeferredPseudonym pseudonym, PseudonymKind kind, Hl7Field field, Hl7Delimiters delimiters)
    {
        if (field.IsNullOrEmpty)
            return;
        Span<byte> decoded = stackalloc byte[Pseudonymizer.MaximumIdentifierBytes];
        var length = Hl7Escape.Decode(field.Component(1), delimiters, decoded);
        pseudonym.Set(context, kind, decoded[..length]);
    }

    private static string? DeviceText(SessionContext context, ReadOnlySpan<byte> text, Hl7Delimiters delimiters)
    {
        if (text.IsEmpty || text.SequenceEqual("\"\""u8))
            return null;
        Span<byte> decoded = stackalloc byte[TextInterner.MaximumTextBytes];
        return Hl7Text.Of(context.Texts, decoded[..Hl7Escape.Decode(text, delimiters, decoded)], default);
    }

    private static string? Code(SessionContext context, ReadOnlySpan<byte> text) => Hl7Text.Code(context.Texts, text);
}
