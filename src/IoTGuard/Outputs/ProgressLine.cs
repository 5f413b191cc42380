using System.Diagnostics;
using System.Globalization;
using IoTGuard.Wire;

namespace IoTGuard.Outputs;

/// <summary>A line on the terminal (standard error) that says how far a run is, how fast, and how long it will take. Silent without a terminal.</summary>
internal sealed class ProgressLine : IDisposable
{
    private const int IntervalMilliseconds = 200;

    private readonly IFrameSource _source;
    private readonly bool _shown = !Console.IsErrorRedirected;
    private readonly long _started = Stopwatch.GetTimestamp();
    private long _last;
    private int _width;

    public ProgressLine(IFrameSource source) => _source = source;

    public void Report()
    {
        if (!_shown)
            return;
        var elapsed = Stopwatch.GetElapsedTime(_started);
        var now = (long)elapsed.TotalMilliseconds;
        if (now - _last < IntervalMilliseconds)
            return;
        _last = now;
        var statistics = _source.Statistics;
        var rate = statistics.Frames / Math.Max(0.001, elapsed.TotalSeconds);
        var text = string.Create(CultureInfo.InvariantCulture, $"{statistics.Frames:N0} packets, {statistics.Bytes / 1e6:N0} MB, {rate / 1e3:N0} k packets/s");
        if (_source.Progress is { } done and > 0.001)
        {
            var left = TimeSpan.FromSeconds(elapsed.TotalSeconds * (1 - done) / done);
            text = string.Create(CultureInfo.InvariantCulture, $"{done * 100,3:N0} %  {text}, {left:hh\\:mm\\:ss} left");
        }

        Show(text);
    }

    public void Dispose()
    {
        if (_shown && _width > 0)
            Console.Error.Write("\r" + new string(' ', _width) + "\r");
    }

    private void Show(string text)
    {
        Console.Error.Write("\r" + text.PadRight(_width));
        _width = text.Length;
    }
}
