using System.Numerics;

namespace IoTGuard.Learning;

/// <summary>
/// xoshiro256** (Blackman and Vigna 2018), seeded by SplitMix64: the same seed gives the same numbers on every machine and
/// .NET version, which <see cref="Random"/> does not promise.
/// </summary>
public struct Xoshiro256
{
    private ulong _s0, _s1, _s2, _s3;

    /// <summary>A generator for one of many independent streams of one seed.</summary>
    /// <param name="seed">The seed of the whole run.</param>
    /// <param name="stream">The number of the stream, for example of the tree that is grown.</param>
    public Xoshiro256(ulong seed, ulong stream = 0)
    {
        var state = seed;
        state = SplitMix64(ref state) ^ (stream * 0xD1342543DE82EF95UL);
        _s0 = SplitMix64(ref state);
        _s1 = SplitMix64(ref state);
        _s2 = SplitMix64(ref state);
        _s3 = SplitMix64(ref state);
    }

    /// <summary>The next 64 random bits.</summary>
    public ulong NextUInt64()
    {
        var result = BitOperations.RotateLeft(_s1 * 5, 7) * 9;
        var t = _s1 << 17;
        _s2 ^= _s0;
        _s3 ^= _s1;
        _s1 ^= _s2;
        _s0 ^= _s3;
        _s2 ^= t;
        _s3 = BitOperations.RotateLeft(_s3, 45);
        return result;
    }

    /// <summary>Uniform in [0, 1), a multiple of 2⁻⁵³.</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform in 0 … <paramref name="count"/> − 1, without bias (Lemire 2019).</summary>
    public int Next(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        var bound = (uint)count;
        var product = (NextUInt64() >> 32) * bound;
        if ((uint)product < bound)
        {
            var rejectBelow = (uint)-bound % bound;
            while ((uint)product < rejectBelow)
                product = (NextUInt64() >> 32) * bound;
        }

        return (int)(product >> 32);
    }

    private static ulong SplitMix64(ref ulong state)
    {
        var z = state += 0x9E3779B97F4A7C15UL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}
