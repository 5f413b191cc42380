using System.Diagnostics;
using System.Globalization;

namespace IoTGuard.Outputs;

/// <summary>A line on the terminal (standard error) that says what is done, how far it is, how fast, and how long it will take. Silent without a terminal.</summary>
internal sealed class TaskProgress : IDisposable
{
    private const int IntervalMilliseconds = 200;

    private readonly bool _shown = !Console.IsErrorRedirected;
    private string _what = "";
    private long _started;
    private long _last;
    private int _width;

    /// <summary>Begins something that takes long.</summary>
    public void Begin(string what)
    {
        _what = what;
        _started = Stopwatch.GetTimestamp();
        _last = 0;
    }

    /// <summary>Says how much of it is done, 0 … 1.</summary>
    public void Report(double share)
    {
        if (Due() is not { } elapsed)
            return;
        var left = share > 0.01 ? $", {Clock(elapsed * (1 - share) / share)} left" : "";
        Show(string.Create(CultureInfo.InvariantCulture, $"{share * 100,3:N0} %  {_what}{left}"));
    }

    /// <summary>Says how many rows are done of a number that is not known.</summary>
    public void ReportRows(long rows)
    {
        if (Due() is { } elapsed)
            Show(string.Create(CultureInfo.InvariantCulture, $"{_what}, {rows:N0} rows, {rows / elapsed.TotalSeconds / 1e3:N0} k rows/s"));
    }

    public void Dispose()
    {
        if (_shown && _width > 0)
            Console.Error.Write("\r" + new string(' ', _width) + "\r");
    }

    private TimeSpan? Due()
    {
        if (!_shown)
            return null;
        var elapsed = Stopwatch.GetElapsedTime(_started);
        if (elapsed.TotalMilliseconds - _last < IntervalMilliseconds)
            return null;
        _last = (long)elapsed.TotalMilliseconds;
        return elapsed;
    }

    private static string Clock(TimeSpan time) => time.ToString(@"hh\:mm\:ss", CultureInfo.InvariantCulture);

    private void Show(string text)
    {
        Console.Error.Write("\r" + text.PadRight(_width));
        _width = Math.Max(_width, text.Length);
    }
}
