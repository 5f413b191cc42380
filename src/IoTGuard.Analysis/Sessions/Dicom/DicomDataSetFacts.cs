using System.Buffers.Binary;
using System.Buffers.Text;
using IoTGuard.Wire;
using IoTGuard.Wire.Application.Dicom;
using IoTGuard.Wire.Application.Files;

namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// What is kept of a request's data set. Identifiers become pseudonyms at once; matching keys are counted and forgotten.
/// </summary>
internal sealed class DicomDataSetFacts
{
    // Nothing that is kept of an object lies in or after the pixel data, so the rest of its data set need not be looked at.
    private const int LastGroupOfInterest = 0x7FDF;

    /// <summary>Shortest value that can be a program, bytes.</summary>
    private const int SmallestProgram = 64;
    private const int LastGroupOfProcedureStep = 0x0040;

    /// <summary>Longest code string and short string (CS, SH; PS3.5 6.2), bytes.</summary>
    private const int MaximumCodeLength = 16;

    /// <summary>Longest long string (LO; PS3.5 6.2), bytes; two values of software versions fit.</summary>
    private const int MaximumTextLength = 128;

    private bool _isQuery;
    private int _lastGroup;

    public Pseudonym Patient { get; private set; }

    public Pseudonym Study { get; private set; }

    public Pseudonym Series { get; private set; }

    public Pseudonym Instance { get; private set; }

    public string? SopClass { get; private set; }

    public string? QueryLevel { get; private set; }

    public string? Modality { get; private set; }

    public string? Manufacturer { get; private set; }

    public string? ModelName { get; private set; }

    public string? StationName { get; private set; }

    public string? DeviceSerial { get; private set; }

    public string? SoftwareVersions { get; private set; }

    public int Rows { get; private set; }

    public int Columns { get; private set; }

    public int BitsAllocated { get; private set; }

    public int SamplesPerPixel { get; private set; }

    public int Frames { get; private set; }

    public int QueryKeys { get; private set; }

    public int EmptyKeys { get; private set; }

    public int WildcardKeys { get; private set; }

    /// <summary>The kind of program that a private element or an encapsulated document is; unknown = none.</summary>
    public FileKind Program { get; private set; }

    /// <summary>True when a UID holds characters that the standard forbids there.</summary>
    public bool HasBadUid { get; private set; }

    /// <summary>True when nothing of interest follows.</summary>
    public bool IsDone { get; private set; }

    public void Reset()
    {
        Patient = Study = Series = Instance = default;
        SopClass = QueryLevel = Modality = Manufacturer = ModelName = StationName = DeviceSerial = SoftwareVersions = null;
        Rows = Columns = BitsAllocated = SamplesPerPixel = Frames = QueryKeys = EmptyKeys = WildcardKeys = 0;
        Program = FileKind.Unknown;
        HasBadUid = IsDone = _isQuery = false;
        _lastGroup = 0;
    }

    /// <summary>Starts on the data set of a request.</summary>
    public void Begin(DimseCommand command)
    {
        _isQuery = command is DimseCommand.CFind or DimseCommand.CMove or DimseCommand.CGet;
        _lastGroup = _isQuery ? int.MaxValue : command == DimseCommand.CStore ? LastGroupOfInterest : LastGroupOfProcedureStep;
        IsDone = false;
    }

    /// <summary>Looks at an element's header; true when its value, or its items, are wanted.</summary>
    public bool Wants(DataSetReader reader)
    {
        if (reader.Depth == 0 && DicomTag.Group(reader.Tag) > _lastGroup)
        {
            IsDone = true;
            return false;
        }

        if (_isQuery)
        {
            if (reader is { Vr: ValueRepresentation.SQ, Length: 0 })
                CountKey(reader, []);
            return true;
        }

        return reader.Depth == 0
            ? reader.Tag == DicomTag.ScheduledStepAttributesSequence || IsWanted(reader.Tag) || MayBeProgram(reader)
            : reader.Tag == DicomTag.StudyInstanceUid;
    }

    /// <summary>Takes a value that was wanted.</summary>
    public void Take(DataSetReader reader, ReadOnlySpan<byte> value, SessionContext context)
    {
        if (_isQuery)
            CountKey(reader, value);
        if (IsWanted(reader.Tag))
            Keep(reader, value, context);
        else if (Program == FileKind.Unknown && MayBeProgram(reader) && FileKinds.Of(value) is var kind && FileKinds.IsExecutable(kind))
            Program = kind;
    }

    private static bool MayBeProgram(DataSetReader reader) =>
        (reader.Tag == DicomTag.EncapsulatedDocument || (DicomTag.Group(reader.Tag) & 1) != 0) && reader.Length >= SmallestProgram && reader.Vr != ValueRepresentation.SQ;

    private static bool IsWanted(uint tag) => tag is DicomTag.SopClassUid or DicomTag.SopInstanceUid or DicomTag.QueryRetrieveLevel
        or DicomTag.Modality or DicomTag.Manufacturer or DicomTag.StationName or DicomTag.ManufacturerModelName or DicomTag.PatientId
        or DicomTag.DeviceSerialNumber or DicomTag.SoftwareVersions or DicomTag.StudyInstanceUid or DicomTag.SeriesInstanceUid
        or DicomTag.SamplesPerPixel or DicomTag.NumberOfFrames or DicomTag.Rows or DicomTag.Columns or DicomTag.BitsAllocated;

    private void Keep(DataSetReader reader, ReadOnlySpan<byte> value, SessionContext context)
    {
        switch (reader.Tag)
        {
            case DicomTag.PatientId:
                Patient = OfKey(PseudonymKind.Patient, value, context);
                break;
            case DicomTag.StudyInstanceUid:
                CheckUid(value);
                Study = OfKey(PseudonymKind.Study, value, context);
                break;
            case DicomTag.SeriesInstanceUid:
                CheckUid(value);
                Series = OfKey(PseudonymKind.Series, value, context);
                break;
            case DicomTag.SopInstanceUid:
                CheckUid(value);
                Instance = OfKey(PseudonymKind.Instance, value, context);
                break;
            case DicomTag.SopClassUid:
                CheckUid(value);
                SopClass = DicomText.IsUid(value) ? Text(value, DicomText.MaximumUidLength, context) : null;
                break;
            case DicomTag.QueryRetrieveLevel:
                QueryLevel = Text(value, MaximumCodeLength, context);
                break;
            case DicomTag.Modality when !_isQuery || IsPlain(value):
                Modality = Text(value, MaximumCodeLength, context);
                break;
            case DicomTag.NumberOfFrames when !_isQuery:
                Frames = Utf8Parser.TryParse(value.Trim((byte)' '), out int frames, out _) ? frames : 0;
                break;
            case DicomTag.Rows when !_isQuery:
                Rows = ReadUInt16(reader, value);
                break;
            case DicomTag.Columns when !_isQuery:
                Columns = ReadUInt16(reader, value);
                break;
            case DicomTag.BitsAllocated when !_isQuery:
                BitsAllocated = ReadUInt16(reader, value);
                break;
            case DicomTag.SamplesPerPixel when !_isQuery:
                SamplesPerPixel = ReadUInt16(reader, value);
                break;
            default:
                if (!_isQuery)
                    KeepEquipment(reader.Tag, value, context);
                break;
        }
    }

    private void KeepEquipment(uint tag, ReadOnlySpan<byte> value, SessionContext context)
    {
        switch (tag)
        {
            case DicomTag.Manufacturer:
                Manufacturer = Text(value, MaximumTextLength, context);
                break;
            case DicomTag.ManufacturerModelName:
                ModelName = Text(value, MaximumTextLength, context);
                break;
            case DicomTag.StationName:
                StationName = Text(value, MaximumCodeLength, context);
                break;
            case DicomTag.DeviceSerialNumber:
                DeviceSerial = Text(value, MaximumTextLength, context);
                break;
            case DicomTag.SoftwareVersions:
                SoftwareVersions = Text(value, MaximumTextLength, context);
                break;
        }
    }

    // What is longer than its VR allows, or holds control characters, may have run over into elements that name a patient.
    private static string? Text(ReadOnlySpan<byte> value, int maximum, SessionContext context)
    {
        value = DicomText.Trim(value);
        return value.Length > maximum || value.ContainsAnyInRange((byte)0, (byte)0x1F) ? null : context.Texts.Of(value);
    }

    // A key that may match many identifies nobody.
    private Pseudonym OfKey(PseudonymKind kind, ReadOnlySpan<byte> value, SessionContext context) =>
        !_isQuery || IsPlain(value) ? context.Pseudonyms.Of(kind, value) : default;

    private static bool IsPlain(ReadOnlySpan<byte> value) => !value.ContainsAny((byte)'*', (byte)'?', (byte)'\\');

    private void CheckUid(ReadOnlySpan<byte> value) => HasBadUid |= !(_isQuery ? DicomText.IsUidKey(value) : DicomText.IsUid(value));

    private static int ReadUInt16(DataSetReader reader, ReadOnlySpan<byte> value)
    {
        if (value.Length < 2)
            return 0;
        return reader.IsLittleEndian ? BinaryPrimitives.ReadUInt16LittleEndian(value) : BinaryPrimitives.ReadUInt16BigEndian(value);
    }

    // Matching keys are all elements but the level and the character set (PS3.4 C.2.2.2), those in sequence items too.
    private void CountKey(DataSetReader reader, ReadOnlySpan<byte> value)
    {
        if (reader.Tag is DicomTag.QueryRetrieveLevel or DicomTag.SpecificCharacterSet || (reader.Tag & 0xFFFF) == 0)
            return;
        QueryKeys++;
        var text = DicomText.Trim(value);
        if (text.IsEmpty)
            EmptyKeys++;
        else if (text.ContainsAny((byte)'*', (byte)'?') && !text.ContainsAnyInRange((byte)0, (byte)0x1F))
            WildcardKeys++;
    }
}
