using System.Buffers;
using IoTGuard.Analysis.Flows;
using IoTGuard.Wire;
using IoTGuard.Wire.Application.Hl7;

namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// One direction of an HL7 connection: frames, messages, segments. Everything shown is consumed; the beginning of a segment or a
/// few bytes whose meaning the next ones decide are carried over in a buffer of at most one segment.
/// </summary>
internal sealed partial class Hl7Reader(Hl7Session session, FlowDirection direction)
{
    /// <summary>Bytes added to carried ones that wait for a decision: more than any decision needs.</summary>
    private const int LookAhead = 16;

    private const int NeedMore = -1;
    private const long NsPerSecond = 1_000_000_000;

    private static readonly SearchValues<byte> EndsSegment = SearchValues.Create([Mllp.CarriageReturn, Mllp.EndBlock, Mllp.StartBlock]);
    private static readonly SearchValues<byte> EndsSegmentOrLine =
        SearchValues.Create([Mllp.CarriageReturn, Mllp.EndBlock, Mllp.StartBlock, Mllp.LineFeed]);

    private int[]? _faults;
    private byte[] _carry = [];
    private int _carryLength;
    private long _carryTimeNs;

    private Place _place;

    /// <summary>The open message, or one that was begun in vain and is used for the next.</summary>
    private Hl7Transaction? _message;
    private bool _isOpen;
    private bool _headerRead;
    private Hl7Delimiters _delimiters;
    private long _messageStart;

    private bool _inFrame;
    private bool _sawFrame;
    private bool _frameHasContent;
    private bool _inBatch;
    private long _frameStart;
    private long _frameTimeNs;
    private long _nextSizeFault;
    private long _nextAgeFault;

    private bool _isQuiet;
    private bool _lineFeedEnds;
    private bool _endIsKnown;
    private int _scanned;

    /// <summary>Offset in the stream of the bytes being parsed, and of the place in them.</summary>
    private long _offset;
    private long _at;
    private long _timeNs;
    private bool _started;

    /// <summary>Touches what bytes will need. The result says nothing.</summary>
    public long Touch() => _carryLength + _frameTimeNs + _at + (int)_place + (_message is null ? 0 : 1);

    public void OnData(SessionContext context, ReadOnlySpan<byte> data)
    {
        if (!_started)
        {
            _started = true;
            _isQuiet = context.Flow.State == ConnectionState.MidStream;
            context.Flow.Application = context.Flow.Application == ApplicationProtocol.Http ? ApplicationProtocol.Http : ApplicationProtocol.Hl7;
        }

        data = JoinCarried(context, data);
        if (!data.IsEmpty)
        {
            var consumed = Parse(context, data, carried: 0);
            if (consumed < data.Length)
                Carry(context, data[consumed..]);
        }

        if (_inFrame)
            CheckFrame(context, _offset + _carryLength);
    }

    public void OnGap(long bytes)
    {
        _started = true;
        _offset += _carryLength + bytes;
        _carryLength = 0;
        _scanned = 0;
        _isQuiet = true;
        if (_isOpen && _headerRead)
        {
            if (_message!.Fault.IsNone)
                _message.Fault = new Fault(FaultKind.Gap, Layer.Hl7, (int)Math.Min(_offset - _messageStart, int.MaxValue), bytes);
            _place = Place.RestOfSegment;
            return;
        }

        _isOpen = false;
        _inFrame = false;
        if (_place != Place.Between)
            _place = Place.Garbage;
    }

    /// <summary>No more bytes will come.</summary>
    /// <param name="isCut">True when the sensor stopped looking, false when the sender stopped sending.</param>
    public void OnEnd(SessionContext context, bool isCut)
    {
        FlushCarried(context);

        // What was told while it stayed open is not told again; a gap may have held the end block.
        var isTold = _nextAgeFault > Hl7Session.MaximumFrameNs;
        if (_inFrame && !isTold && !_isQuiet && (!isCut || context.TimeNs - _frameTimeNs >= Hl7Session.MaximumFrameNs))
        {
            Fault(
                context, FaultKind.NoEndBlock, "the connection ended before the end block (FS CR) of the frame",
                (context.TimeNs - _frameTimeNs) / NsPerSecond, Hl7Session.MaximumFrameNs / NsPerSecond);
        }

        EndMessage(context);
        CloseFrame();
    }

    /// <summary>Ends a bare message, which has no end of its own, because its acknowledgement came.</summary>
    public void CompleteBare(SessionContext context, ReadOnlySpan<byte> controlId)
    {
        if (!_isOpen || _inFrame || !_headerRead || !_message!.ControlId.Bytes.SequenceEqual(controlId))
            return;
        FlushCarried(context);
        EndMessage(context);
        CloseFrame();
    }

    public void Reset()
    {
        _carryLength = 0;
        _isOpen = _headerRead = _inFrame = _sawFrame = _started = _isQuiet = false;
        _place = Place.Between;
        _offset = _at = 0;
        _scanned = 0;
        if (_faults is not null)
            Array.Clear(_faults);
    }

    /// <summary>Completes what was carried over with bytes of <paramref name="data"/>; returns the bytes not used for it.</summary>
    private ReadOnlySpan<byte> JoinCarried(SessionContext context, ReadOnlySpan<byte> data)
    {
        while (_carryLength > 0 && !data.IsEmpty)
        {
            var take = Math.Min(data.Length, LookAhead);
            if (_place == Place.Segment && data.IndexOfAny(Terminators) is var end)
                take = Math.Min(end < 0 ? data.Length : Math.Min(end + LookAhead, data.Length), Hl7Session.MaximumSegmentBytes);
            var before = _carryLength;
            Append(data[..take]);
            var consumed = Parse(context, _carry.AsSpan(0, _carryLength), before);
            if (consumed >= before)
            {
                _carryLength = 0;
                return data[(consumed - before)..];
            }

            _carry.AsSpan(consumed, _carryLength - consumed).CopyTo(_carry);
            _carryLength -= consumed;
            data = data[take..];
        }

        return data;
    }

    private void Carry(SessionContext context, ReadOnlySpan<byte> rest)
    {
        _carryLength = 0;
        _carryTimeNs = context.TimeNs;
        Append(rest);
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        if (_carryLength + bytes.Length > _carry.Length)
            Array.Resize(ref _carry, Math.Max(_carryLength + bytes.Length, Math.Max(256, 2 * _carry.Length)));
        bytes.CopyTo(_carry.AsSpan(_carryLength));
        _carryLength += bytes.Length;
    }

    /// <summary>Uses what was carried as it is: a segment that no terminator follows any more.</summary>
    private void FlushCarried(SessionContext context)
    {
        if (_carryLength > 0 && _place == Place.Segment)
            ReadSegment(context, _carry.AsSpan(0, Math.Min(_carryLength, Hl7Session.MaximumSegmentBytes)));
        _offset += _carryLength;
        _at = _offset;
        _carryLength = 0;
    }

    /// <summary>Parses as far as the bytes allow; returns how many are done with.</summary>
    private int Parse(SessionContext context, ReadOnlySpan<byte> bytes, int carried)
    {
        var done = 0;
        while (done < bytes.Length)
        {
            _at = _offset + done;
            _timeNs = done < carried ? _carryTimeNs : context.TimeNs;
            var rest = bytes[done..];
            var used = _place switch
            {
                Place.Between => AtBetween(context, rest),
                Place.SegmentStart => AtSegmentStart(context, rest),
                Place.Segment => InSegment(context, rest),
                Place.RestOfSegment => InRestOfSegment(rest),
                _ => InGarbage(rest),
            };
            if (used == NeedMore)
                break;
            done += used;
        }

        _offset += done;
        return done;
    }

    private SearchValues<byte> Terminators => _lineFeedEnds ? EndsSegmentOrLine : EndsSegment;

    /// <summary>The first segment shows whether LF ends segments; where CR does, LF is text.</summary>
    private void EndSegment(byte terminator)
    {
        if (!_endIsKnown && terminator is Mllp.CarriageReturn or Mllp.LineFeed)
        {
            _endIsKnown = true;
            _lineFeedEnds = terminator == Mllp.LineFeed;
        }

        _place = Place.SegmentStart;
    }

    private void OpenFrame(bool isFramed)
    {
        _inFrame = isFramed;
        _sawFrame |= isFramed;
        _frameStart = _at;
        _frameTimeNs = _timeNs;
        _nextSizeFault = Hl7Session.MaximumFrameBytes;
        _nextAgeFault = Hl7Session.MaximumFrameNs;
        _frameHasContent = _inBatch = _isQuiet = _endIsKnown = false;
        _lineFeedEnds = true;
        _place = Place.SegmentStart;
    }

    private void OpenMessage(SessionContext context)
    {
        var isFirst = _at - _frameStart <= 1;
        _message ??= context.Rent<Hl7Transaction>();
        _message.Reset();
        _message.TimeNs = isFirst ? _frameTimeNs : _timeNs;
        _message.DurationNs = -1;
        _message.Segments = 1;
        _message.Framed = _inFrame;
        _message.Batched = _inBatch;
        _messageStart = _at;
        _isOpen = true;
        _headerRead = false;
    }

    private void ReadSegment(SessionContext context, ReadOnlySpan<byte> bytes)
    {
        if (!_headerRead)
        {
            _headerRead = true;
            if (!Hl7Delimiters.TryRead(bytes, out _delimiters))
                MessageFault(context, FaultKind.BadCharacters, "MSH-1 and MSH-2 do not declare usable delimiters");
        }

        Hl7SegmentReader.Read(context, new Hl7Segment(bytes, _delimiters), _message!);
    }

    private void EndMessage(SessionContext context)
    {
        if (!_isOpen)
            return;
        _isOpen = false;
        if (!_headerRead)
            return;
        var message = _message!;
        _message = null;
        message.Bytes = _at - _messageStart;
        session.OnMessage(context, direction, message);
    }

    /// <summary>FS: the end block; the CR after it may come in another segment or, from some senders, not at all.</summary>
    private void EndFrame(SessionContext context)
    {
        if (_inFrame)
            CheckFrame(context, _at);
        if (_inFrame && !_frameHasContent)
            Fault(context, FaultKind.MissingItem, "a frame without a message");
        else if (!_inFrame && !_sawFrame)
            Fault(context, FaultKind.NoStartBlock, "a message ended with the end block (FS CR) but began without the start block (VT)");
        EndMessage(context);
        CloseFrame();
    }

    private void CloseFrame()
    {
        _inFrame = false;
        _place = Place.Between;
    }

    private void CheckFrame(SessionContext context, long end)
    {
        for (; end - _frameStart >= _nextSizeFault; _nextSizeFault *= 2)
        {
            _at = _frameStart + _nextSizeFault;
            Fault(context, FaultKind.TooLarge, "a frame grows beyond the limit without its end block (FS CR)", _nextSizeFault, Hl7Session.MaximumFrameBytes);
        }

        _at = end;
        for (; context.TimeNs - _frameTimeNs >= _nextAgeFault; _nextAgeFault *= 2)
        {
            Fault(
                context, FaultKind.NoEndBlock, "a frame stays open for long without its end block (FS CR)", _nextAgeFault / NsPerSecond,
                Hl7Session.MaximumFrameNs / NsPerSecond);
        }
    }

    /// <summary>A fault of the message itself: told once per message.</summary>
    private void MessageFault(SessionContext context, FaultKind kind, string text)
    {
        if (!_message!.Fault.IsNone)
            return;
        Fault(context, kind, text);
        _message.Fault = new Fault(kind, Layer.Hl7, (int)Math.Min(_at - _messageStart, int.MaxValue));
        _message.FaultText = text;
    }

    private void Fault(SessionContext context, FaultKind kind, string text, long required = 0, long available = 0)
    {
        var start = _inFrame || _isOpen ? _frameStart : _at;
        var fault = new Fault(kind, Layer.Hl7, (int)Math.Min(_at - start, int.MaxValue), required, available);
        if (kind == FaultKind.NoEndBlock && _isOpen && _message!.Fault.IsNone)
            (_message.Fault, _message.FaultText) = (fault, text);
        Hl7Session.OnFault(context, direction, fault, text, _isOpen && _headerRead ? _message : null, _at - start, ++(_faults ??= new int[(int)FaultKind.NoStartBlock + 1])[(int)kind]);
    }
}
