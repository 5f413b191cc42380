using System.Buffers.Binary;

namespace IoTGuard.Wire.Application.Ntp;

/// <summary>Association modes (RFC 5905, 7.3).</summary>
public enum NtpMode : byte
{
    Reserved = 0,
    SymmetricActive = 1,
    SymmetricPassive = 2,
    Client = 3,
    Server = 4,
    Broadcast = 5,

    /// <summary>Control messages (RFC 9327).</summary>
    Control = 6,

    /// <summary>Private use: ntpdc, with the list of monitored peers that amplifies.</summary>
    Private = 7,
}

/// <summary>The fixed part of an NTP packet, 48 bytes (RFC 5905, 7.3); of modes 6 and 7 only the head.</summary>
public readonly record struct NtpPacket(NtpMode Mode, byte Version, byte Leap, byte Stratum, uint Reference, ulong Origin, ulong Receive, ulong Transmit)
{
    /// <summary>Bytes of a time packet.</summary>
    public const int Size = 48;

    /// <summary>Bytes that control and private messages have at least.</summary>
    public const int MinimumSize = 8;

    private const long UnixEra = 2_208_988_800;
    private const long EraSeconds = 1L << 32;

    /// <summary>Reads a packet; false when it is none.</summary>
    public static bool TryRead(ReadOnlySpan<byte> data, out NtpPacket packet)
    {
        packet = default;
        if (data.Length < MinimumSize)
            return false;
        var mode = (NtpMode)(data[0] & 7);
        var version = (byte)((data[0] >> 3) & 7);
        if (version is 0 or > 4 || mode == NtpMode.Reserved)
            return false;
        if (mode is NtpMode.Control or NtpMode.Private)
        {
            packet = new(mode, version, (byte)(data[0] >> 6), 0, data[mode == NtpMode.Control ? 1 : 3], 0, 0, 0);
            return true;
        }

        if (data.Length < Size)
            return false;
        packet = new(mode, version, (byte)(data[0] >> 6), data[1], BinaryPrimitives.ReadUInt32BigEndian(data[12..]), BinaryPrimitives.ReadUInt64BigEndian(data[24..]),
            BinaryPrimitives.ReadUInt64BigEndian(data[32..]), BinaryPrimitives.ReadUInt64BigEndian(data[40..]));
        return true;
    }

    /// <summary>A timestamp as ns since 1970, in the era that is nearest to a time (RFC 5905, 6).</summary>
    public static long ToUnix(ulong timestamp, long nearNs)
    {
        var seconds = (long)(timestamp >> 32) - UnixEra;
        var near = nearNs / 1_000_000_000;
        while (seconds < near - (EraSeconds / 2))
            seconds += EraSeconds;
        return (seconds * 1_000_000_000) + (long)(((timestamp & uint.MaxValue) * 1_000_000_000) >> 32);
    }
}
