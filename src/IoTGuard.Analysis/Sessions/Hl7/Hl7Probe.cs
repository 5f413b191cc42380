using System.Buffers;
using IoTGuard.Wire.Application.Hl7;

namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// Recognises HL7 v2 in the first bytes of a direction: an MLLP frame, a bare message, or the middle of a message when the capture
/// began late. Looks at no more than <see cref="MaximumBytes"/> bytes.
/// </summary>
internal static class Hl7Probe
{
    /// <summary>Bytes after which a direction that is still unclear is not HL7.</summary>
    public const int MaximumBytes = 4096;

    /// <summary>Segments in a row that show the middle of a message.</summary>
    private const int SegmentsForCertainty = 2;

    /// <summary>Characters that HL7 text and its framing never hold: controls but HT, LF, VT, CR, ESC (ISO 2022) and FS.</summary>
    private static readonly SearchValues<byte> Foreign = SearchValues.Create(
    [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 29, 30, 31, 127,
    ]);

    public static ProbeResult Probe(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty)
            return ProbeResult.Unsure;
        var start = data[0] == Mllp.StartBlock ? Mllp.StartsFrame(data[1..]) : Hl7SegmentId.StartsBareMessage(data);
        if (start is { } answer && answer)
            return ProbeResult.Certain;
        if (start is null)
            return ProbeResult.Unsure;
        return ProbeMiddle(data[..Math.Min(data.Length, MaximumBytes)], data.Length >= MaximumBytes);
    }

    private static ProbeResult ProbeMiddle(ReadOnlySpan<byte> data, bool isAll)
    {
        if (data.ContainsAny(Foreign))
            return ProbeResult.NotForUs;
        var segments = 0;
        for (var at = 0; at < data.Length;)
        {
            // The first line may be the rest of a segment, and says nothing.
            var end = data[at..].IndexOfAny(Mllp.CarriageReturn, Mllp.StartBlock, Mllp.EndBlock);
            if (end < 0)
                break;
            at += end + 1;
            var rest = data[at..].TrimStart("\n\r"u8);
            if (rest.Length <= Hl7SegmentId.Length)
                break;
            if (rest[0] is Mllp.StartBlock or Mllp.EndBlock)
                continue;
            if (data[at - 1] == Mllp.StartBlock && Hl7SegmentId.StartsMessage(rest) is true || Hl7SegmentId.StartsBareMessage(rest) is true)
                return ProbeResult.Certain;
            if (Hl7SegmentId.Read(rest) == 0 || rest[Hl7SegmentId.Length] != '|')
                return ProbeResult.NotForUs;
            if (++segments == SegmentsForCertainty)
                return ProbeResult.Certain;
        }

        return isAll ? ProbeResult.NotForUs : ProbeResult.Unsure;
    }
}
