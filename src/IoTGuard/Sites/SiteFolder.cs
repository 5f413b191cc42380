using System.Security.Cryptography;
using IoTGuard.Analysis;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Learning.Onnx;

namespace IoTGuard.Sites;

/// <summary>
/// A site on disk: the files of a learned <see cref="Site"/>, and the key of its pseudonyms (32 bytes as hexadecimal text, readable by
/// its owner only). Files are replaced one by one by renaming, the manifest last, so that a crash leaves the old or the new state.
/// </summary>
internal sealed class SiteFolder(string path)
{
    private const string KeyFile = "pseudonym.key";
    private const string IndicatorFile = "indicators";

    /// <summary>Largest file that is read from a site folder, bytes.</summary>
    private const long MaximumFileBytes = 1L << 30;

    private static readonly string[] Extensions = [".json", ".jsonl"];

    public string Path { get; } = path;

    public bool Exists => Directory.Exists(Path) && File.Exists(System.IO.Path.Combine(Path, Site.ManifestFile));

    /// <summary>Ends the command when the folder does not exist.</summary>
    public static void RequireFolder(string folder)
    {
        if (!Directory.Exists(folder))
            throw Unusable($"the site folder {folder} does not exist; make it with 'iotguard learn CAPTURE --site {folder}'");
    }

    /// <summary>The versions of the site's models.</summary>
    public ModelStore Models => new(System.IO.Path.Combine(Path, ModelStore.FolderName));

    /// <summary>The site in the folder, with the models in use.</summary>
    public Site LoadWithModels() => Load() with { Models = Models.LoadCurrent() };

    /// <summary>The site in the folder, without models.</summary>
    public Site Load()
    {
        RequireFolder(Path);
        if (!Exists)
            throw Unusable($"{Path} is not a site folder ({Site.ManifestFile} is missing); make one with 'iotguard learn CAPTURE --site {Path}'");
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        try
        {
            foreach (var file in new DirectoryInfo(Path).EnumerateFiles().Where(f => Extensions.Contains(f.Extension, StringComparer.Ordinal)))
            {
                if (file.Length > MaximumFileBytes)
                    throw Unusable($"{file.FullName} has {file.Length:N0} bytes, more than a site file can have; learn the site again");
                files[file.Name] = File.ReadAllBytes(file.FullName);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException(ExitStatus.Unusable, $"cannot read the site folder {Path}: {e.Message.TrimEnd('.')}", e);
        }

        try
        {
            return Site.FromFiles(files);
        }
        catch (SiteException e)
        {
            throw new UserException(ExitStatus.Unusable, $"the site folder {Path} is damaged: {e.Message}", e);
        }
    }

    /// <summary>Names, sizes and times of the site's files: the same text, the same site.</summary>
    public string Stamp() => string.Join('\n', new DirectoryInfo(Path).EnumerateFiles().Where(static f => Extensions.Contains(f.Extension, StringComparer.Ordinal))
        .OrderBy(static f => f.Name, StringComparer.Ordinal).Select(static f => $"{f.Name} {f.Length} {f.LastWriteTimeUtc.Ticks}"));

    /// <summary>The site's list of known bad fingerprints (JA3, JA3S, JA4, JA4S, HASSH): one a line, # begins a comment. Empty when there is no such file.</summary>
    public IReadOnlySet<string> LoadIndicators()
    {
        var file = System.IO.Path.Combine(Path, IndicatorFile);
        if (!File.Exists(file))
            return new HashSet<string>(StringComparer.Ordinal);
        try
        {
            return File.ReadLines(file).Select(static line => line.Split('#')[0].Trim()).Where(static line => line.Length > 0).ToHashSet(StringComparer.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException(ExitStatus.Unusable, $"cannot read {file}: {e.Message.TrimEnd('.')}", e);
        }
    }

    /// <summary>The site's key; null when the folder has none.</summary>
    public byte[]? LoadKey()
    {
        var file = System.IO.Path.Combine(Path, KeyFile);
        if (!File.Exists(file))
            return null;
        try
        {
            var key = Convert.FromHexString(File.ReadAllText(file).Trim());
            if (key.Length == 32)
                return key;
        }
        catch (FormatException)
        {
            // Reported below.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException(ExitStatus.Unusable, $"cannot read {file}: {e.Message.TrimEnd('.')}", e);
        }

        throw Unusable($"{file} is not a key (64 hexadecimal digits); restore it from a backup, or delete it to get new pseudonyms from now on");
    }

    /// <summary>The site's key, made when there is none.</summary>
    public byte[] LoadOrCreateKey()
    {
        if (LoadKey() is { } existing)
            return existing;
        var key = RandomNumberGenerator.GetBytes(32);
        Writing(() =>
        {
            Directory.CreateDirectory(Path);
            Replace(KeyFile, System.Text.Encoding.ASCII.GetBytes(Convert.ToHexStringLower(key) + "\n"), AtomicFile.Private);
        });
        return key;
    }

    public void Save(Site site) => Writing(() =>
    {
        Directory.CreateDirectory(Path);
        foreach (var (name, content) in site.ToFiles().OrderBy(f => f.Key == Site.ManifestFile))
            Replace(name, content, AtomicFile.Shared);
    });

    private void Replace(string name, byte[] content, UnixFileMode mode) => AtomicFile.Write(System.IO.Path.Combine(Path, name), content, mode);

    private void Writing(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException(ExitStatus.Unusable, $"cannot write the site folder {Path}: {e.Message.TrimEnd('.')}; name a folder that you may write to, with free space", e);
        }
    }

    private static UserException Unusable(string message) => new(ExitStatus.Unusable, message);
}
