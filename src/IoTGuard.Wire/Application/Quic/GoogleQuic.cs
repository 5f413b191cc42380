using System.Buffers.Binary;

namespace IoTGuard.Wire.Application.Quic;

/// <summary>
/// A client's packet of Google's QUIC before version Q050, which has headers of its own and says hello in the clear ("QUIC Crypto", Langley and Chang, 2016).
/// Points into the datagram.
/// </summary>
public readonly ref struct GoogleQuicPacket
{
    private const byte HasVersion = 0x01;
    private const byte IsReset = 0x02;
    private const byte HasConnectionId = 0x08;
    private const byte LongHeader = 0x80;
    private const int IdSize = 8;
    private const int VersionSize = 4;

    /// <summary>Where a hello begins at the latest: packet number, hash and the stream's frame come before it, bytes.</summary>
    private const int LatestHello = 64;

    private GoogleQuicPacket(uint version, ReadOnlySpan<byte> payload)
    {
        Version = version;
        Payload = payload;
    }

    /// <summary>Its version, "Q043" as a number of four characters.</summary>
    public uint Version { get; }

    /// <summary>What comes after the header, the packet number included.</summary>
    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>The client's hello in it, or nothing.</summary>
    public ReadOnlySpan<byte> Hello
    {
        get
        {
            var at = Payload[..Math.Min(Payload.Length, LatestHello)].IndexOf(GoogleHello.Tag);
            return at < 0 ? default : Payload[at..];
        }
    }

    /// <summary>Reads the header of a packet that names its version; false for any other.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out GoogleQuicPacket packet)
    {
        packet = default;
        if (bytes.Length < 1 + IdSize + VersionSize + 1)
            return false;

        // Until Q043 a public header: flags, connection id, version. From Q044 the beginnings of the long header of RFC 8999: flags, version, lengths, connection id.
        var isLong = (bytes[0] & LongHeader) != 0;
        if (!isLong && (bytes[0] & (HasVersion | IsReset | HasConnectionId | 0x40)) != (HasVersion | HasConnectionId))
            return false;
        var version = BinaryPrimitives.ReadUInt32BigEndian(bytes[(isLong ? 1 : 1 + IdSize)..]);
        if (!QuicVersion.IsGooglePlain(version) || isLong != (version >= QuicVersion.FirstGoogleLong))
            return false;
        packet = new GoogleQuicPacket(version, bytes[(1 + IdSize + VersionSize + (isLong ? 1 : 0))..]);
        return true;
    }
}

/// <summary>The hello of a client of Google's QUIC: tags with values.</summary>
public static class GoogleHello
{
    /// <summary>Most values that a hello may have.</summary>
    public const int MaximumValues = 128;

    private const int HeadSize = 8;
    private const int EntrySize = 8;

    /// <summary>How a client's hello begins.</summary>
    public static ReadOnlySpan<byte> Tag => "CHLO"u8;

    /// <summary>The server's name that the client asks for; empty when there is none, or it lies beyond the bytes.</summary>
    public static ReadOnlySpan<byte> ServerName(ReadOnlySpan<byte> hello)
    {
        if (hello.Length < HeadSize || !hello.StartsWith(Tag))
            return default;
        var count = BinaryPrimitives.ReadUInt16LittleEndian(hello[Tag.Length..]);
        var values = HeadSize + (count * EntrySize);
        if (count > MaximumValues || values > hello.Length)
            return default;
        uint from = 0;
        for (var at = HeadSize; at < values; at += EntrySize)
        {
            var to = BinaryPrimitives.ReadUInt32LittleEndian(hello[(at + Tag.Length)..]);
            if (to < from || to > (uint)(hello.Length - values))
                return default;
            if (hello.Slice(at, Tag.Length).SequenceEqual("SNI\0"u8))
                return hello[(values + (int)from)..(values + (int)to)];
            from = to;
        }

        return default;
    }
}
