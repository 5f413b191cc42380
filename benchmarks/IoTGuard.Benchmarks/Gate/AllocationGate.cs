using System.Globalization;
using System.Text.Json;
using IoTGuard.Benchmarks.Stages;

namespace IoTGuard.Benchmarks.Gate;

/// <summary>Bytes allocated per operation of every stage against the recorded budgets. Allocation is exact, so it can be a gate where time cannot.</summary>
internal static class AllocationGate
{
    /// <summary>Runs before the measured ones: pools fill, tables grow, code is compiled.</summary>
    private const int WarmUpRuns = 30;

    private const int Runs = 20;

    /// <summary>Returns 0 when every stage is within its budget, 1 when not, 2 when the budgets cannot be read.</summary>
    public static int Run(string path)
    {
        Dictionary<string, double>? budgets;
        try
        {
            using var file = File.OpenRead(path);
            budgets = JsonSerializer.Deserialize<Dictionary<string, double>>(file);
        }
        catch (Exception e) when (e is IOException or JsonException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"{path}: not readable as budgets: {e.Message}");
            return 2;
        }

        var exceeded = 0;
        Console.WriteLine($"{"stage",-20} {"bytes per operation",20} {"budget",10}   operation");
        foreach (var create in Stage.All)
        {
            var stage = create();
            var bytes = Measure(stage);
            var judgement = "";
            var budget = "none";
            if (budgets is null || !budgets.TryGetValue(stage.Name, out var limit))
            {
                judgement = "   NO BUDGET";
                exceeded++;
            }
            else
            {
                budget = Text(limit);
                if (bytes > limit)
                {
                    judgement = "   EXCEEDED";
                    exceeded++;
                }
            }

            Console.WriteLine($"{stage.Name,-20} {Text(bytes),20} {budget,10}   {stage.Unit}{judgement}");
            (stage as IDisposable)?.Dispose();
        }

        return exceeded == 0 ? 0 : 1;
    }

    private static double Measure(Stage stage)
    {
        for (var i = 0; i < WarmUpRuns; i++)
            stage.Run();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Runs; i++)
            stage.Run();
        return (GC.GetAllocatedBytesForCurrentThread() - before) / ((double)Runs * stage.Operations);
    }

    private static string Text(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);
}
