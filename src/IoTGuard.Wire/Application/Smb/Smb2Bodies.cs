using System.Buffers.Binary;

namespace IoTGuard.Wire.Application.Smb;

/// <summary>
/// The bodies of SMB 2 messages, as far as they are read. Every reader is given the message from its header on, as far as it is there, and
/// answers false when the fixed part is cut. Spans point into the message; what they would hold beyond its end is cut.
/// </summary>
public static class Smb2Bodies
{
    private const int Body = Smb2Header.Size;

    /// <summary>NEGOTIATE request (2.2.3): the dialects offered, 16 bits each.</summary>
    public static bool TryReadNegotiateRequest(ReadOnlySpan<byte> message, out byte securityMode, out ReadOnlySpan<byte> dialects)
    {
        securityMode = 0;
        dialects = default;
        if (message.Length < Body + 36)
            return false;
        securityMode = message[Body + 4];
        dialects = Slice(message, Body + 36, 2 * BinaryPrimitives.ReadUInt16LittleEndian(message[(Body + 2)..]));
        return true;
    }

    /// <summary>NEGOTIATE response (2.2.4).</summary>
    public static bool TryReadNegotiateResponse(ReadOnlySpan<byte> message, out byte securityMode, out ushort dialect, out uint capabilities, out ReadOnlySpan<byte> token)
    {
        securityMode = 0;
        dialect = 0;
        capabilities = 0;
        token = default;
        if (message.Length < Body + 64)
            return false;
        var body = message[Body..];
        securityMode = body[2];
        dialect = BinaryPrimitives.ReadUInt16LittleEndian(body[4..]);
        capabilities = BinaryPrimitives.ReadUInt32LittleEndian(body[24..]);
        token = At(message, body[56..], body[58..]);
        return true;
    }

    /// <summary>SESSION_SETUP request (2.2.5): the security token.</summary>
    public static bool TryReadSessionSetupRequest(ReadOnlySpan<byte> message, out byte securityMode, out ReadOnlySpan<byte> token)
    {
        securityMode = 0;
        token = default;
        if (message.Length < Body + 24)
            return false;
        securityMode = message[Body + 3];
        token = At(message, message[(Body + 12)..], message[(Body + 14)..]);
        return true;
    }

    /// <summary>SESSION_SETUP response (2.2.6): SessionFlags (1 guest, 2 null, 4 encrypt) and the token.</summary>
    public static bool TryReadSessionSetupResponse(ReadOnlySpan<byte> message, out ushort flags, out ReadOnlySpan<byte> token)
    {
        flags = 0;
        token = default;
        if (message.Length < Body + 8)
            return false;
        flags = BinaryPrimitives.ReadUInt16LittleEndian(message[(Body + 2)..]);
        token = At(message, message[(Body + 4)..], message[(Body + 6)..]);
        return true;
    }

    /// <summary>TREE_CONNECT request (2.2.9): \\server\share in UTF-16.</summary>
    public static bool TryReadTreeConnectRequest(ReadOnlySpan<byte> message, out ReadOnlySpan<byte> path)
    {
        path = default;
        if (message.Length < Body + 8)
            return false;
        path = At(message, message[(Body + 4)..], message[(Body + 6)..]);
        return true;
    }

    /// <summary>TREE_CONNECT response (2.2.10): share type (1 disk, 2 pipe, 3 print) and flags (0x8000 encrypt).</summary>
    public static bool TryReadTreeConnectResponse(ReadOnlySpan<byte> message, out byte shareType, out uint shareFlags)
    {
        shareType = 0;
        shareFlags = 0;
        if (message.Length < Body + 16)
            return false;
        shareType = message[Body + 2];
        shareFlags = BinaryPrimitives.ReadUInt32LittleEndian(message[(Body + 4)..]);
        return true;
    }

    /// <summary>CREATE request (2.2.13): options (0x1000 delete on close, 1 directory) and the name in UTF-16.</summary>
    public static bool TryReadCreateRequest(ReadOnlySpan<byte> message, out uint disposition, out uint options, out ReadOnlySpan<byte> name)
    {
        disposition = 0;
        options = 0;
        name = default;
        if (message.Length < Body + 56)
            return false;
        var body = message[Body..];
        disposition = BinaryPrimitives.ReadUInt32LittleEndian(body[36..]);
        options = BinaryPrimitives.ReadUInt32LittleEndian(body[40..]);
        name = At(message, body[44..], body[46..]);
        return true;
    }

    /// <summary>CREATE response (2.2.14): CreateAction (2 = created, 3 = overwritten) and the file.</summary>
    public static bool TryReadCreateResponse(ReadOnlySpan<byte> message, out uint action, out Smb2FileId file)
    {
        action = 0;
        file = default;
        if (message.Length < Body + 80)
            return false;
        action = BinaryPrimitives.ReadUInt32LittleEndian(message[(Body + 4)..]);
        file = Smb2FileId.Read(message[(Body + 64)..]);
        return true;
    }

    /// <summary>CLOSE request (2.2.15) and QUERY_DIRECTORY request (2.2.33): the file.</summary>
    public static bool TryReadFileAt8(ReadOnlySpan<byte> message, out Smb2FileId file)
    {
        file = default;
        if (message.Length < Body + 8 + Smb2FileId.Size)
            return false;
        file = Smb2FileId.Read(message[(Body + 8)..]);
        return true;
    }

    /// <summary>READ request (2.2.19).</summary>
    public static bool TryReadReadRequest(ReadOnlySpan<byte> message, out uint length, out Smb2FileId file)
    {
        length = 0;
        file = default;
        if (message.Length < Body + 32)
            return false;
        length = BinaryPrimitives.ReadUInt32LittleEndian(message[(Body + 4)..]);
        file = Smb2FileId.Read(message[(Body + 16)..]);
        return true;
    }

    /// <summary>READ response (2.2.20): data as far as it is there, and its whole length.</summary>
    public static bool TryReadReadResponse(ReadOnlySpan<byte> message, out uint length, out ReadOnlySpan<byte> data)
    {
        length = 0;
        data = default;
        if (message.Length < Body + 16)
            return false;
        length = BinaryPrimitives.ReadUInt32LittleEndian(message[(Body + 4)..]);
        data = Slice(message, message[Body + 2], length);
        return true;
    }

    /// <summary>WRITE request (2.2.21): data as far as it is there, and its whole length.</summary>
    public static bool TryReadWriteRequest(ReadOnlySpan<byte> message, out uint length, out ulong offset, out Smb2FileId file, out ReadOnlySpan<byte> data)
    {
        length = 0;
        offset = 0;
        file = default;
        data = default;
        if (message.Length < Body + 48)
            return false;
        var body = message[Body..];
        length = BinaryPrimitives.ReadUInt32LittleEndian(body[4..]);
        offset = BinaryPrimitives.ReadUInt64LittleEndian(body[8..]);
        file = Smb2FileId.Read(body[16..]);
        data = Slice(message, BinaryPrimitives.ReadUInt16LittleEndian(body[2..]), length);
        return true;
    }

    /// <summary>IOCTL request (2.2.31): the function and its input.</summary>
    public static bool TryReadIoctlRequest(ReadOnlySpan<byte> message, out uint code, out Smb2FileId file, out ReadOnlySpan<byte> input)
    {
        code = 0;
        file = default;
        input = default;
        if (message.Length < Body + 56)
            return false;
        var body = message[Body..];
        code = BinaryPrimitives.ReadUInt32LittleEndian(body[4..]);
        file = Smb2FileId.Read(body[8..]);
        input = Slice(message, BinaryPrimitives.ReadUInt32LittleEndian(body[24..]), BinaryPrimitives.ReadUInt32LittleEndian(body[28..]));
        return true;
    }

    /// <summary>SET_INFO request (2.2.39): type (1 = file), class and buffer.</summary>
    public static bool TryReadSetInfoRequest(ReadOnlySpan<byte> message, out byte type, out byte infoClass, out Smb2FileId file, out ReadOnlySpan<byte> buffer)
    {
        type = 0;
        infoClass = 0;
        file = default;
        buffer = default;
        if (message.Length < Body + 32)
            return false;
        var body = message[Body..];
        type = body[2];
        infoClass = body[3];
        file = Smb2FileId.Read(body[16..]);
        buffer = Slice(message, BinaryPrimitives.ReadUInt16LittleEndian(body[8..]), BinaryPrimitives.ReadUInt32LittleEndian(body[4..]));
        return true;
    }

    /// <summary>FileRenameInformation type 2 (MS-FSCC 2.4.42.2): the new name in UTF-16.</summary>
    public static ReadOnlySpan<byte> RenameTarget(ReadOnlySpan<byte> buffer) =>
        buffer.Length < 20 ? default : Slice(buffer, 20, BinaryPrimitives.ReadUInt32LittleEndian(buffer[16..]));

    private static ReadOnlySpan<byte> At(ReadOnlySpan<byte> message, ReadOnlySpan<byte> offset, ReadOnlySpan<byte> length) =>
        Slice(message, BinaryPrimitives.ReadUInt16LittleEndian(offset), BinaryPrimitives.ReadUInt16LittleEndian(length));

    private static ReadOnlySpan<byte> Slice(ReadOnlySpan<byte> message, long offset, long length)
    {
        if (offset < 0 || offset >= message.Length)
            return default;
        return message.Slice((int)offset, (int)Math.Min(length, message.Length - offset));
    }
}
