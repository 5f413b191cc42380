using System.Numerics;

namespace IoTGuard.Analysis.Streams;

/// <summary>
/// Buffers in sizes of powers of two, given back and used again; one pool per worker. What is held at once is limited by its users.
/// </summary>
internal sealed class BufferPool
{
    /// <summary>Size of the smallest buffer.</summary>
    public const int SmallestBytes = 1 << SmallestBits;

    private const int SmallestBits = 8;
    private const int LargestBits = 20;

    /// <summary>Unused bytes kept per size; more are left to the collector.</summary>
    private const int MaximumKeptBytes = 8 << 20;

    private readonly Stack<byte[]>[] _free = [.. Enumerable.Range(SmallestBits, LargestBits - SmallestBits + 1).Select(_ => new Stack<byte[]>())];

    /// <summary>A buffer of at least so many bytes, with any content.</summary>
    public byte[] Rent(int bytes)
    {
        var bits = Bits(bytes);
        return _free[bits - SmallestBits].TryPop(out var buffer) ? buffer : new byte[1 << bits];
    }

    public void Return(byte[] buffer)
    {
        var bits = Bits(buffer.Length);
        var free = _free[bits - SmallestBits];
        if ((long)free.Count << bits < MaximumKeptBytes)
            free.Push(buffer);
    }

    private static int Bits(int bytes) => Math.Max(SmallestBits, BitOperations.Log2((uint)Math.Max(1, bytes - 1)) + 1);
}
