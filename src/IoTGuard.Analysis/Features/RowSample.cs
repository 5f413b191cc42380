using System.Buffers.Binary;
using System.Security.Cryptography;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Features;

/// <summary>A row kept for training.</summary>
/// <param name="Number">Its place in the run.</param>
/// <param name="Device">The device that it is about.</param>
/// <param name="Peer">The other side; default = none.</param>
/// <param name="Values">The features.</param>
public sealed record SampledRow(long Number, IpAddress Device, IpAddress Peer, float[] Values);

/// <summary>
/// A uniform sample of rows for training, of bounded size: those with the smallest hash of their place in the run. The same rows give the same sample.
/// </summary>
/// <param name="schema">What the rows are.</param>
/// <param name="maximumRows">Rows held; 0 = none.</param>
public sealed class RowSample<T>(FeatureSchema<T> schema, int maximumRows)
{
    private readonly PriorityQueue<SampledRow, ulong> _rows = new(Comparer<ulong>.Create(static (x, y) => y.CompareTo(x)));

    /// <summary>Rows offered.</summary>
    public long Seen { get; private set; }

    /// <summary>Rows held.</summary>
    public int Count => _rows.Count;

    /// <summary>Offers a row.</summary>
    /// <param name="source">What it is computed from.</param>
    /// <param name="device">The device that it is about.</param>
    /// <param name="peer">The other side; default = none.</param>
    public void Offer(in T source, IpAddress device, IpAddress peer = default)
    {
        if (maximumRows <= 0)
            return;
        var number = Seen++;
        var rank = RankOf(number);
        if (_rows.Count == maximumRows && _rows.TryPeek(out _, out var largest) && rank >= largest)
            return;
        var values = _rows.Count == maximumRows ? _rows.Dequeue().Values : new float[schema.Count];
        schema.Extract(in source, values);
        _rows.Enqueue(new SampledRow(number, device, peer, values), rank);
    }

    /// <summary>The rows, in the order in which they were offered: a model is trained on earlier rows and calibrated on later ones.</summary>
    public IReadOnlyList<SampledRow> Rows() => [.. _rows.UnorderedItems.Select(static r => r.Element).OrderBy(static r => r.Number)];

    private static ulong RankOf(long number)
    {
        Span<byte> hash = stackalloc byte[32];
        Span<byte> text = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(text, number);
        SHA256.HashData(text, hash);
        return BinaryPrimitives.ReadUInt64LittleEndian(hash);
    }
}
