using System.Buffers.Binary;

namespace IoTGuard.Outputs.Packets.Redaction;

/// <summary>
/// One direction of a DICOM association (PS3.8, 9.3): keeps PDU and PDV headers, association items but for the user's identity, and command sets but for
/// instance UIDs and comments; data sets go to <see cref="DataSetRedactor"/>. Bytes may be split anywhere.
/// </summary>
internal sealed class DicomRedactor
{
    private const int PduHeaderLength = 6;
    private const int PdvHeaderLength = 6;
    private const int AssociateFixedLength = 68;
    private const int ItemHeaderLength = 4;
    private const uint LargestPdu = 64 << 20;

    private readonly byte[] _header = new byte[PduHeaderLength];
    private readonly DataSetRedactor _dataSet = new();
    private readonly DataSetRedactor _command = new(isCommand: true);
    private int _have;
    private byte _pduType;
    private long _pduLeft;
    private long _pdvLeft;
    private byte _control;

    // Within A-ASSOCIATE: bytes before the next item header, and whether they are blanked.
    private long _itemLeft;
    private bool _isBlanked;

    /// <summary>True for bytes that begin with a PDU (PS3.8, 9.3.1): strict, because the stream may be met anywhere.</summary>
    public static bool IsPdu(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < PduHeaderLength || bytes[1] != 0)
            return false;
        var length = BinaryPrimitives.ReadUInt32BigEndian(bytes[2..]);
        return bytes[0] switch
        {
            1 or 2 => length is >= AssociateFixedLength and < (1 << 20) && bytes.Length >= 8 && bytes[6] == 0 && bytes[7] == 1,
            3 or 5 or 6 or 7 => length == 4,
            4 => length is > PdvHeaderLength and <= LargestPdu && bytes.Length >= PduHeaderLength + PdvHeaderLength
                && BinaryPrimitives.ReadUInt32BigEndian(bytes[PduHeaderLength..]) is > 2 and var pdv && pdv + 4 <= length
                && (bytes[10] & 1) == 1 && bytes[11] <= 3,
            _ => false,
        };
    }

    public void Reset()
    {
        _have = 0;
        _pduLeft = _pdvLeft = _itemLeft = 0;
        _isBlanked = false;
        _command.Lose();
        _dataSet.Lose();
        // At the beginning of an association both are at a beginning; met in the middle, only the end of a message tells.
        _command.Begin();
    }

    /// <summary>Blanks in place; false when this is no DICOM any more, and nothing of the bytes may be kept.</summary>
    public bool TryRedact(Span<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var taken = _pduLeft == 0 ? TakePduHeader(bytes)
                : _pduType == 4 ? TakeData(bytes)
                : _pduType is 1 or 2 ? TakeAssociate(bytes)
                : TakeRun(bytes, ref _pduLeft, blank: false);
            if (taken < 0)
                return false;
            bytes = bytes[taken..];
        }

        return true;
    }

    private int TakePduHeader(ReadOnlySpan<byte> bytes)
    {
        var taken = Collect(bytes, PduHeaderLength);
        if (_have < PduHeaderLength)
            return taken;
        _have = 0;
        _pduType = _header[0];
        _pduLeft = BinaryPrimitives.ReadUInt32BigEndian(_header.AsSpan(2));
        if (_pduType is < 1 or > 7 || _header[1] != 0 || _pduLeft > LargestPdu)
            return -1;
        _itemLeft = _pduType is 1 or 2 ? AssociateFixedLength : 0;
        if (_pduType == 1)
        {
            _command.Begin();
            _dataSet.Begin();
        }

        _isBlanked = false;
        _pdvLeft = 0;
        return taken;
    }

    /// <summary>P-DATA-TF: PDVs behind each other.</summary>
    private int TakeData(Span<byte> bytes)
    {
        int taken;
        if (_pdvLeft == 0)
        {
            taken = Collect(bytes, (int)Math.Min(PdvHeaderLength, _pduLeft + _have));
            _pduLeft -= taken;
            if (_have < PdvHeaderLength)
                return _pduLeft == 0 ? -1 : taken;
            _have = 0;
            var length = BinaryPrimitives.ReadUInt32BigEndian(_header);
            _control = _header[5];
            _pdvLeft = length - 2L;
            if (length < 2 || _pdvLeft > _pduLeft)
                return -1;
            if (_pdvLeft == 0)
                EndFragment();
            return taken;
        }

        taken = (int)Math.Min(bytes.Length, _pdvLeft);
        ((_control & 1) != 0 ? _command : _dataSet).Redact(bytes[..taken]);
        _pdvLeft -= taken;
        _pduLeft -= taken;
        if (_pdvLeft == 0)
            EndFragment();
        return taken;
    }

    /// <summary>Bit 1 of the message control header: the last fragment (PS3.8, E.2).</summary>
    private void EndFragment()
    {
        if ((_control & 2) == 0)
            return;
        if ((_control & 1) != 0)
        {
            _command.Begin();
            _dataSet.Begin();
        }
        else
        {
            _dataSet.Begin();
        }
    }

    /// <summary>A-ASSOCIATE-RQ and -AC: items behind 68 fixed bytes; user information (50H) is entered, user identity (58H, 59H) blanked.</summary>
    private int TakeAssociate(Span<byte> bytes)
    {
        if (_itemLeft > 0)
        {
            var run = TakeRun(bytes[..(int)Math.Min(bytes.Length, _pduLeft)], ref _itemLeft, _isBlanked);
            _pduLeft -= run;
            return run;
        }

        var taken = Collect(bytes[..(int)Math.Min(bytes.Length, _pduLeft)], ItemHeaderLength);
        _pduLeft -= taken;
        if (_have < ItemHeaderLength)
            return taken;
        _have = 0;
        var type = _header[0];
        _isBlanked = type is 0x58 or 0x59;
        _itemLeft = type == 0x50 ? 0 : BinaryPrimitives.ReadUInt16BigEndian(_header.AsSpan(2));
        return taken;
    }

    private int Collect(ReadOnlySpan<byte> bytes, int needed)
    {
        var taken = Math.Min(bytes.Length, needed - _have);
        bytes[..taken].CopyTo(_header.AsSpan(_have));
        _have += taken;
        return taken;
    }

    private static int TakeRun(Span<byte> bytes, ref long left, bool blank)
    {
        var taken = (int)Math.Min(bytes.Length, left);
        if (blank)
            bytes[..taken].Clear();
        left -= taken;
        return taken;
    }
}
