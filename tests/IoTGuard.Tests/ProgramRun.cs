using System.Diagnostics;
using IoTGuard.TestSupport;

namespace IoTGuard.Tests;

/// <summary>One run of the real program as a user starts it.</summary>
internal sealed record ProgramRun(int Status, string Output, string Error)
{
    /// <summary>Longest run, seconds.</summary>
    private const int TimeoutSeconds = 300;

    private static string Program => Repository.PathOf("artifacts", "bin", "IoTGuard", "release", "iotguard.dll");

    public string[] OutputLines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public static ProgramRun Of(params string[] arguments) => WithInput(null, arguments);

    /// <summary>Runs as on a machine with so many processors.</summary>
    public static ProgramRun WithProcessors(int processors, params string[] arguments) =>
        Start("env", [$"DOTNET_PROCESSOR_COUNT={processors}", "dotnet", Program, .. arguments], null, Repository.Root);

    /// <summary>Runs with a file as standard input.</summary>
    public static ProgramRun WithInput(byte[]? input, params string[] arguments) =>
        Start("dotnet", [Program, .. arguments], input, Repository.Root);

    /// <summary>Runs a line of shell in the repository's root, as a reader of the README would.</summary>
    public static ProgramRun Shell(string line) => Start("bash", ["-c", line], null, Repository.Root);

    /// <summary>Runs any program to its end.</summary>
    public static ProgramRun Start(string program, string[] arguments, byte[]? input, string folder)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
            WorkingDirectory = folder,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        if (input is not null)
        {
            try
            {
                process.StandardInput.BaseStream.Write(input);
            }
            catch (IOException)
            {
                // The program may end before it has read everything.
            }
        }

        process.StandardInput.Close();
        if (!process.WaitForExit(TimeoutSeconds * 1000))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{program} {string.Join(' ', arguments)} did not end within {TimeoutSeconds} s");
        }

        return new ProgramRun(process.ExitCode, output.Result, error.Result);
    }
}

/// <summary>A temporary folder that goes with its test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("iotguard-test-");

    public string this[string name] => Path.Combine(_folder.FullName, name);

    public void Dispose() => _folder.Delete(recursive: true);
}
