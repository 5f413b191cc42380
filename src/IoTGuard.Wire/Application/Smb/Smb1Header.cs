using System.Buffers.Binary;

namespace IoTGuard.Wire.Application.Smb;

/// <summary>Commands of SMB 1 that are read (MS-CIFS 2.2.2.1).</summary>
public enum Smb1Command : byte
{
    Close = 0x04,
    Delete = 0x06,
    Rename = 0x07,
    Write = 0x0B,
    Transaction = 0x25,
    TransactionSecondary = 0x26,
    Echo = 0x2B,
    OpenAndX = 0x2D,
    ReadAndX = 0x2E,
    WriteAndX = 0x2F,
    Transaction2 = 0x32,
    Transaction2Secondary = 0x33,
    TreeDisconnect = 0x71,
    Negotiate = 0x72,
    SessionSetupAndX = 0x73,
    LogoffAndX = 0x74,
    TreeConnectAndX = 0x75,
    NtTransact = 0xA0,
    NtTransactSecondary = 0xA1,
    NtCreateAndX = 0xA2,
    NoAndXCommand = 0xFF,
}

/// <summary>The header of an SMB 1 message (MS-CIFS 2.2.3.1).</summary>
public readonly record struct Smb1Header(Smb1Command Command, uint Status, byte Flags, ushort Flags2, ushort TreeId, ushort UserId, ushort MultiplexId)
{
    /// <summary>Bytes of a header, before WordCount.</summary>
    public const int Size = 32;

    /// <summary>0xFF 'S' 'M' 'B' as a little-endian number.</summary>
    public const uint ProtocolId = 0x424D_53FF;

    /// <summary>SMB_FLAGS_REPLY.</summary>
    public bool IsResponse => (Flags & 0x80) != 0;

    /// <summary>SMB_FLAGS2_UNICODE: texts are UTF-16.</summary>
    public bool IsUnicode => (Flags2 & 0x8000) != 0;

    /// <summary>SMB_FLAGS2_NT_STATUS: <see cref="Status"/> is an NTSTATUS, else class and code of MS-DOS.</summary>
    public bool HasNtStatus => (Flags2 & 0x4000) != 0;

    /// <summary>Reads a header; false when it is none.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out Smb1Header header)
    {
        header = default;
        if (bytes.Length < Size || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != ProtocolId)
            return false;
        header = new Smb1Header(
            (Smb1Command)bytes[4],
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[5..]),
            bytes[9],
            BinaryPrimitives.ReadUInt16LittleEndian(bytes[10..]),
            BinaryPrimitives.ReadUInt16LittleEndian(bytes[24..]),
            BinaryPrimitives.ReadUInt16LittleEndian(bytes[28..]),
            BinaryPrimitives.ReadUInt16LittleEndian(bytes[30..]));
        return true;
    }
}

/// <summary>Parameter words and data bytes of an SMB 1 message (MS-CIFS 2.2.3.2, 2.2.3.3). Spans point into the message and end where it is cut.</summary>
public readonly ref struct Smb1Block
{
    private Smb1Block(ReadOnlySpan<byte> words, ReadOnlySpan<byte> data, int dataOffset)
    {
        Words = words;
        Data = data;
        DataOffset = dataOffset;
    }

    /// <summary>Parameter words as bytes.</summary>
    public ReadOnlySpan<byte> Words { get; }

    public int WordCount => Words.Length / 2;

    public ReadOnlySpan<byte> Data { get; }

    /// <summary>Where the data begins, bytes from the header's start.</summary>
    public int DataOffset { get; }

    /// <summary>Reads the block at an offset of the message; false when its words are cut.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, int offset, out Smb1Block block)
    {
        block = default;
        if (offset < Smb1Header.Size || offset >= message.Length)
            return false;
        var words = 2 * message[offset];
        if (offset + 1 + words > message.Length)
            return false;
        var at = offset + 1 + words;
        ReadOnlySpan<byte> data = default;
        if (at + 2 <= message.Length)
        {
            var count = BinaryPrimitives.ReadUInt16LittleEndian(message[at..]);
            data = message.Slice(at + 2, Math.Min(count, message.Length - at - 2));
        }

        block = new Smb1Block(message.Slice(offset + 1, words), data, at + 2);
        return true;
    }

    /// <summary>A parameter word by its number; 0 when there are fewer.</summary>
    public ushort Word(int index) => (2 * index) + 2 <= Words.Length ? BinaryPrimitives.ReadUInt16LittleEndian(Words[(2 * index)..]) : (ushort)0;

    /// <summary>Four bytes of the parameters by byte offset; 0 when there are fewer.</summary>
    public uint DoubleWordAt(int offset) => offset + 4 <= Words.Length ? BinaryPrimitives.ReadUInt32LittleEndian(Words[offset..]) : 0;
}
