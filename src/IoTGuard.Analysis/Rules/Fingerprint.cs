using System.Numerics;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Rules;

/// <summary>64-bit values that stand for larger ones in <see cref="DistinctWindow"/>; the same in every run. A collision only makes a count one too small.</summary>
internal static class Fingerprint
{
    public static ulong Of(IpAddress address) => Mix(address.High ^ Mix(address.Low));

    public static ulong Of(IpAddress address, byte ipProtocol, ushort port) => Mix(Of(address) ^ (((ulong)ipProtocol << 16) | port));

    public static ulong Of(string? one, string? other) => Add(Add(0xCBF2_9CE4_8422_2325, one), other);

    public static ulong Of(string? text, ReadOnlySpan<byte> bytes)
    {
        var value = Add(0xCBF2_9CE4_8422_2325, text);
        foreach (var b in bytes)
            value = (value ^ b) * 0x100_0000_01B3;
        return Mix(value);
    }

    /// <summary>The finalizer of SplitMix64.</summary>
    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }

    private static ulong Add(ulong value, string? text)
    {
        foreach (var c in text ?? "")
            value = (value ^ c) * 0x100_0000_01B3;
        return BitOperations.RotateLeft(value, 7) ^ 0x9E37_79B9_7F4A_7C15;
    }
}
