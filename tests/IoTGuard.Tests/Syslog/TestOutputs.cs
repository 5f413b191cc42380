using IoTGuard.Analysis.Alerts;
using IoTGuard.Outputs.Delivery;

namespace IoTGuard.Tests.Syslog;

/// <summary>One output as a run over captures has it, or with the window of a sensor without a journal.</summary>
internal sealed class TestOutputs : IDisposable
{
    private readonly AlertOutputs _outputs;

    public TestOutputs(string uri, bool isSensor = false)
    {
        var settings = AlertOutputs.Parse([uri]);
        if (isSensor)
        {
            _outputs = AlertOutputs.ForSensor(settings, settled: null);
            _outputs.Start();
        }
        else
        {
            _outputs = AlertOutputs.ForCaptures(settings);
        }
    }

    public AlertOutput Only => _outputs.All[0];

    public AlertOutputs All => _outputs;

    public void Send(Alert alert, AlertPhase phase = AlertPhase.Closed) => AlertOutputs.Offer(_outputs.Write(alert, phase));

    public IReadOnlyList<string> Complete() => _outputs.Complete();

    public Task CompleteAsync(TimeSpan? limit = null) => Only.CompleteAsync(AlertOutputs.Patience, limit);

    public void Dispose() => _outputs.Dispose();
}
