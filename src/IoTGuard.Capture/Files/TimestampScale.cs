namespace IoTGuard.Capture.Files;

/// <summary>Converts the stamps of a pcapng interface to nanoseconds since 1970-01-01 UTC. Values beyond a long are held at its ends.</summary>
internal readonly struct TimestampScale
{
    private const long NsPerSecond = 1_000_000_000;

    /// <summary>Largest exponent of ten that a ulong holds.</summary>
    private const int MaxDecimalExponent = 19;

    private readonly ulong _multiplier;
    private readonly ulong _divisor;
    private readonly int _shift;
    private readonly long _offsetNs;
    private readonly ulong _fastLimit;

    /// <param name="resolution">if_tsresol: a negative power of 10, or of 2 when the upper bit is set.</param>
    /// <param name="offsetSeconds">if_tsoffset, seconds to add.</param>
    public TimestampScale(byte resolution, long offsetSeconds)
    {
        var exponent = resolution & 0x7F;
        if ((resolution & 0x80) != 0)
            (_multiplier, _divisor, _shift) = (NsPerSecond, 1, exponent);
        else if (exponent <= 9)
            (_multiplier, _divisor) = (PowerOf10(9 - exponent), 1);
        else
            // Units so small that 64 bits of them make less than a nanosecond.
            (_multiplier, _divisor) = exponent - 9 <= MaxDecimalExponent ? (1UL, PowerOf10(exponent - 9)) : (0UL, 1UL);

        _offsetNs = Saturate((Int128)offsetSeconds * NsPerSecond);
        // Below this neither the product nor the sum can overflow.
        _fastLimit = _divisor == 1 && _shift == 0 && _multiplier > 0 && _offsetNs is > long.MinValue / 2 and < long.MaxValue / 2
            ? (ulong)(long.MaxValue / 2) / _multiplier
            : 0;
    }

    /// <summary>Microseconds since 1970, what an interface without options uses.</summary>
    public static TimestampScale Default { get; } = new(6, 0);

    public long ToNs(ulong stamp) => stamp < _fastLimit
        ? (long)(stamp * _multiplier) + _offsetNs
        : Saturate((Int128)(((UInt128)stamp * _multiplier / _divisor) >> _shift) + _offsetNs);

    private static ulong PowerOf10(int exponent)
    {
        var power = 1UL;
        for (var i = 0; i < exponent; i++)
            power *= 10;
        return power;
    }

    private static long Saturate(Int128 value) => (long)Int128.Clamp(value, long.MinValue, long.MaxValue);
}
