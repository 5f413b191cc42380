using System.Buffers.Binary;
using System.Security.Cryptography;
using IoTGuard.Wire.Application.Quic;

namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// Opens Initial packets (RFC 9001 5): their keys follow from the client's first destination connection id, so that everybody on the way can read them. Makes two small
/// objects of the runtime for each packet opened; a flow has few.
/// </summary>
internal static class QuicInitialKeys
{
    /// <summary>Longest packet that is opened, bytes.</summary>
    public const int MaximumPacketBytes = 2048;

    private const int KeySize = 16;
    private const int IvSize = 12;
    private const int TagSize = 16;
    private const int SampleSize = 16;

    /// <summary>Opens a packet into <paramref name="plain"/>. Returns the bytes of its payload, or -1 when it cannot be opened with these keys.</summary>
    /// <param name="packet">An Initial packet.</param>
    /// <param name="connectionId">The destination connection id of the client's first packet.</param>
    /// <param name="byServer">Who sent it.</param>
    /// <param name="plain">At least <see cref="MaximumPacketBytes"/>.</param>
    public static int Open(in QuicPacket packet, ReadOnlySpan<byte> connectionId, bool byServer, Span<byte> plain)
    {
        var bytes = packet.Bytes;
        var at = packet.ProtectedAt;
        if (bytes.Length > MaximumPacketBytes || bytes.Length < at + 4 + SampleSize)
            return -1;
        Span<byte> secret = stackalloc byte[32];
        HMACSHA256.HashData(QuicVersion.SaltOf(packet.Version), connectionId, secret);
        ExpandLabel(secret, byServer ? "server in"u8 : "client in"u8, secret);
        Span<byte> key = stackalloc byte[KeySize];
        Span<byte> iv = stackalloc byte[IvSize];
        Span<byte> header = stackalloc byte[KeySize];
        var isV2 = packet.Version == QuicVersion.V2;
        ExpandLabel(secret, isV2 ? "quicv2 key"u8 : "quic key"u8, key);
        ExpandLabel(secret, isV2 ? "quicv2 iv"u8 : "quic iv"u8, iv);
        ExpandLabel(secret, isV2 ? "quicv2 hp"u8 : "quic hp"u8, header);

        // RFC 9001 5.4: the sample begins four bytes after the packet number's first byte.
        Span<byte> mask = stackalloc byte[SampleSize];
        using (var aes = Aes.Create())
        {
            aes.SetKey(header);
            aes.EncryptEcb(bytes.Slice(at + 4, SampleSize), mask, PaddingMode.None);
        }

        Span<byte> open = stackalloc byte[MaximumPacketBytes];
        bytes[..(at + 4)].CopyTo(open);
        open[0] ^= (byte)(mask[0] & 0x0F);
        var numberSize = 1 + (open[0] & 3);
        uint number = 0;
        for (var i = 0; i < numberSize; i++)
        {
            open[at + i] ^= mask[1 + i];
            number = (number << 8) | open[at + i];
        }

        var body = bytes[(at + numberSize)..];
        if (body.Length < TagSize)
            return -1;
        var tail = iv[^4..];
        BinaryPrimitives.WriteUInt32BigEndian(tail, BinaryPrimitives.ReadUInt32BigEndian(tail) ^ number);
        var length = body.Length - TagSize;
        using var gcm = new AesGcm(key, TagSize);
        try
        {
            gcm.Decrypt(iv, body[..length], body[length..], plain[..length], open[..(at + numberSize)]);
        }
        catch (AuthenticationTagMismatchException)
        {
            return -1;
        }

        return length;
    }

    /// <summary>HKDF-Expand-Label (RFC 8446 7.1) for outputs of at most 32 bytes: one round of HMAC.</summary>
    private static void ExpandLabel(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> label, Span<byte> output)
    {
        Span<byte> info = stackalloc byte[64];
        var prefix = "tls13 "u8;
        info[0] = 0;
        info[1] = (byte)output.Length;
        info[2] = (byte)(prefix.Length + label.Length);
        prefix.CopyTo(info[3..]);
        label.CopyTo(info[(3 + prefix.Length)..]);
        var length = 3 + prefix.Length + label.Length;
        info[length++] = 0;
        info[length++] = 1;
        Span<byte> hash = stackalloc byte[32];
        HMACSHA256.HashData(secret, info[..length], hash);
        hash[..output.Length].CopyTo(output);
    }
}
