using System.Numerics;

namespace IoTGuard.Analysis.Features;

/// <summary>
/// Counts different values, and how evenly they are met. Exact up to <see cref="ExactLimit"/> values; from there on a HyperLogLog sketch of
/// <see cref="Registers"/> registers (Flajolet, Fusy, Gandouet, Meunier 2007), whose standard error is 1.04 / √256 = 6.5 %. Bounded, and the
/// same for the same values in any order.
/// </summary>
internal sealed class DistinctCounter
{
    /// <summary>Different values counted exactly.</summary>
    public const int ExactLimit = 64;

    /// <summary>Registers of the sketch, one byte each.</summary>
    public const int Registers = 256;

    private const int RegisterBits = 8;

    private ulong[] _values = [];
    private int[] _times = [];
    private byte[]? _registers;
    private int _held;
    private bool _isSketched;
    private long _total;

    /// <summary>Different values; an estimate beyond the exact limit.</summary>
    public double Count => _isSketched ? Math.Max(_held, Math.Round(Estimate())) : _held;

    /// <summary>
    /// Shannon entropy of how often each value was met, bits: 0 for a single value, log₂ n for n values met equally often. Values beyond the exact
    /// limit are taken as met equally often.
    /// </summary>
    public double Entropy()
    {
        if (_total == 0)
            return 0;
        var bits = 0.0;
        long exact = 0;
        for (var i = 0; i < _held; i++)
        {
            exact += _times[i];
            bits += Term(_times[i]);
        }

        var rest = _total - exact;
        if (rest > 0)
        {
            var others = Math.Max(1, Count - _held);
            bits += others * Term(rest / others);
        }

        return Math.Max(0, bits);

        double Term(double times) => -times / _total * Math.Log2(times / _total);
    }

    /// <summary>Notes a value.</summary>
    /// <param name="hash">A well-mixed hash of the value.</param>
    public void Add(ulong hash)
    {
        _total++;
        var at = _values.AsSpan(0, _held).IndexOf(hash);
        if (at >= 0)
        {
            _times[at]++;
            return;
        }

        if (_held < ExactLimit)
        {
            Keep(hash);
            return;
        }

        if (!_isSketched)
        {
            _isSketched = true;
            _registers ??= new byte[Registers];
            foreach (var value in _values)
                Sketch(value);
        }

        Sketch(hash);
    }

    /// <summary>Forgets everything; the memory is kept.</summary>
    public void Clear()
    {
        (_held, _total, _isSketched) = (0, 0, false);
        _registers?.AsSpan().Clear();
    }

    private void Keep(ulong hash)
    {
        if (_held == _values.Length)
        {
            Array.Resize(ref _values, Math.Max(4, _held * 2));
            Array.Resize(ref _times, _values.Length);
        }

        _values[_held] = hash;
        _times[_held++] = 1;
    }

    private void Sketch(ulong hash)
    {
        var rank = (byte)(BitOperations.LeadingZeroCount((hash << RegisterBits) | (1UL << (RegisterBits - 1))) + 1);
        ref var register = ref _registers![hash >> (64 - RegisterBits)];
        register = Math.Max(register, rank);
    }

    private double Estimate()
    {
        var sum = 0.0;
        var empty = 0;
        foreach (var register in _registers!)
        {
            sum += Math.ScaleB(1, -register);
            empty += register == 0 ? 1 : 0;
        }

        var raw = 0.7213 / (1 + (1.079 / Registers)) * Registers * Registers / sum;
        return raw <= 2.5 * Registers && empty > 0 ? Registers * Math.Log((double)Registers / empty) : raw;
    }
}
