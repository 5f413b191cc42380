using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace IoTGuard.Wire;

/// <summary>A 16-bit field as it lies on the wire.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public readonly record struct BigEndian16
{
    private readonly ushort _raw;

    /// <summary>Holds <paramref name="value"/> in network order.</summary>
    public BigEndian16(ushort value) => _raw = Swap(value);

    /// <summary>The number in this machine's order.</summary>
    public ushort Value => Swap(_raw);

    public static implicit operator ushort(BigEndian16 field) => field.Value;

    private static ushort Swap(ushort value) => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;
}

/// <summary>A 32-bit field as it lies on the wire.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public readonly record struct BigEndian32
{
    private readonly uint _raw;

    /// <summary>Holds <paramref name="value"/> in network order.</summary>
    public BigEndian32(uint value) => _raw = Swap(value);

    /// <summary>The number in this machine's order.</summary>
    public uint Value => Swap(_raw);

    public static implicit operator uint(BigEndian32 field) => field.Value;

    private static uint Swap(uint value) => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;
}

/// <summary>A 64-bit field as it lies on the wire.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public readonly record struct BigEndian64
{
    private readonly ulong _raw;

    /// <summary>Holds <paramref name="value"/> in network order.</summary>
    public BigEndian64(ulong value) => _raw = Swap(value);

    /// <summary>The number in this machine's order.</summary>
    public ulong Value => Swap(_raw);

    public static implicit operator ulong(BigEndian64 field) => field.Value;

    private static ulong Swap(ulong value) => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;
}
