using System.Runtime.InteropServices;

namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// What may be told of a file without its name: a usual extension as it is, any other as its shape ("aaaaaa" for six letters, '9' for a
/// digit), since people put names behind dots.
/// </summary>
internal static class FileShape
{
    /// <summary>Longest extension that is taken for one, characters.</summary>
    private const int MaximumExtension = 12;

    private static readonly HashSet<string> Usual = new(StringComparer.OrdinalIgnoreCase)
    {
        "txt", "csv", "log", "xml", "json", "ini", "cfg", "conf", "tmp", "temp", "bak", "old", "part", "lock", "lnk", "url",
        "doc", "docx", "docm", "dot", "dotx", "xls", "xlsx", "xlsm", "xlsb", "ppt", "pptx", "pdf", "rtf", "odt", "ods", "odp", "one", "vsd", "vsdx", "msg", "eml", "pst", "ost",
        "jpg", "jpeg", "png", "gif", "bmp", "tif", "tiff", "svg", "ico", "mp3", "mp4", "avi", "mov", "wav", "wmv", "mkv",
        "zip", "rar", "7z", "gz", "tar", "tgz", "bz2", "xz", "cab", "iso", "img", "vhd", "vhdx", "vmdk",
        "exe", "dll", "sys", "msi", "bat", "cmd", "ps1", "vbs", "js", "jar", "scr", "com", "py", "sh", "inf", "cat", "mui", "ocx", "drv",
        "db", "mdb", "accdb", "sqlite", "mdf", "ldf", "ndf", "dbf", "sql", "dat", "bin", "pol", "adm", "admx", "adml", "htm", "html", "css",
        "dcm", "dicom", "hl7", "nii", "stl", "edf", "ecg", "scp", "mhd", "raw",
    };

    private static readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> Lookup = Usual.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>The shape of the extension of a path, as bytes; the length is 0 when there is none.</summary>
    /// <param name="path">The path in UTF-16 or one byte per character.</param>
    /// <param name="isUnicode">Whether it is UTF-16.</param>
    /// <param name="shape">Receives at most 12 characters.</param>
    /// <param name="isUsual">True for an extension of the list, and when there is none.</param>
    /// <param name="hash">Stands for the extension itself, so that two can be compared; 0 when there is none.</param>
    public static int Extension(ReadOnlySpan<byte> path, bool isUnicode, Span<byte> shape, out bool isUsual, out uint hash)
    {
        Span<char> narrow = stackalloc char[MaximumExtension + 2];
        scoped ReadOnlySpan<char> text;
        if (isUnicode)
        {
            text = MemoryMarshal.Cast<byte, char>(path[..(path.Length & ~1)]).TrimEnd('\0');
            text = text[^Math.Min(text.Length, narrow.Length)..];
        }
        else
        {
            path = path.TrimEnd((byte)0);
            path = path[^Math.Min(path.Length, narrow.Length)..];
            for (var i = 0; i < path.Length; i++)
                narrow[i] = (char)path[i];
            text = narrow[..path.Length];
        }

        (isUsual, hash) = (true, 0);
        var dot = text.LastIndexOfAny('.', '\\', '/');
        if (dot < 0 || text[dot] != '.' || dot == text.Length - 1 || text.Length - dot - 1 > MaximumExtension)
            return 0;
        var extension = text[(dot + 1)..];
        isUsual = Lookup.Contains(extension);
        hash = 2_166_136_261;
        for (var i = 0; i < extension.Length; i++)
        {
            var c = char.ToLowerInvariant(extension[i]);
            hash = (hash ^ c) * 16_777_619;
            shape[i] = isUsual ? (byte)c : char.IsLetter(c) ? (byte)'a' : char.IsDigit(c) ? (byte)'9' : (byte)'-';
        }

        return extension.Length;
    }
}
