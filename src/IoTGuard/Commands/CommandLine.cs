using System.CommandLine;
using System.CommandLine.Parsing;
using System.Diagnostics;
using IoTGuard.Capture;

namespace IoTGuard.Commands;

/// <summary>The command tree, and the one place where failures become a line and an exit status.</summary>
internal static class CommandLine
{
    private const string Description = """
        IoTGuard: a passive network sensor for hospitals. It reads DICOM and HL7 v2 from captures or a mirror port and
        reports attacks and misconfiguration as explained alerts.

        Exit status: 0 done, 2 unusable arguments or configuration, 3 input that could not be read, 4 finished but something was lost.
        """;

    /// <summary>Longest time from SIGTERM or Ctrl-C to the end: what was captured is analysed, and alerts are closed and delivered. The service waits as long.</summary>
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(60);

    public static async Task<int> RunAsync(string[] args)
    {
        var root = new RootCommand(Description)
        {
            AnalyzeCommand.Create(),
            LearnCommand.Create(),
            SensorCommand.Create(),
            DevicesCommand.Create(),
            ConfigCommand.Create(),
            Alerts.AlertsCommand.Create(),
            EvaluateCommand.Create(),
            TrainCommand.Create(),
            Models.ModelsCommand.Create(),
            Doctor.DoctorCommand.Create(),
        };
        var generate = GenerateCommand.Create(root);
        generate.Hidden = true;
        root.Add(generate);
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            var command = parsed.CommandResult.Command;
            var path = string.Join(' ', Path(parsed.CommandResult).Reverse());
            var help = command == root ? "iotguard --help" : $"iotguard {path} --help";
            return Fail(ExitStatus.Unusable, $"{parsed.Errors[0].Message.TrimEnd('.')}; see '{help}'");
        }

        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = EndLimit });
        }
        catch (UserException e)
        {
            return Fail(e.ExitStatus, e.Message);
        }
        catch (CaptureException e)
        {
            return Fail(ExitStatus.UnreadableInput, e.Message);
        }
        catch (Exception e)
        {
            // The type and place are enough to find the fault; a message could hold bytes of the traffic.
            var place = new StackTrace(e).GetFrame(0) is { } frame ? DiagnosticMethodInfo.Create(frame) : null;
            return Fail(ExitStatus.InternalError, $"internal error: {e.GetType().Name} in {place?.DeclaringTypeName}.{place?.Name}; please report it");
        }
    }

    /// <summary>A command and those that it belongs to, without the program.</summary>
    private static IEnumerable<string> Path(CommandResult result)
    {
        for (var at = result; at?.Parent is CommandResult parent; at = parent)
            yield return at.Command.Name;
    }

    private static int Fail(int status, string message)
    {
        Console.Error.WriteLine("iotguard: " + message.ReplaceLineEndings(" "));
        return status;
    }
}
