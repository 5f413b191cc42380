using System.Buffers.Binary;

namespace IoTGuard.Wire.Application.OpenVpn;

/// <summary>How the control channel of OpenVPN is protected.</summary>
public enum OpenVpnProtection : byte
{
    /// <summary>By TLS alone.</summary>
    None,

    /// <summary>An HMAC over each packet, with a key that both sides were given (<c>tls-auth</c>).</summary>
    Authenticated,

    /// <summary>Encrypted with a key that both sides were given (<c>tls-crypt</c>).</summary>
    Encrypted,

    /// <summary>Encrypted with a key of the client's own (<c>tls-crypt-v2</c>).</summary>
    EncryptedPerClient,
}

/// <summary>
/// The packet that begins a session of OpenVPN on either side: P_CONTROL_HARD_RESET (OpenVPN's protocol as draft-jquick-openvpn and its <c>ssl_pkt.h</c> have it).
/// </summary>
/// <param name="IsClient">The client sends it.</param>
/// <param name="Protection">How it is protected, as its length and fields tell.</param>
public readonly record struct OpenVpnReset(bool IsClient, OpenVpnProtection Protection)
{
    private const int OpcodeSize = 1;
    private const int SessionSize = 8;
    private const int ReplaySize = 8;
    private const int CryptTag = 32;

    /// <summary>Bytes of a client's reset without protection: opcode, session, no acknowledgements, packet 0.</summary>
    private const int PlainSize = OpcodeSize + SessionSize + 1 + 4;

    /// <summary>Packets that may have been lost or repeated before this one.</summary>
    private const ushort MostRepeats = 64;

    /// <summary>The year 2001, when OpenVPN was first released, s since 1970.</summary>
    private const uint EarliestTime = 978_307_200;

    /// <summary>Reads a packet; false when it is none, or has no form that its fields prove.</summary>
    public static bool TryRead(ReadOnlySpan<byte> packet, out OpenVpnReset reset)
    {
        const byte client1 = 1 << 3;
        const byte server1 = 2 << 3;
        const byte client2 = 7 << 3;
        const byte server2 = 8 << 3;
        const byte client3 = 10 << 3;
        reset = default;
        if (packet.Length < PlainSize || packet[0] is not (client1 or server1 or client2 or server2 or client3))
            return false;
        var isClient = packet[0] is client1 or client2 or client3;
        if (ProtectionOf(packet, isClient, packet[0] == client3) is not { } protection)
            return false;
        reset = new OpenVpnReset(isClient, protection);
        return true;
    }

    private static OpenVpnProtection? ProtectionOf(ReadOnlySpan<byte> packet, bool isClient, bool isPerClient)
    {
        if (IsEnd(packet[(OpcodeSize + SessionSize)..], isClient))
            return isPerClient ? null : OpenVpnProtection.None;

        // tls-crypt: packet number and time, tag, and of the rest the encrypted form, as long as it is in the clear.
        var rest = packet[(OpcodeSize + SessionSize)..];
        if (rest.Length >= ReplaySize + CryptTag + 5 && IsReplay(rest))
        {
            if (isPerClient)
                return BinaryPrimitives.ReadUInt16BigEndian(packet[^2..]) is var size && size > CryptTag && size < packet.Length - ReplaySize - CryptTag ? OpenVpnProtection.EncryptedPerClient : null;
            if (rest.Length == ReplaySize + CryptTag + (isClient ? 5 : 17))
                return OpenVpnProtection.Encrypted;
        }

        // tls-auth: the HMAC comes first, as long as its digest.
        foreach (var digest in (ReadOnlySpan<int>)[20, 32, 64, 16, 28, 48])
        {
            if (rest.Length > digest + ReplaySize && IsReplay(rest[digest..]) && IsEnd(rest[(digest + ReplaySize)..], isClient))
                return OpenVpnProtection.Authenticated;
        }

        return null;
    }

    /// <summary>A small packet number, whose upper half may tell what the sender can do, and a time since 1970.</summary>
    private static bool IsReplay(ReadOnlySpan<byte> bytes) =>
        BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]) is > 0 and <= MostRepeats && BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]) >= EarliestTime;

    /// <summary>What a reset ends with: acknowledged packets, a server's with the client's session, and its own number, which is 0.</summary>
    private static bool IsEnd(ReadOnlySpan<byte> bytes, bool isClient)
    {
        if (bytes.Length < 5 || (bytes[0] != 0 && isClient) || bytes[0] > 4)
            return false;
        var size = 1 + (bytes[0] > 0 ? (bytes[0] * 4) + SessionSize : 0) + 4;
        return bytes.Length == size && BinaryPrimitives.ReadUInt32BigEndian(bytes[^4..]) == 0;
    }
}
