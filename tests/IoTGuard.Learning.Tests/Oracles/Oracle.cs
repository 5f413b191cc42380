using System.Collections.Concurrent;
using System.Diagnostics;
using IoTGuard.TestSupport;

namespace IoTGuard.Learning.Tests.Oracles;

/// <summary>Runs <c>oracle.py</c> with Debian's Python, in a folder of its own that goes away again.</summary>
internal sealed class Oracle : IDisposable
{
    private const string Python = "/usr/bin/python3";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    private static readonly ConcurrentDictionary<string, bool> Importable = new(StringComparer.Ordinal);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("iotguard-oracle-");

    public Oracle(params string[] modules)
    {
        Assert.SkipUnless(File.Exists(Python), $"{Python} is absent");
        foreach (var module in modules)
            Assert.SkipUnless(Importable.GetOrAdd(module, m => Run("-c", $"import {m}").ExitCode == 0), $"Debian package python3-{module} is absent");
    }

    public string PathOf(string name) => Path.Combine(_folder.FullName, name);

    public string Write(string name, byte[] bytes)
    {
        File.WriteAllBytes(PathOf(name), bytes);
        return PathOf(name);
    }

    public string Write(string name, FeatureMatrix matrix)
    {
        using var file = File.Create(PathOf(name));
        FeatureCsv.Write(matrix, file);
        return PathOf(name);
    }

    public float[] ReadScores(string name)
    {
        using var file = File.OpenRead(PathOf(name));
        return FeatureCsv.Read(file).Column("score");
    }

    /// <summary>Standard output of one call.</summary>
    public string Ask(params string[] arguments)
    {
        var (exitCode, output, error) = Run([Repository.PathOf("tests", "IoTGuard.Learning.Tests", "Oracles", "oracle.py"), .. arguments]);
        Assert.True(exitCode == 0, error);
        return output;
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private (int ExitCode, string Output, string Error) Run(params string[] arguments)
    {
        var start = new ProcessStartInfo(Python, arguments)
        {
            WorkingDirectory = _folder.FullName,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        start.Environment["OMP_NUM_THREADS"] = "1";
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(Patience))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{Python} did not answer in {Patience}");
        }

        return (process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }
}
