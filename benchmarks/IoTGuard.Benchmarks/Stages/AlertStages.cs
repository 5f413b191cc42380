using System.Buffers;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Benchmarks.Inputs;
using IoTGuard.Outputs;
using IoTGuard.Outputs.Delivery;

namespace IoTGuard.Benchmarks.Stages;

/// <summary>Alerts as JSON lines.</summary>
internal sealed class AlertJsonStage : Stage, IDisposable
{
    /// <summary>Alerts written in one run.</summary>
    public const int Alerts = 256;

    private readonly AlertJson _json = new();
    private readonly ArrayBufferWriter<byte> _buffer = new(1 << 20);
    private readonly Alert _alert = SampleAlert.Create();

    public override string Name => "alert-json";

    public override string Unit => "alert";

    public override int Operations => Alerts;

    public override void Run()
    {
        _buffer.ResetWrittenCount();
        for (var i = 0; i < Alerts; i++)
            _json.Write(_buffer, _alert, AlertPhase.Opened);
    }

    public void Dispose() => _json.Dispose();
}

/// <summary>Alerts as RFC 5424 messages.</summary>
internal sealed class SyslogStage : Stage
{
    /// <summary>Alerts formatted in one run.</summary>
    public const int Alerts = 256;

    private readonly MessageWriter _message;
    private readonly Alert _alert = SampleAlert.Create();

    public SyslogStage()
    {
        if (!OutputSettings.TryParse("udp://localhost:514", out var uri, out var error))
            throw new InvalidOperationException(error);
        _message = new MessageWriter(uri!, MessageWriter.ContextOf(uri!));
    }

    public override string Name => "syslog";

    public override string Unit => "alert";

    public override int Operations => Alerts;

    public override void Run()
    {
        for (var i = 0; i < Alerts; i++)
            _message.Write(_alert, AlertPhase.Opened);
    }
}
