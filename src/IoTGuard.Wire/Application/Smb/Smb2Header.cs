using System.Buffers.Binary;

namespace IoTGuard.Wire.Application.Smb;

/// <summary>Commands of SMB 2 and 3 (MS-SMB2 2.2.1).</summary>
public enum Smb2Command : ushort
{
    Negotiate,
    SessionSetup,
    Logoff,
    TreeConnect,
    TreeDisconnect,
    Create,
    Close,
    Flush,
    Read,
    Write,
    Lock,
    Ioctl,
    Cancel,
    Echo,
    QueryDirectory,
    ChangeNotify,
    QueryInfo,
    SetInfo,
    OplockBreak,
}

/// <summary>The header of an SMB 2 or 3 message (MS-SMB2 2.2.1).</summary>
/// <param name="Command">What it asks or answers.</param>
/// <param name="Status">NTSTATUS of a response; of a request the channel sequence.</param>
/// <param name="Credits">Credits asked for or granted.</param>
/// <param name="Flags">SMB2_FLAGS_*.</param>
/// <param name="NextCommand">Bytes to the next message of a compound; 0 = the last.</param>
/// <param name="MessageId">Pairs request and response.</param>
/// <param name="TreeId">The tree; meaningless when <see cref="IsAsync"/>.</param>
/// <param name="SessionId">The session.</param>
public readonly record struct Smb2Header(
    Smb2Command Command, uint Status, ushort Credits, uint Flags, uint NextCommand, ulong MessageId, uint TreeId, ulong SessionId)
{
    /// <summary>Bytes of a header; also the value of its StructureSize.</summary>
    public const int Size = 64;

    /// <summary>0xFE 'S' 'M' 'B' as a little-endian number.</summary>
    public const uint ProtocolId = 0x424D_53FE;

    /// <summary>0xFD 'S' 'M' 'B': SMB2 TRANSFORM_HEADER, an encrypted message (MS-SMB2 2.2.41).</summary>
    public const uint TransformId = 0x424D_53FD;

    /// <summary>0xFC 'S' 'M' 'B': SMB2 COMPRESSION_TRANSFORM_HEADER (MS-SMB2 2.2.42).</summary>
    public const uint CompressionId = 0x424D_53FC;

    public bool IsResponse => (Flags & 1) != 0;

    public bool IsAsync => (Flags & 2) != 0;

    /// <summary>SMB2_FLAGS_RELATED_OPERATIONS: the session, tree and file of the message before.</summary>
    public bool IsRelated => (Flags & 4) != 0;

    public bool IsSigned => (Flags & 8) != 0;

    public bool IsKnown => Command <= Smb2Command.OplockBreak;

    /// <summary>Reads a header; false when it is none. <paramref name="bytes"/> holds at least <see cref="Size"/>.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out Smb2Header header)
    {
        header = default;
        if (bytes.Length < Size || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != ProtocolId || BinaryPrimitives.ReadUInt16LittleEndian(bytes[4..]) != Size)
            return false;
        header = new Smb2Header(
            (Smb2Command)BinaryPrimitives.ReadUInt16LittleEndian(bytes[12..]),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]),
            BinaryPrimitives.ReadUInt16LittleEndian(bytes[14..]),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[16..]),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[20..]),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[24..]),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[36..]),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[40..]));
        return true;
    }
}

/// <summary>A file as the server names it (SMB2_FILEID, MS-SMB2 2.2.14.1).</summary>
public readonly record struct Smb2FileId(ulong Persistent, ulong Volatile)
{
    /// <summary>Bytes of a file id.</summary>
    public const int Size = 16;

    /// <summary>In a related request: the file of the message before.</summary>
    public bool IsOfPrevious => Persistent == ulong.MaxValue && Volatile == ulong.MaxValue;

    public static Smb2FileId Read(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt64LittleEndian(bytes), BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]));
}
