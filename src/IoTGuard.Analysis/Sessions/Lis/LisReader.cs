using IoTGuard.Wire.Application.Lis;

namespace IoTGuard.Analysis.Sessions;

/// <summary>One direction of a laboratory instrument's connection: the record being read and the message being counted.</summary>
internal sealed class LisReader
{
    private readonly byte[] _record = new byte[LisSession.MaximumRecordBytes];
    private int _length;
    private long _recordBytes;
    private byte _field;

    public LisFacts Facts;

    /// <summary>Bytes of an incomplete frame or record that were searched for its end.</summary>
    public int Scanned { get; set; }

    /// <summary>Packet time of ENQ; 0 = none.</summary>
    public long EnquiryNs { get; set; }

    /// <summary>Number of the next frame; -1 = any.</summary>
    public int NextFrame { get; set; } = -1;

    public int LastFrame { get; private set; } = -1;

    public bool IsOpen { get; private set; }

    public long StartNs { get; private set; }

    /// <summary>Bytes of the message's records.</summary>
    public long Bytes { get; private set; }

    public bool StartsHeader => LisFrame.StartsHeader(_record.AsSpan(0, _length)) is true;

    /// <summary>A frame begins.</summary>
    public void Begin(int number)
    {
        LastFrame = number;
        NextFrame = (number + 1) & 7;
    }

    /// <summary>The receiver refused the last frame, which comes again: what is here of its last record is forgotten.</summary>
    public void Repeats()
    {
        NextFrame = -1;
        _length = 0;
        _recordBytes = 0;
    }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        var take = Math.Min(bytes.Length, _record.Length - _length);
        bytes[..take].CopyTo(_record.AsSpan(_length));
        _length += take;
        _recordBytes += bytes.Length;
    }

    public void Open(long timeNs, bool framed)
    {
        var (refused, frames) = (Facts.Refused, Facts.Frames);
        Facts = default;
        Facts.Framed = framed;
        if (framed)
            (Facts.Refused, Facts.Frames) = (refused, frames);
        IsOpen = true;
        StartNs = EnquiryNs != 0 ? EnquiryNs : timeNs;
        Bytes = 0;
    }

    /// <summary>The record is complete. True when it terminates the message.</summary>
    public bool EndRecord(SessionContext context)
    {
        var record = _record.AsSpan(0, _length);
        var isLast = false;
        if (IsOpen && !record.IsEmpty)
        {
            Facts.Records++;
            Bytes += _recordBytes;
            switch (record[0])
            {
                case (byte)'H':
                    ReadHeader(context, record);
                    break;
                case (byte)'P':
                    Facts.Patients++;
                    if (Facts.Patient.IsNone)
                        ReadPatient(context, record);
                    break;
                case (byte)'O':
                    Facts.Orders++;
                    break;
                case (byte)'R':
                    Facts.Results++;
                    break;
                case (byte)'Q':
                    Facts.Queries++;
                    break;
                case (byte)'L':
                    Facts.Termination = context.Texts.Of(Field(record, 2));
                    isLast = true;
                    break;
            }
        }

        _length = 0;
        _recordBytes = 0;
        return isLast;
    }

    /// <summary>Forgets the message.</summary>
    public void Abandon()
    {
        IsOpen = false;
        Facts = default;
        _length = 0;
        _recordBytes = 0;
    }

    public void Reset()
    {
        Abandon();
        Scanned = 0;
        EnquiryNs = 0;
        NextFrame = LastFrame = -1;
    }

    private void ReadHeader(SessionContext context, ReadOnlySpan<byte> record)
    {
        _field = record.Length > 1 ? record[1] : (byte)'|';
        Facts.HasPassword = !Field(record, 3).IsEmpty;
        Facts.Sender = context.Texts.Of(Field(record, 4));
        Facts.Receiver = context.Texts.Of(Field(record, 9));
        Facts.ProcessingId = context.Texts.Of(Field(record, 11));
        Facts.Version = context.Texts.Of(Field(record, 12));
    }

    private void ReadPatient(SessionContext context, ReadOnlySpan<byte> record)
    {
        for (var i = 2; i <= 4 && Facts.Patient.IsNone; i++)
            Facts.Patient = context.Pseudonyms.Of(PseudonymKind.Patient, Field(record, i));
    }

    /// <summary>A field by its place behind the record type.</summary>
    private ReadOnlySpan<byte> Field(ReadOnlySpan<byte> record, int index)
    {
        for (; index > 0; index--)
        {
            var next = record.IndexOf(_field);
            if (next < 0)
                return default;
            record = record[(next + 1)..];
        }

        var end = record.IndexOf(_field);
        return end < 0 ? record : record[..end];
    }
}
