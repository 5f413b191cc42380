namespace IoTGuard.Wire.Application.Dicom;

/// <summary>Data elements of interest (PS3.6 chapter 6), group in the upper 16 bits.</summary>
public static class DicomTag
{
    public const uint SpecificCharacterSet = 0x0008_0005;
    public const uint SopClassUid = 0x0008_0016;
    public const uint SopInstanceUid = 0x0008_0018;
    public const uint QueryRetrieveLevel = 0x0008_0052;
    public const uint Modality = 0x0008_0060;
    public const uint Manufacturer = 0x0008_0070;
    public const uint StationName = 0x0008_1010;
    public const uint ManufacturerModelName = 0x0008_1090;
    public const uint PatientId = 0x0010_0020;
    public const uint DeviceSerialNumber = 0x0018_1000;
    public const uint SoftwareVersions = 0x0018_1020;
    public const uint StudyInstanceUid = 0x0020_000D;
    public const uint SeriesInstanceUid = 0x0020_000E;
    public const uint SamplesPerPixel = 0x0028_0002;
    public const uint NumberOfFrames = 0x0028_0008;
    public const uint Rows = 0x0028_0010;
    public const uint Columns = 0x0028_0011;
    public const uint BitsAllocated = 0x0028_0100;
    public const uint ScheduledProcedureStepSequence = 0x0040_0100;
    public const uint ScheduledStepAttributesSequence = 0x0040_0270;
    public const uint EncapsulatedDocument = 0x0042_0011;
    public const uint PixelData = 0x7FE0_0010;

    public const uint Item = 0xFFFE_E000;
    public const uint ItemDelimitation = 0xFFFE_E00D;
    public const uint SequenceDelimitation = 0xFFFE_E0DD;

    /// <summary>The group number of a tag.</summary>
    public static int Group(uint tag) => (int)(tag >> 16);
}

/// <summary>Value representations (PS3.5 6.2): the two letters, the first in the upper byte.</summary>
public enum ValueRepresentation : ushort
{
    /// <summary>Not said: implicit VR.</summary>
    None = 0,
    OB = 0x4F42,
    OD = 0x4F44,
    OF = 0x4F46,
    OL = 0x4F4C,
    OV = 0x4F56,
    OW = 0x4F57,
    SQ = 0x5351,
    SV = 0x5356,
    UC = 0x5543,
    UN = 0x554E,
    UR = 0x5552,
    UT = 0x5554,
    UV = 0x5556,
}
