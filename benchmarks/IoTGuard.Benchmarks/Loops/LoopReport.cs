using System.Globalization;

namespace IoTGuard.Benchmarks.Loops;

/// <summary>The one line that a loop prints; the comparison script reads it.</summary>
internal static class LoopReport
{
    public static void Print(string name, long packets, long bytes, long flows, TimeSpan elapsed)
    {
        var seconds = elapsed.TotalSeconds;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{name}: packets={packets} bytes={bytes} flows={flows} seconds={seconds:F4} mpps={packets / seconds / 1e6:F3} gbps={bytes * 8 / seconds / 1e9:F2}"));
    }
}
