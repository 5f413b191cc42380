using System.Buffers.Binary;

namespace IoTGuard.Outputs.Packets.Redaction;

/// <summary>
/// A data set or command set (PS3.5, 7) whose element headers are kept and whose values are blanked with zeros; of a command set only instance UIDs, the error
/// comment and what is not a command's. The encoding is told by its first bytes; what has none that is known (deflated) is blanked altogether.
/// </summary>
internal sealed class DataSetRedactor(bool isCommand = false)
{
    private const uint Undefined = 0xFFFF_FFFF;
    private const uint Item = 0xFFFE_E000;
    private const uint SequenceDelimitation = 0xFFFE_E0DD;
    private const uint PixelData = 0x7FE0_0010;
    private const int ShortHeader = 8;
    private const int LongHeader = 12;

    private readonly byte[] _header = new byte[LongHeader];
    private Encoding _encoding;
    private int _have;
    private int _needed;
    private long _valueLeft;
    private bool _isKept;
    private bool _inPixelData;

    private enum Encoding
    {
        /// <summary>The first bytes will tell.</summary>
        Open,
        Implicit,
        Explicit,
        ExplicitBigEndian,

        /// <summary>Nothing can be told: all is blanked until the next beginning.</summary>
        Lost,
    }

    /// <summary>The next bytes begin a data set.</summary>
    public void Begin()
    {
        _encoding = isCommand ? Encoding.Implicit : Encoding.Open;
        _have = 0;
        _needed = ShortHeader;
        _valueLeft = 0;
        _inPixelData = false;
    }

    /// <summary>The next bytes are somewhere within a data set.</summary>
    public void Lose() => _encoding = Encoding.Lost;

    public void Redact(Span<byte> bytes)
    {
        if (_encoding == Encoding.Open)
            _encoding = EncodingOf(bytes);
        while (!bytes.IsEmpty)
        {
            if (_encoding == Encoding.Lost)
            {
                bytes.Clear();
                return;
            }

            int taken;
            if (_valueLeft > 0)
            {
                taken = (int)Math.Min(bytes.Length, _valueLeft);
                if (!_isKept)
                    bytes[..taken].Clear();
                _valueLeft -= taken;
            }
            else
            {
                taken = Math.Min(bytes.Length, _needed - _have);
                bytes[..taken].CopyTo(_header.AsSpan(_have));
                _have += taken;
                if (_have == _needed)
                    TakeHeader(bytes[taken..]);
            }

            bytes = bytes[taken..];
        }
    }

    /// <summary>From the first element: its group is small, and explicit encodings have a VR of two capitals.</summary>
    private static Encoding EncodingOf(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < ShortHeader)
            return Encoding.Lost;
        var hasVr = bytes[4] is >= (byte)'A' and <= (byte)'Z' && bytes[5] is >= (byte)'A' and <= (byte)'Z';
        if (bytes[1] == 0 && bytes[0] != 0)
            return hasVr ? Encoding.Explicit : Encoding.Implicit;
        return bytes[0] == 0 && bytes[1] != 0 && hasVr ? Encoding.ExplicitBigEndian : Encoding.Lost;
    }

    private void TakeHeader(ReadOnlySpan<byte> next)
    {
        var bigEndian = _encoding == Encoding.ExplicitBigEndian;
        var tag = ((uint)Read16(_header, bigEndian) << 16) | Read16(_header.AsSpan(2), bigEndian);
        var isDelimiter = tag >> 16 == 0xFFFE;
        uint length;
        var isSequence = false;
        if (_encoding == Encoding.Implicit || isDelimiter)
        {
            length = Read32(_header.AsSpan(4), bigEndian);
            // A sequence of known length shows only by the item that it begins with.
            isSequence = !isDelimiter && (length == Undefined || (length >= ShortHeader && next.Length >= 4 && BinaryPrimitives.ReadUInt32LittleEndian(next) == 0xE000_FFFE));
        }
        else if (_header[4] is not (>= (byte)'A' and <= (byte)'Z') || _header[5] is not (>= (byte)'A' and <= (byte)'Z'))
        {
            _encoding = Encoding.Lost;
            return;
        }
        else if (IsLong(_header.AsSpan(4, 2)))
        {
            if (_needed == ShortHeader)
            {
                _needed = LongHeader;
                return;
            }

            length = Read32(_header.AsSpan(8), bigEndian);
            isSequence = _header.AsSpan(4, 2).SequenceEqual("SQ"u8);
            if (length == Undefined && _header.AsSpan(4, 2).SequenceEqual("UN"u8))
                _encoding = Encoding.Lost; // implicit inside (PS3.5, 6.2.2, note 2)
        }
        else
        {
            length = Read16(_header.AsSpan(6), bigEndian);
        }

        _have = 0;
        _needed = ShortHeader;
        Enter(tag, length, isSequence, isDelimiter);
    }

    /// <summary>What follows a header: a value, or the elements of a sequence or item.</summary>
    private void Enter(uint tag, uint length, bool isSequence, bool isDelimiter)
    {
        if (tag == PixelData && length == Undefined)
        {
            _inPixelData = true;
            return;
        }

        if (tag == SequenceDelimitation)
            _inPixelData = false;
        if (isSequence || (isDelimiter && !(tag == Item && _inPixelData)))
            return;
        if (length == Undefined)
        {
            _encoding = Encoding.Lost;
            return;
        }

        _valueLeft = length;
        // Affected and Requested SOP Instance UID, Error Comment (PS3.7, E.1).
        _isKept = isCommand && tag >> 16 == 0 && tag is not (0x0000_1000 or 0x0000_1001 or 0x0000_0902);
    }

    /// <summary>Value representations with a length of four bytes (PS3.5, table 7.1-1).</summary>
    private static bool IsLong(ReadOnlySpan<byte> vr) => vr[0] switch
    {
        (byte)'O' => vr[1] is (byte)'B' or (byte)'D' or (byte)'F' or (byte)'L' or (byte)'V' or (byte)'W',
        (byte)'S' => vr[1] is (byte)'Q' or (byte)'V',
        (byte)'U' => vr[1] is (byte)'C' or (byte)'N' or (byte)'R' or (byte)'T' or (byte)'V',
        _ => false,
    };

    private static ushort Read16(ReadOnlySpan<byte> bytes, bool bigEndian) =>
        bigEndian ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : BinaryPrimitives.ReadUInt16LittleEndian(bytes);

    private static uint Read32(ReadOnlySpan<byte> bytes, bool bigEndian) =>
        bigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);
}
