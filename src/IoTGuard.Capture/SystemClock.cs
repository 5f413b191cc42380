using IoTGuard.Capture.Native;

namespace IoTGuard.Capture;

/// <summary>What the kernel knows about its clock (adjtimex(2)).</summary>
public static class SystemClock
{
    /// <summary>Bytes of a struct timex on 64-bit Linux, rounded up.</summary>
    private const int TimexLength = 256;

    private const int TIME_ERROR = 5;

    /// <summary>True when a time service keeps the clock; null when the kernel cannot be asked.</summary>
    public static bool? IsSynchronised
    {
        get
        {
            if (!OperatingSystem.IsLinux())
                return null;
            Span<byte> timex = stackalloc byte[TimexLength];
            timex.Clear();
            var state = Libc.AdjustTime(timex);
            return state < 0 ? null : state != TIME_ERROR;
        }
    }
}
