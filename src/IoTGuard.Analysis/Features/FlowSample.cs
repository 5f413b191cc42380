using System.Security.Cryptography;
using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Features;

/// <summary>
/// A uniform sample of flows for training, of bounded size: those with the smallest hash of their place in the run. The same flows give the same sample.
/// </summary>
public sealed class FlowSample(int maximumRows)
{
    private readonly PriorityQueue<(long Number, float[] Row), ulong> _rows = new(Comparer<ulong>.Create(static (x, y) => y.CompareTo(x)));
    private long _seen;

    /// <summary>Flows offered.</summary>
    public long Seen => _seen;

    /// <summary>Rows held.</summary>
    public int Count => _rows.Count;

    /// <summary>Offers a flow.</summary>
    public void Offer(in FlowRecord flow)
    {
        if (maximumRows <= 0)
            return;
        var number = _seen++;
        var rank = RankOf(number);
        if (_rows.Count == maximumRows && _rows.TryPeek(out _, out var largest) && rank >= largest)
            return;
        var row = _rows.Count == maximumRows ? _rows.Dequeue().Row : new float[FlowFeatures.Schema.Count];
        FlowFeatures.Schema.Extract(in flow, row);
        _rows.Enqueue((number, row), rank);
    }

    /// <summary>The rows, in the order in which their flows were offered: a model is trained on earlier rows and calibrated on later ones.</summary>
    public IReadOnlyList<float[]> Rows() => [.. _rows.UnorderedItems.Select(static r => r.Element).OrderBy(static r => r.Number).Select(static r => r.Row)];

    private static ulong RankOf(long number)
    {
        Span<byte> hash = stackalloc byte[32];
        Span<byte> text = stackalloc byte[8];
        System.Buffers.Binary.BinaryPrimitives.WriteInt64LittleEndian(text, number);
        SHA256.HashData(text, hash);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(hash);
    }
}
