namespace IoTGuard.Wire.Application.Hl7;

/// <summary>A segment's three-letter id as a number, so that it can be switched on.</summary>
public static class Hl7SegmentId
{
    /// <summary>Bytes of an id.</summary>
    public const int Length = 3;

    /// <summary>Bytes of "MSH|^~\&amp;|": the shortest text that shows a header with its delimiters.</summary>
    public const int HeaderShape = 9;

    public const uint Msh = ('M' << 16) | ('S' << 8) | 'H';
    public const uint Msa = ('M' << 16) | ('S' << 8) | 'A';
    public const uint Err = ('E' << 16) | ('R' << 8) | 'R';
    public const uint Evn = ('E' << 16) | ('V' << 8) | 'N';
    public const uint Pid = ('P' << 16) | ('I' << 8) | 'D';
    public const uint Pv1 = ('P' << 16) | ('V' << 8) | '1';
    public const uint Obr = ('O' << 16) | ('B' << 8) | 'R';
    public const uint Obx = ('O' << 16) | ('B' << 8) | 'X';
    public const uint Prt = ('P' << 16) | ('R' << 8) | 'T';
    public const uint Fhs = ('F' << 16) | ('H' << 8) | 'S';
    public const uint Bhs = ('B' << 16) | ('H' << 8) | 'S';
    public const uint Bts = ('B' << 16) | ('T' << 8) | 'S';
    public const uint Fts = ('F' << 16) | ('T' << 8) | 'S';

    /// <summary>The id in the first three bytes; 0 when they are not a letter and two letters or digits (chapter 2.5.1).</summary>
    public static uint Read(ReadOnlySpan<byte> segment)
    {
        if (segment.Length < Length || !IsLetter(segment[0]) || !IsLetterOrDigit(segment[1]) || !IsLetterOrDigit(segment[2]))
            return 0;
        return ((uint)segment[0] << 16) | ((uint)segment[1] << 8) | segment[2];
    }

    /// <summary>Whether the bytes begin a message or batch (MSH, FHS or BHS and a separator); null when there are too few to tell.</summary>
    public static bool? StartsMessage(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > Length)
            return Read(bytes) is Msh or Fhs or Bhs && Hl7Delimiters.IsPunctuation(bytes[Length]);
        return "MSH"u8.StartsWith(bytes) || "FHS"u8.StartsWith(bytes) || "BHS"u8.StartsWith(bytes) ? null : false;
    }

    /// <summary>
    /// Whether the bytes begin a message so clearly that no framing is needed: "MSH", a separator, three or more encoding characters, the
    /// separator again. Null when there are too few to tell.
    /// </summary>
    public static bool? StartsBareMessage(ReadOnlySpan<byte> bytes)
    {
        if (StartsMessage(bytes) is not true)
            return StartsMessage(bytes);
        for (var i = Length + 1; i < bytes.Length; i++)
        {
            if (bytes[i] == bytes[Length])
                return i >= Length + 3;
            if (i > HeaderShape || !Hl7Delimiters.IsPunctuation(bytes[i]))
                return false;
        }

        return bytes.Length > HeaderShape ? false : null;
    }

    private static bool IsLetter(byte b) => (uint)(b - 'A') <= 'Z' - 'A';

    private static bool IsLetterOrDigit(byte b) => IsLetter(b) || (uint)(b - '0') <= 9;
}
