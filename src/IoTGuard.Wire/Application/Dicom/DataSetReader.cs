using System.Buffers.Binary;

namespace IoTGuard.Wire.Application.Dicom;

/// <summary>Answer of <see cref="DataSetReader.Read"/>.</summary>
public enum DataSetToken : byte
{
    /// <summary>All bytes are used up; go on with the next fragment.</summary>
    NeedMore,

    /// <summary>The header of an element was read. <see cref="DataSetReader.Take"/> asks for its value or its items; otherwise they are passed over.</summary>
    Element,

    /// <summary>The value of a taken element.</summary>
    Value,

    /// <summary>The bytes are no data set; see <see cref="DataSetReader.Fault"/>.</summary>
    Faulted,
}

/// <summary>
/// Reads a data set or command set (PS3.5 chapter 7) that comes in fragments of any size. Holds a few hundred bytes whatever the data set's
/// size; values that nobody takes are passed over by count, so that a caller can skip them without having them (<see cref="Skippable"/>).
/// </summary>
public sealed class DataSetReader
{
    /// <summary>Most levels of sequences and items; a deeper data set is a fault (PS3.3 needs about 20).</summary>
    public const int MaximumDepth = 64;

    /// <summary>Longest value given, in bytes; longer values are cut.</summary>
    public const int MaximumValueBytes = 256;

    private const uint UndefinedLength = 0xFFFF_FFFF;
    private const int ShortHeader = 8;
    private const int LongHeader = 12;

    private readonly byte[] _header = new byte[LongHeader];
    private readonly byte[] _value = new byte[MaximumValueBytes];
    private Level[] _levels = [];
    private State _state;
    private DataSetEncoding _encoding;
    private int _headerCount;
    private int _valueCount;
    private long _remaining;
    private int _quietAbove;
    private bool _probing;

    private enum State : byte
    {
        Header,
        Announced,
        Skipping,
        Keeping,
        Faulted,
    }

    private enum LevelKind : byte
    {
        Sequence,
        Item,

        /// <summary>Encapsulated pixel data: items are bytes (PS3.5 A.4).</summary>
        Fragments,
    }

    /// <summary>Tag of the present element.</summary>
    public uint Tag { get; private set; }

    /// <summary>Value representation of the present element; none in implicit VR.</summary>
    public ValueRepresentation Vr { get; private set; }

    /// <summary>Length of the present element's value in bytes; -1 = undefined.</summary>
    public long Length { get; private set; }

    /// <summary>Sequences and items around the present element; 0 = the data set's own level.</summary>
    public int Depth { get; private set; }

    /// <summary>Bytes read or passed over so far.</summary>
    public long Position { get; private set; }

    /// <summary>Why the reader stopped.</summary>
    public Fault Fault { get; private set; }

    /// <summary>The encoding, known or guessed.</summary>
    public DataSetEncoding Encoding => _encoding;

    /// <summary>True for little endian.</summary>
    public bool IsLittleEndian => _encoding != DataSetEncoding.ExplicitBigEndian;

    /// <summary>Bytes to come that belong to a value nobody takes; <see cref="Skip"/> passes them.</summary>
    public long Skippable => _state == State.Skipping ? _remaining : 0;

    /// <summary>True when the data set may end here: after a whole element at its own level.</summary>
    public bool MayEnd
    {
        get
        {
            var betweenElements = _state == State.Header ? _headerCount == 0 && !_probing : _state == State.Announced && Length == 0;
            if (!betweenElements)
                return false;
            for (var i = Depth - 1; i >= 0; i--)
            {
                if (_levels[i].End != Position)
                    return false;
            }

            return true;
        }
    }

    // Where the present level ends at the latest: a level of undefined length cannot outlast the ones around it.
    private long LevelLimit => Depth == 0 ? long.MaxValue : _levels[Depth - 1].Limit;

    /// <summary>Starts a new data set.</summary>
    public void Reset(DataSetEncoding encoding)
    {
        _encoding = encoding;
        _state = State.Header;
        _headerCount = _valueCount = 0;
        _remaining = 0;
        _quietAbove = int.MaxValue;
        _probing = false;
        Tag = 0;
        Vr = ValueRepresentation.None;
        Length = 0;
        Depth = 0;
        Position = 0;
        Fault = default;
    }

    /// <summary>Asks for the value of the element just announced, or, when it is a sequence, for its elements.</summary>
    public void Take()
    {
        if (_state != State.Announced)
            return;
        if (Length < 0 || Vr == ValueRepresentation.SQ)
        {
            EnterSequence(quiet: false);
            return;
        }

        _valueCount = 0;
        _remaining = Length;
        // An implicit VR element does not say whether it is a sequence: its first eight bytes do.
        _probing = Vr == ValueRepresentation.None && Length >= ShortHeader;
        _state = _probing ? State.Header : State.Keeping;
    }

    /// <summary>Passes bytes that were not given to <see cref="Read"/>; at most <see cref="Skippable"/>.</summary>
    public void Skip(long bytes)
    {
        _remaining -= bytes;
        Position += bytes;
        if (_remaining == 0)
            _state = State.Header;
    }

    /// <summary>Goes on to the next token and takes what it used off the front of <paramref name="bytes"/>.</summary>
    /// <param name="bytes">Bytes of the data set from <see cref="Position"/> on.</param>
    /// <param name="value">The value, cut to <see cref="MaximumValueBytes"/>; valid until the next call.</param>
    public DataSetToken Read(ref ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> value)
    {
        value = default;
        while (true)
        {
            switch (_state)
            {
                case State.Announced:
                    PassOver();
                    break;
                case State.Skipping:
                    var passed = (int)Math.Min(_remaining, bytes.Length);
                    bytes = bytes[passed..];
                    Skip(passed);
                    if (_remaining > 0)
                        return DataSetToken.NeedMore;
                    break;
                case State.Keeping:
                    if (!Keep(ref bytes, out value))
                        return DataSetToken.NeedMore;
                    return DataSetToken.Value;
                case State.Faulted:
                    bytes = default;
                    return DataSetToken.Faulted;
                default:
                    CloseEndedLevels();
                    if (!CollectHeader(ref bytes, out var header))
                        return _state == State.Faulted ? DataSetToken.Faulted : DataSetToken.NeedMore;
                    if (ReadHeader(header) && Depth < _quietAbove)
                        return DataSetToken.Element;
                    break;
            }
        }
    }

    private void PassOver()
    {
        if (Length < 0)
        {
            EnterSequence(quiet: true);
            return;
        }

        _remaining = Length;
        _state = _remaining == 0 ? State.Header : State.Skipping;
    }

    private bool Keep(ref ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> value)
    {
        var wanted = (int)Math.Min(Length, MaximumValueBytes);
        if (_valueCount == 0 && bytes.Length >= wanted)
        {
            value = bytes[..wanted];
            bytes = bytes[wanted..];
            _remaining -= wanted;
            Position += wanted;
        }
        else
        {
            var more = Math.Min(wanted - _valueCount, bytes.Length);
            bytes[..more].CopyTo(_value.AsSpan(_valueCount));
            bytes = bytes[more..];
            _valueCount += more;
            _remaining -= more;
            Position += more;
            value = _value.AsSpan(0, _valueCount);
            if (_valueCount < wanted)
                return false;
        }

        _state = _remaining == 0 ? State.Header : State.Skipping;
        return true;
    }

    // A level of undefined length ends by its delimiter, one of defined length where it said.
    private void CloseEndedLevels()
    {
        while (_headerCount == 0 && !_probing && Depth > 0 && _levels[Depth - 1].End == Position)
            CloseLevel();
    }

    private void CloseLevel()
    {
        _encoding = _levels[--Depth].Outer;
        if (Depth < _quietAbove)
            _quietAbove = int.MaxValue;
    }

    private bool CollectHeader(ref ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> header)
    {
        if (_headerCount == 0 && bytes.Length >= LongHeader)
        {
            var length = HeaderLength(bytes);
            header = bytes[..length];
            bytes = bytes[length..];
            Position += length;
            return _state != State.Faulted;
        }

        while (true)
        {
            var length = _headerCount < ShortHeader ? ShortHeader : HeaderLength(_header);
            var more = Math.Min(length - _headerCount, bytes.Length);
            bytes[..more].CopyTo(_header.AsSpan(_headerCount));
            bytes = bytes[more..];
            _headerCount += more;
            Position += more;
            header = _header.AsSpan(0, _headerCount);
            if (_state == State.Faulted || _headerCount < length)
                return false;
            if (length == LongHeader || HeaderLength(header) == length)
            {
                _headerCount = 0;
                return true;
            }
        }
    }

    /// <summary>Bytes of the header that begins with these eight.</summary>
    private int HeaderLength(ReadOnlySpan<byte> bytes)
    {
        if (_encoding is DataSetEncoding.Unknown or DataSetEncoding.Deflated)
            _encoding = Guess(bytes);
        if (_probing || _encoding == DataSetEncoding.ImplicitLittleEndian || TagOf(bytes) >> 16 == 0xFFFE)
            return ShortHeader;
        return HasLongLength(VrOf(bytes)) ? LongHeader : ShortHeader;
    }

    private static DataSetEncoding Guess(ReadOnlySpan<byte> bytes)
    {
        if (!IsVr(VrOf(bytes)))
            return DataSetEncoding.ImplicitLittleEndian;
        // The first group is 0008 in nearly every data set, and never above 00FF.
        return bytes[0] == 0 && bytes[1] != 0 ? DataSetEncoding.ExplicitBigEndian : DataSetEncoding.ExplicitLittleEndian;
    }

    private static ValueRepresentation VrOf(ReadOnlySpan<byte> bytes) => (ValueRepresentation)BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]);

    private static bool IsVr(ValueRepresentation vr) => (((int)vr >> 8) - 'A') is >= 0 and < 26 && (((int)vr & 0xFF) - 'A') is >= 0 and < 26;

    // PS3.5 7.1.2.
    private static bool HasLongLength(ValueRepresentation vr) => vr is ValueRepresentation.OB or ValueRepresentation.OD or ValueRepresentation.OF
        or ValueRepresentation.OL or ValueRepresentation.OV or ValueRepresentation.OW or ValueRepresentation.SQ or ValueRepresentation.SV
        or ValueRepresentation.UC or ValueRepresentation.UN or ValueRepresentation.UR or ValueRepresentation.UT or ValueRepresentation.UV;

    private uint TagOf(ReadOnlySpan<byte> bytes) => IsLittleEndian
        ? ((uint)BinaryPrimitives.ReadUInt16LittleEndian(bytes) << 16) | BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..])
        : BinaryPrimitives.ReadUInt32BigEndian(bytes);

    private uint ReadUInt32(ReadOnlySpan<byte> bytes) =>
        IsLittleEndian ? BinaryPrimitives.ReadUInt32LittleEndian(bytes) : BinaryPrimitives.ReadUInt32BigEndian(bytes);

    private ushort ReadUInt16(ReadOnlySpan<byte> bytes) =>
        IsLittleEndian ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : BinaryPrimitives.ReadUInt16BigEndian(bytes);

    /// <summary>Acts on a whole header; true when it announces an element.</summary>
    private bool ReadHeader(ReadOnlySpan<byte> header)
    {
        var tag = TagOf(header);
        if (Position > LevelLimit)
            return Fail(FaultKind.BadLength, header.Length, LevelLimit - Position + header.Length);
        if (_probing)
        {
            ReadProbe(header, tag);
            return false;
        }

        if (tag >> 16 == 0xFFFE)
        {
            ReadDelimiter(tag, ReadUInt32(header[4..]));
            return false;
        }

        if (Depth > 0 && _levels[Depth - 1].Kind != LevelKind.Item)
            return Fail(FaultKind.Garbage, tag, 0);
        Tag = tag;
        uint length;
        if (_encoding == DataSetEncoding.ImplicitLittleEndian)
        {
            Vr = ValueRepresentation.None;
            length = ReadUInt32(header[4..]);
        }
        else
        {
            Vr = VrOf(header);
            if (!IsVr(Vr))
                return Fail(FaultKind.BadValue, (long)Vr, 0);
            length = header.Length == LongHeader ? ReadUInt32(header[8..]) : ReadUInt16(header[6..]);
        }

        Length = length == UndefinedLength ? -1 : length;
        if (Length > LevelLimit - Position)
            return Fail(FaultKind.BadLength, Length, LevelLimit - Position);
        _state = State.Announced;
        return true;
    }

    // The first eight bytes of a taken implicit VR value: an item's header makes it a sequence.
    private void ReadProbe(ReadOnlySpan<byte> header, uint tag)
    {
        _probing = false;
        if (tag == DicomTag.Item)
        {
            if (!OpenLevel(LevelKind.Sequence, Position - ShortHeader + Length, quiet: false))
                return;
            ReadDelimiter(tag, ReadUInt32(header[4..]));
            return;
        }

        header.CopyTo(_value);
        _valueCount = ShortHeader;
        _remaining = Length - ShortHeader;
        _state = State.Keeping;
    }

    private void ReadDelimiter(uint tag, uint length)
    {
        var kind = Depth == 0 ? (LevelKind?)null : _levels[Depth - 1].Kind;
        if (tag == DicomTag.Item && kind == LevelKind.Fragments && length != UndefinedLength)
        {
            _remaining = length;
            _state = length == 0 ? State.Header : State.Skipping;
        }
        else if (tag == DicomTag.Item && kind == LevelKind.Sequence)
        {
            var undefined = length == UndefinedLength;
            if (!undefined && length > LevelLimit - Position)
                Fail(FaultKind.BadLength, length, LevelLimit - Position);
            else
                OpenLevel(LevelKind.Item, undefined ? long.MaxValue : Position + length, quiet: false);
        }
        else if ((tag == DicomTag.ItemDelimitation && kind == LevelKind.Item)
            || (tag == DicomTag.SequenceDelimitation && kind is LevelKind.Sequence or LevelKind.Fragments))
        {
            CloseLevel();
        }
        else
        {
            Fail(FaultKind.Garbage, tag, 0);
        }
    }

    private void EnterSequence(bool quiet)
    {
        var isFragments = Length < 0 && (Tag == DicomTag.PixelData || Vr is ValueRepresentation.OB or ValueRepresentation.OW);
        if (!OpenLevel(isFragments ? LevelKind.Fragments : LevelKind.Sequence, Length < 0 ? long.MaxValue : Position + Length, quiet))
            return;
        // PS3.5 6.2.2: a value of unknown VR and undefined length is implicit VR little endian inside.
        if (Vr == ValueRepresentation.UN && Length < 0)
            _encoding = DataSetEncoding.ImplicitLittleEndian;
    }

    private bool OpenLevel(LevelKind kind, long end, bool quiet)
    {
        if (Depth == MaximumDepth)
            return Fail(FaultKind.TooDeep, Depth + 1, MaximumDepth);
        if (Depth == _levels.Length)
            Array.Resize(ref _levels, Math.Max(4, 2 * Depth));
        _levels[Depth] = new Level(end, Math.Min(end, LevelLimit), kind, _encoding);
        if (quiet && _quietAbove == int.MaxValue)
            _quietAbove = Depth + 1;
        Depth++;
        _state = State.Header;
        return true;
    }

    private bool Fail(FaultKind kind, long required, long available)
    {
        Fault = new Fault(kind, Layer.Dicom, (int)Math.Min(Position, int.MaxValue), required, available);
        _state = State.Faulted;
        return false;
    }

    private readonly record struct Level(long End, long Limit, LevelKind Kind, DataSetEncoding Outer);
}
