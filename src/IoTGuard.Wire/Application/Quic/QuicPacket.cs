using System.Buffers.Binary;

namespace IoTGuard.Wire.Application.Quic;

/// <summary>Types of packets with a long header (RFC 9000 17.2), whatever bits a version gives them.</summary>
public enum QuicPacketType : byte
{
    Initial,
    ZeroRtt,
    Handshake,
    Retry,
    VersionNegotiation,
}

/// <summary>Versions of QUIC whose Initial packets can be read.</summary>
public static class QuicVersion
{
    public const uint Negotiation = 0;
    public const uint V1 = 0x0000_0001;
    public const uint V2 = 0x6B33_43CF;
    public const uint FirstDraft = 0xFF00_0016;
    public const uint LastDraft = 0xFF00_0022;

    /// <summary>Facebook's names for draft 22, for draft 27, and for what it tries out.</summary>
    public const uint Facebook22 = 0xFACE_B001;
    public const uint Facebook27 = 0xFACE_B002;
    public const uint FacebookTrial = 0xFACE_B00E;

    /// <summary>Google's last version with its own handshake, and its versions with TLS: "Q050", "T050", "T051".</summary>
    public const uint Google50 = 0x5130_3530;
    public const uint GoogleTls50 = 0x5430_3530;
    public const uint GoogleTls51 = 0x5430_3531;

    /// <summary>"Q044", the first of Google's versions with a long header.</summary>
    public const uint FirstGoogleLong = 0x5130_3434;

    /// <summary>True for versions 1 (RFC 9000), 2 (RFC 9369), drafts 22 to 34, and those of Facebook and Google that are built like them.</summary>
    public static bool IsKnown(uint version) =>
        version is V1 or V2 or (>= FirstDraft and <= LastDraft) or Facebook22 or Facebook27 or FacebookTrial or Google50 or GoogleTls50 or GoogleTls51;

    /// <summary>True for Google's versions whose hello is in the clear, "Q024" to "Q049".</summary>
    public static bool IsGooglePlain(uint version) => version is (>= 0x5130_3234 and <= 0x5130_3239) or (>= 0x5130_3330 and <= 0x5130_3339) or (>= 0x5130_3430 and <= 0x5130_3439);

    /// <summary>True for the versions whose CRYPTO frames have the type 8, which in RFC 9000 is a stream's.</summary>
    public static bool HasGoogleFrames(uint version) => version is Google50 or GoogleTls50 or GoogleTls51;

    /// <summary>True for 0x?a?a?a?a, which no server speaks (RFC 9000 15).</summary>
    public static bool IsReserved(uint version) => (version & 0x0F0F_0F0F) == 0x0A0A_0A0A;

    /// <summary>The salt of the Initial secrets of a known version (RFC 9001 5.2, RFC 9369 3.3.1, the drafts, and for Google's versions Chromium's QUICHE).</summary>
    public static ReadOnlySpan<byte> SaltOf(uint version) => version switch
    {
        V2 => [0x0D, 0xED, 0xE3, 0xDE, 0xF7, 0x00, 0xA6, 0xDB, 0x81, 0x93, 0x81, 0xBE, 0x6E, 0x26, 0x9D, 0xCB, 0xF9, 0xBD, 0x2E, 0xD9],
        FirstDraft or Facebook22 =>
            [0x7F, 0xBC, 0xDB, 0x0E, 0x7C, 0x66, 0xBB, 0xE9, 0x19, 0x3A, 0x96, 0xCD, 0x21, 0x51, 0x9E, 0xBD, 0x7A, 0x02, 0x64, 0x4A],
        Google50 => [0x50, 0x45, 0x74, 0xEF, 0xD0, 0x66, 0xFE, 0x2F, 0x9D, 0x94, 0x5C, 0xFC, 0xDB, 0xD3, 0xA7, 0xF0, 0xD3, 0xB5, 0x6B, 0x45],
        GoogleTls50 => [0x7F, 0xF5, 0x79, 0xE5, 0xAC, 0xD0, 0x72, 0x91, 0x55, 0x80, 0x30, 0x4C, 0x43, 0xA2, 0x36, 0x7C, 0x60, 0x48, 0x83, 0x10],
        GoogleTls51 => [0x7A, 0x4E, 0xDE, 0xF4, 0xE7, 0xCC, 0xEE, 0x5F, 0xA4, 0x50, 0x6C, 0x19, 0x12, 0x4F, 0xC8, 0xCC, 0xDA, 0x6E, 0x03, 0x3D],
        (> FirstDraft and <= 0xFF00_001C) or Facebook27 or FacebookTrial =>
            [0xC3, 0xEE, 0xF7, 0x12, 0xC7, 0x2E, 0xBB, 0x5A, 0x11, 0xA7, 0xD2, 0x43, 0x2B, 0xB4, 0x63, 0x65, 0xBE, 0xF9, 0xF5, 0x02],
        >= 0xFF00_001D and <= 0xFF00_0020 =>
            [0xAF, 0xBF, 0xEC, 0x28, 0x99, 0x93, 0xD2, 0x4C, 0x9E, 0x97, 0x86, 0xF1, 0x9C, 0x61, 0x11, 0xE0, 0x43, 0x90, 0xA8, 0x99],
        _ => [0x38, 0x76, 0x2C, 0xF7, 0xF5, 0x59, 0x34, 0xB3, 0x4D, 0x17, 0x9A, 0xE6, 0xA4, 0xC8, 0x0C, 0xAD, 0xCC, 0xBB, 0x7F, 0x0A],
    };
}

/// <summary>A packet with a long header inside a datagram (RFC 9000 17.2). Points into the datagram.</summary>
public readonly ref struct QuicPacket
{
    /// <summary>Longest connection id of the known versions, bytes.</summary>
    public const int MaximumIdBytes = 20;

    /// <summary>Shortest destination connection id that a client begins with, bytes (RFC 9000 7.2).</summary>
    public const int MinimumFirstIdBytes = 8;

    private QuicPacket(QuicPacketType type, uint version, ReadOnlySpan<byte> destination, ReadOnlySpan<byte> bytes, int protectedAt)
    {
        Type = type;
        Version = version;
        DestinationId = destination;
        Bytes = bytes;
        ProtectedAt = protectedAt;
    }

    public QuicPacketType Type { get; }

    public uint Version { get; }

    public ReadOnlySpan<byte> DestinationId { get; }

    /// <summary>The packet's bytes; the next packet of the datagram comes after them.</summary>
    public ReadOnlySpan<byte> Bytes { get; }

    /// <summary>Where the protected packet number is in <see cref="Bytes"/>.</summary>
    public int ProtectedAt { get; }

    /// <summary>Reads the packet at the start of the bytes; false when it has no long header of a known version, or is not whole.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out QuicPacket packet)
    {
        packet = default;
        if (!TryReadInvariant(bytes, out var version, out var destination, out var at))
            return false;
        if (version == QuicVersion.Negotiation)
        {
            packet = new QuicPacket(QuicPacketType.VersionNegotiation, version, destination, bytes, at);
            return true;
        }

        // The fixed bit may be greased (RFC 9287).
        if (!QuicVersion.IsKnown(version))
            return false;
        var type = TypeOf(bytes[0], version);
        if (type == QuicPacketType.Retry)
        {
            packet = new QuicPacket(type, version, destination, bytes, at);
            return true;
        }

        if (type == QuicPacketType.Initial)
        {
            if (!TryReadNumber(bytes, ref at, out var token) || token > (ulong)(bytes.Length - at))
                return false;
            at += (int)token;
        }

        if (!TryReadNumber(bytes, ref at, out var length) || length > (ulong)(bytes.Length - at))
            return false;
        packet = new QuicPacket(type, version, destination, bytes[..(at + (int)length)], at);
        return true;
    }

    /// <summary>True for a packet of a reserved version, with which a client makes the server name the versions it speaks (RFC 9000 6.3).</summary>
    public static bool ForcesNegotiation(ReadOnlySpan<byte> bytes) =>
        TryReadInvariant(bytes, out var version, out var destination, out _) && QuicVersion.IsReserved(version) && destination.Length >= MinimumFirstIdBytes;

    /// <summary>What the long headers of all versions have in common (RFC 8999 5.1).</summary>
    private static bool TryReadInvariant(ReadOnlySpan<byte> bytes, out uint version, out ReadOnlySpan<byte> destination, out int at)
    {
        version = 0;
        destination = default;
        at = 5;
        if (bytes.Length < 7 || (bytes[0] & 0x80) == 0)
            return false;
        version = BinaryPrimitives.ReadUInt32BigEndian(bytes[1..]);
        var destinationLength = bytes[at++];
        if (destinationLength > MaximumIdBytes || bytes.Length < at + destinationLength + 1)
            return false;
        destination = bytes.Slice(at, destinationLength);
        at += destinationLength;
        var sourceLength = bytes[at++];
        if (sourceLength > MaximumIdBytes || bytes.Length < at + sourceLength)
            return false;
        at += sourceLength;
        return true;
    }

    /// <summary>Reads a variable-length integer (RFC 9000 16).</summary>
    public static bool TryReadNumber(ReadOnlySpan<byte> bytes, ref int at, out ulong number)
    {
        number = 0;
        if (at >= bytes.Length)
            return false;
        var size = 1 << (bytes[at] >> 6);
        if (bytes.Length - at < size)
            return false;
        number = (ulong)bytes[at] & 0x3F;
        for (var i = 1; i < size; i++)
            number = (number << 8) | bytes[at + i];
        at += size;
        return true;
    }

    private static QuicPacketType TypeOf(byte first, uint version)
    {
        var bits = (first >> 4) & 3;

        // RFC 9369 3.2: version 2 turns the types by one.
        return (QuicPacketType)(version == QuicVersion.V2 ? (bits + 3) & 3 : bits);
    }
}

/// <summary>Walks the frames that Initial packets hold (RFC 9000 12.4, 19). Any other frame ends the walk.</summary>
public ref struct QuicFrameReader(ReadOnlySpan<byte> payload, bool hasGoogleFrames = false)
{
    private readonly ReadOnlySpan<byte> _payload = payload;
    private readonly byte _crypto = hasGoogleFrames ? (byte)8 : (byte)6;
    private int _at;

    /// <summary>Of a CRYPTO frame, where its data belongs in the handshake.</summary>
    public ulong Offset { get; private set; }

    public ReadOnlySpan<byte> Data { get; private set; }

    /// <summary>True when the connection was closed.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>Steps to the next CRYPTO frame.</summary>
    public bool ReadCrypto()
    {
        const byte padding = 0;
        const byte ping = 1;
        const byte acknowledgement = 2;
        const byte acknowledgementWithCongestion = 3;
        const byte close = 0x1C;
        while (_at < _payload.Length)
        {
            var type = _payload[_at++];
            switch (type)
            {
                case padding or ping:
                    break;
                case acknowledgement or acknowledgementWithCongestion:
                    if (!SkipAcknowledgement(type == acknowledgementWithCongestion))
                        return false;
                    break;
                case var _ when type == _crypto:
                    if (!QuicPacket.TryReadNumber(_payload, ref _at, out var offset) || !QuicPacket.TryReadNumber(_payload, ref _at, out var length)
                        || length > (ulong)(_payload.Length - _at))
                        return false;
                    Offset = offset;
                    Data = _payload.Slice(_at, (int)length);
                    _at += (int)length;
                    return true;
                default:
                    IsClosed = type == close;
                    return false;
            }
        }

        return false;
    }

    private bool SkipAcknowledgement(bool withCongestion)
    {
        if (!Skip(2) || !QuicPacket.TryReadNumber(_payload, ref _at, out var ranges) || ranges > (ulong)_payload.Length)
            return false;
        return Skip(1 + (2 * (int)ranges) + (withCongestion ? 3 : 0));
    }

    private bool Skip(int numbers)
    {
        for (; numbers > 0; numbers--)
        {
            if (!QuicPacket.TryReadNumber(_payload, ref _at, out _))
                return false;
        }

        return true;
    }
}
