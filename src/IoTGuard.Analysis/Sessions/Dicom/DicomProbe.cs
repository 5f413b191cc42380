using System.Buffers.Binary;
using IoTGuard.Wire.Application.Dicom;

namespace IoTGuard.Analysis.Sessions;

/// <summary>Recognises PDUs by content: at the start of a connection, in the middle of one, and after lost bytes.</summary>
internal static class DicomProbe
{
    /// <summary>Bytes that decide whether a PDU starts at a place.</summary>
    public const int Window = 20;

    /// <summary>Largest P-DATA-TF that is taken for one, in bytes; senders use up to 1 MiB, some more when no maximum was negotiated.</summary>
    public const uint MaximumDataTransferLength = 64 * 1024 * 1024;

    /// <summary>Largest A-ASSOCIATE-RQ or -AC read, in bytes. 128 contexts with 38 transfer syntaxes each would fit.</summary>
    public const uint MaximumAssociateLength = 192 * 1024;

    /// <summary>Judges whether a PDU starts at the first byte.</summary>
    public static ProbeResult HeaderAt(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty)
            return ProbeResult.Unsure;
        if (data[0] is 0 or > 7 || (data.Length > 1 && data[1] != 0))
            return ProbeResult.NotForUs;
        if (data.Length < PduHeader.Size)
            return ProbeResult.Unsure;
        var header = PduHeader.Read(data);
        return header.Type switch
        {
            PduType.DataTransfer => DataTransferAt(header, data),
            PduType.AssociateRequest or PduType.AssociateAccept => AssociateAt(header, data),
            _ => ShortPduAt(header, data),
        };
    }

    /// <summary>
    /// Looks for the first place where a PDU starts. False when there is none; <paramref name="at"/> is then the first byte
    /// that more bytes are needed for, or the end.
    /// </summary>
    public static bool TryFind(ReadOnlySpan<byte> data, out int at)
    {
        at = 0;
        if (HeaderAt(data) == ProbeResult.Certain)
            return true;
        ReadOnlySpan<byte> start = [(byte)PduType.DataTransfer, 0];
        while (true)
        {
            var next = data[at..].IndexOf(start);
            if (next < 0)
                break;
            at += next;
            var answer = HeaderAt(data[at..]);
            if (answer == ProbeResult.Certain)
                return true;
            if (answer == ProbeResult.Unsure && data.Length - at < Window)
                return false;
            at++;
        }

        // The last PDU of a direction ends its segment. Elsewhere, ten such bytes may be pixels.
        var shortPdu = data.Length - PduHeader.Size - PduHeader.ShortPduLength;
        if (shortPdu >= 0 && HeaderAt(data[shortPdu..]) == ProbeResult.Certain)
        {
            at = shortPdu;
            return true;
        }

        at = data is [.., (byte)PduType.DataTransfer] ? data.Length - 1 : data.Length;
        return false;
    }

    private static ProbeResult AssociateAt(PduHeader header, ReadOnlySpan<byte> data)
    {
        // Lengths that only a bomb has: what follows need not look like anything.
        if (header is { Type: PduType.AssociateRequest, Length: uint.MaxValue or int.MaxValue })
            return ProbeResult.Certain;
        if (header.Length is < AssociatePdu.FixedLength or > MaximumAssociateLength)
            return ProbeResult.NotForUs;
        if (data.Length < 10)
            return ProbeResult.Unsure;
        // Protocol-version has bit 0 set, the two bytes after it are reserved.
        return (data[7] & 1) == 1 && data[8] == 0 && data[9] == 0 ? ProbeResult.Certain : ProbeResult.NotForUs;
    }

    private static ProbeResult ShortPduAt(PduHeader header, ReadOnlySpan<byte> data)
    {
        if (header.Length != PduHeader.ShortPduLength)
            return ProbeResult.NotForUs;
        if (data.Length < PduHeader.Size + PduHeader.ShortPduLength)
            return ProbeResult.Unsure;
        var known = header.Type switch
        {
            PduType.AssociateReject => data[6] == 0 && data[7] is 1 or 2 && data[8] is >= 1 and <= 3 && data[9] <= 10,
            PduType.Abort => data[6] == 0 && data[7] == 0 && data[8] <= 2 && data[9] <= 6,
            _ => BinaryPrimitives.ReadUInt32BigEndian(data[6..]) == 0,
        };
        return known ? ProbeResult.Certain : ProbeResult.NotForUs;
    }

    private static ProbeResult DataTransferAt(PduHeader header, ReadOnlySpan<byte> data)
    {
        if (header.Length is < PduHeader.MinimumDataTransferLength or > MaximumDataTransferLength)
            return ProbeResult.NotForUs;
        var pdv = data[PduHeader.Size..];
        if (pdv.Length < PdvHeader.Size)
            return ProbeResult.Unsure;
        var first = PdvHeader.Read(pdv);
        if (!IsPlausible(first, header.Length))
            return ProbeResult.NotForUs;
        if (first.Length == header.Length - 4)
            return ProbeResult.Certain;
        if (first.IsCommand && first.FragmentLength >= 8)
        {
            if (pdv.Length < PdvHeader.Size + 8)
                return ProbeResult.Unsure;
            if (StartsCommandSet(pdv[PdvHeader.Size..]))
                return ProbeResult.Certain;
        }

        // Another value follows in the PDU: its header must be plausible too.
        var second = (long)4 + first.Length;
        if (second + PdvHeader.Size > pdv.Length)
            return second <= StreamSession.MaximumPendingBytes / 64 ? ProbeResult.Unsure : ProbeResult.NotForUs;
        return IsPlausible(PdvHeader.Read(pdv[(int)second..]), header.Length - second) ? ProbeResult.Certain : ProbeResult.NotForUs;
    }

    /// <summary>True when a fragment begins a command set: with its group length (0000,0000).</summary>
    public static bool StartsCommandSet(ReadOnlySpan<byte> fragment) => fragment.StartsWith((ReadOnlySpan<byte>)[0, 0, 0, 0, 4, 0, 0, 0]);

    private static bool IsPlausible(PdvHeader pdv, long room) =>
        pdv.Length >= PdvHeader.CountedHeaderBytes && pdv.Length <= room - 4 && (pdv.ContextId & 1) == 1 && pdv.Control <= 3;
}
