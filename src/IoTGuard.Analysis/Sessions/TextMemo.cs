using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// Remembers what was made of short byte texts that come again and again. Every text has one place, by its hash; another text on the same
/// place takes it over. Whoever makes texts collide only slows this down to what it was without memory. Allocates nothing once made.
/// </summary>
/// <param name="places">Texts remembered at most, a power of two.</param>
internal sealed class TextMemo<TValue>(int places)
{
    /// <summary>Longest text that is remembered, in bytes.</summary>
    public const int MaximumBytes = 87;

    private readonly Entry[] _entries = new Entry[places];

    /// <summary>The value remembered for a text, or, when it is not known, a place to put it.</summary>
    /// <param name="text">At most <see cref="MaximumBytes"/> bytes.</param>
    public ref TValue Of(ReadOnlySpan<byte> text, out bool isKnown)
    {
        ref var entry = ref _entries[(int)TextHash.Of(text) & (places - 1)];
        isKnown = entry.Holds(text);
        if (!isKnown)
            entry.Set(text);
        return ref entry.Value;
    }

    private struct Entry
    {
        private bool _isUsed;
        private byte _length;
        private Text _text;
        public TValue Value;

        public readonly bool Holds(ReadOnlySpan<byte> text) => _isUsed && text.SequenceEqual(((ReadOnlySpan<byte>)_text)[.._length]);

        public void Set(ReadOnlySpan<byte> text)
        {
            text.CopyTo(_text);
            _length = (byte)text.Length;
            _isUsed = true;
        }

        [InlineArray(MaximumBytes)]
        private struct Text
        {
            private byte _first;
        }
    }
}

/// <summary>A fast hash of short texts, for tables in which a collision costs time and nothing else.</summary>
internal static class TextHash
{
    private const ulong Factor = 0x9E3779B97F4A7C15;

    public static ulong Of(ReadOnlySpan<byte> text)
    {
        var hash = (uint)text.Length * Factor;
        if (text.Length >= 8)
        {
            var last = BinaryPrimitives.ReadUInt64LittleEndian(text[^8..]);
            for (; text.Length > 8; text = text[8..])
                hash = (BitOperations.RotateLeft(hash, 23) ^ BinaryPrimitives.ReadUInt64LittleEndian(text)) * Factor;
            hash = (BitOperations.RotateLeft(hash, 23) ^ last) * Factor;
        }
        else
        {
            var word = 0UL;
            foreach (var octet in text)
                word = (word << 8) | octet;
            hash = (hash ^ word) * Factor;
        }

        return hash >> 32;
    }
}
