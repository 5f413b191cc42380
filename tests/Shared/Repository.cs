namespace IoTGuard.TestSupport;

/// <summary>Where the checkout under test lies, and the optional data beside it.</summary>
internal static class Repository
{
    /// <summary>The folder that holds IoTGuard.slnx, found upwards from the test binary.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>A path below the repository root.</summary>
    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    /// <summary>A path below the optional <c>../shared/data</c>; skips the running test when it is absent.</summary>
    public static string SharedDataOrSkip(params string[] parts)
    {
        var path = Path.GetFullPath(Path.Combine([Root, "..", "shared", "data", .. parts]));
        Assert.SkipUnless(Path.Exists(path), $"optional data absent: shared/data/{string.Join('/', parts)}");
        return path;
    }

    private static string FindRoot()
    {
        for (var dir = new DirectoryInfo(AppContext.BaseDirectory); dir is not null; dir = dir.Parent)
        {
            if (File.Exists(Path.Combine(dir.FullName, "IoTGuard.slnx")))
                return dir.FullName;
        }

        throw new InvalidOperationException("IoTGuard.slnx not found above " + AppContext.BaseDirectory);
    }
}
