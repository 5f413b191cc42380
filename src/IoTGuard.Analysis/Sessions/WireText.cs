using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace IoTGuard.Analysis.Sessions;

/// <summary>A text of a message held by value, so that names which never repeat cost no allocation. Longer texts are cut.</summary>
public struct WireText
{
    /// <summary>Longest text held, in bytes: a domain name.</summary>
    public const int Capacity = 255;

    private Buffer _bytes;
    private byte _length;

    public readonly int Length => _length;

    public readonly bool IsEmpty => _length == 0;

    public void Set(ReadOnlySpan<byte> text)
    {
        _length = (byte)Math.Min(text.Length, Capacity);
        text[.._length].CopyTo(_bytes);
    }

    public void Clear() => _length = 0;

    /// <summary>The bytes; valid while the struct is.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<byte> Bytes => ((ReadOnlySpan<byte>)_bytes)[.._length];

    public override readonly string ToString() => System.Text.Encoding.Latin1.GetString(Bytes);

    [InlineArray(Capacity)]
    private struct Buffer
    {
        private byte _first;
    }
}
