using System.Buffers.Binary;

namespace IoTGuard.Analysis.Sessions;

/// <summary>A length field that must tell the size of the whole datagram.</summary>
/// <param name="Offset">Where it stands.</param>
/// <param name="Width">Its bytes: 1 to 4.</param>
/// <param name="Beyond">Bytes of the datagram that it does not count.</param>
/// <param name="IsLittleEndian">Order of its bytes.</param>
internal readonly record struct LengthField(int Offset, int Width, int Beyond = 0, bool IsLittleEndian = false)
{
    /// <summary>True when the field is there and says <paramref name="data"/>'s length.</summary>
    public bool Fits(ReadOnlySpan<byte> data)
    {
        if (data.Length < Offset + Width)
            return false;
        Span<byte> value = stackalloc byte[4];
        value.Clear();
        data.Slice(Offset, Width).CopyTo(IsLittleEndian ? value : value[(4 - Width)..]);
        return (IsLittleEndian ? BinaryPrimitives.ReadUInt32LittleEndian(value) : BinaryPrimitives.ReadUInt32BigEndian(value)) + (long)Beyond == data.Length;
    }
}

/// <summary>What a message of a protocol begins with.</summary>
internal sealed class Signature
{
    private readonly byte[] _value;
    private readonly byte[] _mask;
    private readonly ProbeResult _answer;

    /// <param name="pattern">Hexadecimal digits of the first bytes, <c>?</c> for any.</param>
    /// <param name="isHint">True when much else begins so: believed on a port of the protocol only.</param>
    public Signature(string pattern, bool isHint = false)
    {
        var digits = pattern.Replace(" ", "", StringComparison.Ordinal);
        _value = Convert.FromHexString(digits.Replace('?', '0'));
        _mask = Convert.FromHexString(string.Concat(digits.Select(static digit => digit == '?' ? '0' : 'F')));
        _answer = isHint ? ProbeResult.Likely : ProbeResult.Certain;
    }

    /// <summary>The only length that a datagram of it has, bytes; 0 = any.</summary>
    public int ExactLength { get; init; }

    /// <summary>The field that tells the datagram's length; without one, any length.</summary>
    public LengthField? Length { get; init; }

    /// <summary>Asks about the first bytes of a direction.</summary>
    public ProbeResult OfStream(ReadOnlySpan<byte> prefix) =>
        !StartsAlike(prefix) ? ProbeResult.NotForUs : prefix.Length < _value.Length ? ProbeResult.Unsure : _answer;

    /// <summary>Asks about a datagram.</summary>
    public ProbeResult OfDatagram(ReadOnlySpan<byte> data) =>
        data.Length >= _value.Length && StartsAlike(data) && (ExactLength == 0 || data.Length == ExactLength) && (Length is not { } field || field.Fits(data))
            ? _answer
            : ProbeResult.NotForUs;

    private bool StartsAlike(ReadOnlySpan<byte> data)
    {
        var count = Math.Min(data.Length, _value.Length);
        for (var i = 0; i < count; i++)
        {
            if ((data[i] & _mask[i]) != _value[i])
                return false;
        }

        return true;
    }
}
