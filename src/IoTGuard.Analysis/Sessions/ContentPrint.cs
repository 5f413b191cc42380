using System.Buffers.Binary;
using System.Numerics;

namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// A 64-bit value of bytes, the same however they are cut into pieces: equal content that passes twice is known by it. No cryptographic hash, and never written.
/// </summary>
internal struct ContentPrint
{
    private const ulong Factor = 0x9E37_79B9_7F4A_7C15;

    private ulong _value;
    private ulong _rest;
    private int _restBytes;

    /// <summary>The value of all bytes so far; never 0, which stands for "not known".</summary>
    public readonly ulong Value => Math.Max(1, Mix(_value, _rest ^ ((ulong)_restBytes << 56)));

    public void Add(ReadOnlySpan<byte> bytes)
    {
        // What is left over from before comes first in every word.
        var shift = 8 * _restBytes;
        while (bytes.Length >= sizeof(ulong))
        {
            var word = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            _value = Mix(_value, _rest | (word << shift));
            _rest = shift == 0 ? 0 : word >> (64 - shift);
            bytes = bytes[sizeof(ulong)..];
        }

        foreach (var b in bytes)
            AddByte(b);
    }

    private void AddByte(byte value)
    {
        _rest |= (ulong)value << (8 * _restBytes);
        if (++_restBytes < sizeof(ulong))
            return;
        _value = Mix(_value, _rest);
        _rest = 0;
        _restBytes = 0;
    }

    private static ulong Mix(ulong value, ulong word) => BitOperations.RotateLeft((value ^ word) * Factor, 29) + word;
}
