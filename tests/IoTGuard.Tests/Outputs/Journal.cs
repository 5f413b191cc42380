using System.Diagnostics;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Outputs.Delivery;
using IoTGuard.Sites.State;
using IoTGuard.Tests.Syslog;

namespace IoTGuard.Tests.Outputs;

/// <summary>A sensor's state and outputs over a folder; disposing it ends it as a crash would, with nothing said to receivers.</summary>
internal sealed class Journal : IDisposable
{
    private readonly StateWriter _state;

    public Journal(string folder, params string[] outputs)
    {
        Directory.CreateDirectory(folder);
        _state = new StateWriter(SiteState.OpenToWrite(folder), AlertOutputs.Parse(outputs));
    }

    public StateWriter State => _state;

    public AlertOutput Output => _state.Outputs.All[0];

    public void Send(int first, int count, string description = "Something.", AlertPhase phase = AlertPhase.Opened)
    {
        for (var i = first; i < first + count; i++)
        {
            var alert = Samples.Alert(i, description);
            _state.OnAlert(alert, phase, _state.Outputs.Write(alert, phase));
        }
    }

    public async Task Delivered(long count)
    {
        var clock = Stopwatch.StartNew();
        while (Output.Delivered < count)
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(90), $"{Output.Delivered} of {count} delivered; {Output.LastError}");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    public IReadOnlyList<string> End()
    {
        _state.Flush();
        var problems = _state.Outputs.Complete();
        return _state.Complete() is { } loss ? [.. problems, loss] : problems;
    }

    public void Dispose() => _state.Dispose();
}
