using System.Buffers.Binary;

namespace IoTGuard.Analysis.Tests.Fuzzing;

/// <summary>Changes bytes without knowing what they mean.</summary>
internal static class ByteMutator
{
    private static readonly uint[] Interesting =
        [0, 1, 7, 8, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF, 0x10000, 0xFF_FFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFE, 0xFFFF_FFFF];

    /// <summary>A changed copy; at most a few kilobytes longer.</summary>
    public static byte[] Mutate(byte[] bytes, Random random)
    {
        var result = bytes.ToList();
        for (var change = 1 + random.Next(4); change > 0; change--)
            Change(result, random);
        return [.. result];
    }

    private static void Change(List<byte> bytes, Random random)
    {
        if (bytes.Count == 0)
        {
            bytes.Add((byte)random.Next(256));
            return;
        }

        var at = random.Next(bytes.Count);
        var length = Math.Min(bytes.Count - at, 1 << random.Next(11));
        switch (random.Next(8))
        {
            case 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                bytes[at] = (byte)random.Next(256);
                break;
            case 2:
                Put(bytes, at, Interesting[random.Next(Interesting.Length)], 1 << random.Next(3), random.Next(2) == 0);
                break;
            case 3:
                bytes.RemoveRange(at, length);
                break;
            case 4:
                bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, length));
                break;
            case 5:
                bytes.InsertRange(at, Enumerable.Repeat((byte)random.Next(256), length));
                break;
            case 6:
                var piece = bytes.GetRange(at, length);
                bytes.RemoveRange(at, length);
                bytes.InsertRange(random.Next(bytes.Count + 1), piece);
                break;
            default:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
        }
    }

    /// <summary>Writes a number as a length or a count might stand there.</summary>
    private static void Put(List<byte> bytes, int at, uint number, int size, bool bigEndian)
    {
        Span<byte> field = stackalloc byte[4];
        if (bigEndian)
            BinaryPrimitives.WriteUInt32BigEndian(field, number << (32 - (8 * size)));
        else
            BinaryPrimitives.WriteUInt32LittleEndian(field, number);
        for (var i = 0; i < size && at + i < bytes.Count; i++)
            bytes[at + i] = field[i];
    }
}
