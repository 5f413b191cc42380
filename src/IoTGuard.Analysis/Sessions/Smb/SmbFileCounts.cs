namespace IoTGuard.Analysis.Sessions;

/// <summary>What was done with files.</summary>
public record struct SmbFileCounts
{
    /// <summary>From the first to the last request counted, ns.</summary>
    public long IntervalNs;

    /// <summary>Files and directories opened, of them such that were made or overwritten.</summary>
    public int Opens;
    public int Created;

    /// <summary>Requests that failed.</summary>
    public int Failures;
    public int Reads;
    public long ReadBytes;
    public int Writes;
    public long WrittenBytes;

    /// <summary>Writes whose first bytes were looked at, and of them those that look encrypted or compressed.</summary>
    public int SampledWrites;
    public int RandomWrites;
    public int Renames;

    /// <summary>Renames that gave another extension, and of them those to one that is no usual one.</summary>
    public int ExtensionChanges;
    public int StrangeExtensions;
    public int Deletes;
    public int DirectoryQueries;

    /// <summary>Files written that begin as a program does (MZ, ELF), as DICOM files do, and as both.</summary>
    public int Executables;
    public int DicomFiles;
    public int DicomExecutables;

    /// <summary>Requests counted.</summary>
    public readonly int Operations => Opens + Reads + Writes + Renames + Deletes + DirectoryQueries;

    /// <summary>Writes the counts, absent ones left out.</summary>
    public readonly void Write<TWriter>(ref TWriter writer)
        where TWriter : IFieldWriter, allows ref struct
    {
        writer.Real("interval", IntervalNs / 1e9);
        Number(ref writer, "opens", Opens);
        Number(ref writer, "created", Created);
        Number(ref writer, "failures", Failures);
        Number(ref writer, "reads", Reads);
        Number(ref writer, "read_bytes", ReadBytes);
        Number(ref writer, "writes", Writes);
        Number(ref writer, "written_bytes", WrittenBytes);
        Number(ref writer, "sampled_writes", SampledWrites);
        Number(ref writer, "random_writes", RandomWrites);
        Number(ref writer, "renames", Renames);
        Number(ref writer, "extension_changes", ExtensionChanges);
        Number(ref writer, "strange_extensions", StrangeExtensions);
        Number(ref writer, "deletes", Deletes);
        Number(ref writer, "directory_queries", DirectoryQueries);
        Number(ref writer, "executables", Executables);
        Number(ref writer, "dicom_files", DicomFiles);
        Number(ref writer, "dicom_executables", DicomExecutables);
    }

    private static void Number<TWriter>(ref TWriter writer, string name, long value)
        where TWriter : IFieldWriter, allows ref struct
    {
        if (value > 0)
            writer.Number(name, value);
    }
}
