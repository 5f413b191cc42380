using System.Buffers.Binary;

namespace IoTGuard.Wire.Application.Coap;

/// <summary>Options that are looked into (RFC 7252, 5.10; RFC 7641).</summary>
public static class CoapOption
{
    public const int Observe = 6;
    public const int UriPath = 11;
    public const int UriQuery = 15;
}

/// <summary>A CoAP message (RFC 7252, 3). Points into the datagram.</summary>
public readonly ref struct CoapMessage
{
    private const int HeadSize = 4;
    private const int MaximumToken = 8;

    /// <summary>0 confirmable, 1 non-confirmable, 2 acknowledgement, 3 reset.</summary>
    public int Type { get; private init; }

    /// <summary>Class × 32 + detail: below 32 a request, from 64 a response, 0 empty.</summary>
    public byte Code { get; private init; }

    public ushort Id { get; private init; }

    /// <summary>The token as a number; an empty one is 0.</summary>
    public ulong Token { get; private init; }

    /// <summary>Options, and the payload behind them, to walk over.</summary>
    public CoapOptionReader Options { get; private init; }

    /// <summary>True when all options read well and the code is one that is registered.</summary>
    public bool IsPlausible
    {
        get
        {
            if (Code == 0)
                return Options.IsEmpty;
            if (!(Code is >= 1 and <= 7 or (>= 65 and <= 69) or 95 or (>= 128 and <= 143) or (>= 160 and <= 165)))
                return false;
            var options = Options;
            while (options.TryRead(out _, out _))
            {
            }

            return options.IsSound;
        }
    }

    /// <summary>Reads the head; false when it is no CoAP version 1.</summary>
    public static bool TryRead(ReadOnlySpan<byte> data, out CoapMessage message)
    {
        message = default;
        if (data.Length < HeadSize || data[0] >> 6 != 1)
            return false;
        var length = data[0] & 15;
        if (length > MaximumToken || data.Length < HeadSize + length)
            return false;
        ulong token = 0;
        foreach (var octet in data.Slice(HeadSize, length))
            token = (token << 8) | octet;
        message = new CoapMessage
        {
            Type = (data[0] >> 4) & 3,
            Code = data[1],
            Id = BinaryPrimitives.ReadUInt16BigEndian(data[2..]),
            Token = token,
            Options = new CoapOptionReader(data[(HeadSize + length)..]),
        };
        return true;
    }
}

/// <summary>Walks over options (RFC 7252, 3.1).</summary>
public ref struct CoapOptionReader(ReadOnlySpan<byte> rest)
{
    private const byte PayloadMarker = 0xFF;
    private ReadOnlySpan<byte> _rest = rest;
    private int _number;

    public readonly bool IsEmpty => _rest.IsEmpty;

    /// <summary>False once an option did not read well.</summary>
    public bool IsSound { get; private set; } = true;

    /// <summary>Bytes of payload; known when the options have ended.</summary>
    public int PayloadLength { get; private set; }

    public bool TryRead(out int number, out ReadOnlySpan<byte> value)
    {
        number = 0;
        value = default;
        if (_rest.IsEmpty)
            return false;
        if (_rest[0] == PayloadMarker)
        {
            PayloadLength = _rest.Length - 1;
            IsSound &= PayloadLength > 0;
            _rest = default;
            return false;
        }

        var at = 1;
        if (!TryExtend(_rest[0] >> 4, ref at, out var delta) || !TryExtend(_rest[0] & 15, ref at, out var length) || at + length > _rest.Length)
        {
            IsSound = false;
            return false;
        }

        number = _number = Math.Min(_number + delta, ushort.MaxValue);
        value = _rest.Slice(at, length);
        _rest = _rest[(at + length)..];
        return true;
    }

    /// <summary>13 = one byte more, 14 = two bytes more, 15 is reserved.</summary>
    private readonly bool TryExtend(int nibble, ref int at, out int value)
    {
        value = nibble;
        if (nibble < 13)
            return true;
        var size = nibble - 12;
        if (size > 2 || at + size > _rest.Length)
            return false;
        value = size == 1 ? 13 + _rest[at] : 269 + BinaryPrimitives.ReadUInt16BigEndian(_rest[at..]);
        at += size;
        return true;
    }
}
