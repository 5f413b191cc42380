using System.Buffers.Binary;

namespace IoTGuard.Wire.Application.Ssh;

/// <summary>Message numbers that are read (RFC 4250 4.1.2).</summary>
public enum SshMessage : byte
{
    Disconnect = 1,
    KexInit = 20,
    NewKeys = 21,
}

/// <summary>A binary packet before encryption begins (RFC 4253 6).</summary>
public static class SshPacket
{
    /// <summary>Bytes of packet_length.</summary>
    public const int LengthSize = 4;

    /// <summary>Longest packet that all implementations must take (RFC 4253 6.1), bytes.</summary>
    public const int MaximumLength = 35_000;

    /// <summary>padding_length and the message number.</summary>
    public const int HeaderSize = LengthSize + 2;

    /// <summary>Bytes of the packet with its length field; 0 when the length cannot be one.</summary>
    public static int LengthOf(ReadOnlySpan<byte> bytes)
    {
        var length = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        return length is >= 2 and <= MaximumLength ? LengthSize + (int)length : 0;
    }
}

/// <summary>SSH_MSG_KEXINIT (RFC 4253 7.1): ten name-lists after a cookie. Points into the packet.</summary>
public readonly ref struct SshKexInit
{
    /// <summary>Name-lists by their place.</summary>
    public const int KeyExchange = 0;
    public const int HostKey = 1;
    public const int EncryptionToServer = 2;
    public const int EncryptionToClient = 3;
    public const int MacToServer = 4;
    public const int MacToClient = 5;
    public const int CompressionToServer = 6;
    public const int CompressionToClient = 7;

    private const int CookieSize = 16;
    private const int Lists = 10;

    private readonly ReadOnlySpan<byte> _lists;

    private SshKexInit(ReadOnlySpan<byte> lists) => _lists = lists;

    /// <summary>A name-list; empty when there are fewer.</summary>
    public ReadOnlySpan<byte> this[int place]
    {
        get
        {
            var rest = _lists;
            for (; place > 0; place--)
                rest = rest[(4 + BinaryPrimitives.ReadInt32BigEndian(rest))..];
            return rest.Slice(4, BinaryPrimitives.ReadInt32BigEndian(rest));
        }
    }

    /// <summary>Reads the payload behind the message number; false when the lists are not whole.</summary>
    public static bool TryRead(ReadOnlySpan<byte> payload, out SshKexInit message)
    {
        message = default;
        if (payload.Length < CookieSize)
            return false;
        var rest = payload[CookieSize..];
        message = new SshKexInit(rest);
        for (var i = 0; i < Lists; i++)
        {
            if (rest.Length < 4)
                return false;
            var length = BinaryPrimitives.ReadUInt32BigEndian(rest);
            if (length > rest.Length - 4)
                return false;
            rest = rest[(4 + (int)length)..];
        }

        return true;
    }

    /// <summary>The first name of the client's list that the server's holds too (RFC 4253 7.1); empty when there is none.</summary>
    public static ReadOnlySpan<byte> Chosen(ReadOnlySpan<byte> client, ReadOnlySpan<byte> server)
    {
        while (!client.IsEmpty)
        {
            var name = NextOf(ref client);
            for (var rest = server; !rest.IsEmpty;)
            {
                if (NextOf(ref rest).SequenceEqual(name))
                    return name;
            }
        }

        return default;
    }

    /// <summary>Takes the first name off a list.</summary>
    public static ReadOnlySpan<byte> NextOf(scoped ref ReadOnlySpan<byte> list)
    {
        var end = list.IndexOf((byte)',');
        var name = end < 0 ? list : list[..end];
        list = end < 0 ? default : list[(end + 1)..];
        return name;
    }
}
