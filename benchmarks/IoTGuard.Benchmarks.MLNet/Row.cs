using Microsoft.ML.Data;

namespace IoTGuard.Benchmarks.MLNet;

internal sealed class Row
{
    [VectorType(40)]
    public float[] Features { get; set; } = [];

    public float Label { get; set; }
}
