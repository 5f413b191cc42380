using System.Buffers;

namespace IoTGuard.Wire.Application.Dicom;

/// <summary>Which characters the texts of the upper layer and of commands may hold.</summary>
public static class DicomText
{
    /// <summary>Longest UID in bytes (PS3.5 9.1).</summary>
    public const int MaximumUidLength = 64;

    private static readonly SearchValues<byte> UidBytes = SearchValues.Create("0123456789."u8);
    private static readonly SearchValues<byte> UidListBytes = SearchValues.Create("0123456789.\\*? "u8);
    private static readonly SearchValues<byte> PathBytes = SearchValues.Create("/\\"u8);

    /// <summary>The value without the padding that PS3.5 6.2 allows, and the NUL padding of AE titles that is seen all the same.</summary>
    public static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> text) => text.Trim(" \0"u8);

    /// <summary>True for digits and dots (PS3.5 9.1) without an empty component between dots; padding is left out. An empty value is one.</summary>
    public static bool IsUid(ReadOnlySpan<byte> uid)
    {
        uid = uid.TrimEnd(" \0"u8);
        return !uid.ContainsAnyExcept(UidBytes) && uid.IndexOf(".."u8) < 0;
    }

    /// <summary>Like <see cref="IsUid"/>, for matching keys: lists and wildcards are allowed too.</summary>
    public static bool IsUidKey(ReadOnlySpan<byte> uid)
    {
        uid = uid.TrimEnd(" \0"u8);
        return !uid.ContainsAnyExcept(UidListBytes) && uid.IndexOf(".."u8) < 0;
    }

    /// <summary>
    /// True for what an AE title may hold (PS3.5 6.2: default repertoire without backslash and control characters), less "/" and "..",
    /// which no device needs and path traversal does. Padding is left out.
    /// </summary>
    public static bool IsAeTitle(ReadOnlySpan<byte> title)
    {
        title = Trim(title);
        return !title.ContainsAnyExceptInRange((byte)0x20, (byte)0x7E) && !title.ContainsAny(PathBytes) && title.IndexOf(".."u8) < 0;
    }
}
