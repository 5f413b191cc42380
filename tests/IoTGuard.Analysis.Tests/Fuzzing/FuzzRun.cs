using System.Diagnostics;
using System.Globalization;

namespace IoTGuard.Analysis.Tests.Fuzzing;

/// <summary>
/// Rounds of fuzzing: every round has a seed of its own, so that a failure can be had again. A few seconds by default; for hours:
/// <c>IOTGUARD_FUZZ_ROUNDS=1000 artifacts/bin/IoTGuard.Analysis.Tests/release/IoTGuard.Analysis.Tests -namespace IoTGuard.Analysis.Tests.Fuzzing</c>,
/// with <c>IOTGUARD_FUZZ_SEED</c> for other inputs.
/// </summary>
internal static class FuzzRun
{
    /// <summary>Longest time for one input, seconds: a thousand times what it takes, for machines that do other things besides.</summary>
    private const double MaximumSeconds = 3;

    /// <summary>Most bytes allocated for one input, beyond a multiple of its size.</summary>
    private const long MaximumBytes = 8 << 20;

    private const int BytesPerInputByte = 64;

    private static readonly int Factor = Number("IOTGUARD_FUZZ_ROUNDS", 1);

    private static readonly int Seed = Number("IOTGUARD_FUZZ_SEED", 20261122);

    /// <summary>Runs <paramref name="rounds"/> rounds (times the factor asked for). Each makes an input, and takes it; both with the round's own random numbers.</summary>
    public static void Of<T>(int rounds, Func<Random, T> make, Action<T, Random> take, Func<T, int> sizeOf)
    {
        for (var round = 0L; round < (long)rounds * Factor; round++)
        {
            var random = new Random(unchecked((int)(Seed + (round * 7919))));
            var input = make(random);
            var allocated = GC.GetAllocatedBytesForCurrentThread();
            var (started, used) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
            try
            {
                take(input, random);
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException)
            {
                Assert.Fail($"round {round} of seed {Seed}: {e}");
            }

            // On a busy machine time passes without us: the processor time of the whole process is a bound too.
            var seconds = Math.Min(Stopwatch.GetElapsedTime(started).TotalSeconds, (Environment.CpuUsage.TotalTime - used).TotalSeconds);
            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
            Assert.True(seconds < MaximumSeconds, $"round {round} of seed {Seed}: {seconds:F1} s for {sizeOf(input)} bytes");
            Assert.True(
                allocated < MaximumBytes + (BytesPerInputByte * (long)sizeOf(input)), $"round {round} of seed {Seed}: {allocated} bytes allocated for {sizeOf(input)}");
        }
    }

    private static int Number(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var number) ? number : otherwise;
}
