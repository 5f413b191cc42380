namespace IoTGuard.Analysis.Baselines;

/// <summary>A site that cannot be used, in one line with file, place and remedy.</summary>
public sealed class SiteException : Exception
{
    private const string Remedy = "restore the folder from a backup or learn the site again";

    public SiteException(string file, int line, string problem, Exception? inner = null)
        : base(line > 0 ? $"{file} line {line}: {problem}; {Remedy}" : $"{file}: {problem}; {Remedy}", inner)
    {
        File = file;
        Line = line;
    }

    /// <summary>Name of the file in the site folder.</summary>
    public string File { get; }

    /// <summary>Line, counted from 1; 0 = the file as a whole.</summary>
    public int Line { get; }
}
