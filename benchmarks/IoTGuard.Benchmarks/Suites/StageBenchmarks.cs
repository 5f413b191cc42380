using BenchmarkDotNet.Attributes;
using IoTGuard.Benchmarks.Stages;

namespace IoTGuard.Benchmarks.Suites;

/// <summary>Link to transport.</summary>
public class DecodeBenchmarks
{
    private readonly DecodeStage _stage = new();

    [Benchmark(OperationsPerInvoke = DecodeStage.Packets)]
    public void Packet() => _stage.Run();
}

/// <summary>Look-up and counters, 20,000 flows.</summary>
public class FlowBenchmarks
{
    private readonly FlowStage _stage = new();

    [Benchmark(OperationsPerInvoke = FlowStage.Packets)]
    public void Packet() => _stage.Run();
}

/// <summary>Reassembly in order.</summary>
public class StreamBenchmarks
{
    private readonly StreamStage _stage = new();

    [Benchmark(OperationsPerInvoke = StreamStage.Packets)]
    public void Packet() => _stage.Run();
}

/// <summary>DICOM from in-order bytes.</summary>
public class DicomBenchmarks
{
    private readonly SessionStage _store = SessionStage.DicomStore();
    private readonly SessionStage _find = SessionStage.DicomFind();

    [Benchmark(OperationsPerInvoke = SessionStage.Conversations)]
    public void Store512KiB() => _store.Run();

    [Benchmark(OperationsPerInvoke = SessionStage.Conversations)]
    public void FindTenAnswers() => _find.Run();
}

/// <summary>HL7 from in-order bytes.</summary>
public class Hl7Benchmarks
{
    private readonly SessionStage _stage = SessionStage.Hl7();

    [Benchmark(OperationsPerInvoke = SessionStage.Conversations)]
    public void MessageWithAcknowledgement() => _stage.Run();
}

/// <summary>Features of a flow.</summary>
public class FeatureBenchmarks
{
    private readonly FeatureStage _stage = new();

    [Benchmark(OperationsPerInvoke = FeatureStage.Flows)]
    public void Flow() => _stage.Run();
}

/// <summary>Isolation forest of 100 trees.</summary>
public class ScoringBenchmarks
{
    private readonly ScoringStage _single = new(rows: 1);
    private readonly ScoringStage _block = new(rows: 64);

    [Benchmark(OperationsPerInvoke = ScoringStage.Flows)]
    public void FlowAlone() => _single.Run();

    [Benchmark(OperationsPerInvoke = ScoringStage.Flows)]
    public void FlowInBlock() => _block.Run();
}

/// <summary>RFC 5424.</summary>
public class SyslogBenchmarks
{
    private readonly SyslogStage _stage = new();

    [Benchmark(OperationsPerInvoke = SyslogStage.Alerts)]
    public void Alert() => _stage.Run();
}

/// <summary>JSON lines.</summary>
public class JsonBenchmarks : IDisposable
{
    private readonly AlertJsonStage _alerts = new();
    private readonly TransactionJsonStage _transactions = new();

    [Benchmark(OperationsPerInvoke = AlertJsonStage.Alerts)]
    public void Alert() => _alerts.Run();

    [Benchmark(OperationsPerInvoke = TransactionJsonStage.Transactions)]
    public void Transaction() => _transactions.Run();

    [GlobalCleanup]
    public void Dispose()
    {
        _alerts.Dispose();
        GC.SuppressFinalize(this);
    }
}
