using IoTGuard.Wire;
using IoTGuard.Wire.Application.Hl7;

namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// The places that a reader can be in. Each method looks at the bytes from the reader's place on and returns how many are done with,
/// possibly none after it moved on to another place, or that it needs more.
/// </summary>
internal sealed partial class Hl7Reader
{
    private enum Place : byte
    {
        /// <summary>Where a frame or a bare message may start.</summary>
        Between,

        /// <summary>Where a segment may start, in a frame or a bare message.</summary>
        SegmentStart,

        /// <summary>In a segment that is read whole.</summary>
        Segment,

        /// <summary>In a segment of which nothing more is wanted.</summary>
        RestOfSegment,

        /// <summary>In bytes that are no HL7; searching for the next start.</summary>
        Garbage,
    }

    private int AtBetween(SessionContext context, ReadOnlySpan<byte> rest)
    {
        switch (rest[0])
        {
            case Mllp.StartBlock:
                OpenFrame(isFramed: true);
                return 1;
            case Mllp.CarriageReturn or Mllp.LineFeed or Mllp.EndBlock or 0:
                return 1;
        }

        var isMessage = Hl7SegmentId.StartsBareMessage(rest);
        if (isMessage is null)
            return NeedMore;
        if (isMessage is true)
        {
            OpenFrame(isFramed: false);
            if (_sawFrame)
                Fault(context, FaultKind.NoStartBlock, "a message began without the start block (VT) on a connection that uses it");
            return 0;
        }

        if (!_isQuiet)
            Fault(context, FaultKind.Garbage, "bytes between frames that are no HL7 message");
        _place = Place.Garbage;
        return 0;
    }

    private int AtSegmentStart(SessionContext context, ReadOnlySpan<byte> rest)
    {
        switch (rest[0])
        {
            case Mllp.CarriageReturn or Mllp.LineFeed:
                return 1;
            case Mllp.EndBlock:
                EndFrame(context);
                return 1;
            case Mllp.StartBlock:
                return AtStartBlockInFrame(context, rest);
            case Mllp.CommitAcknowledgement or Mllp.NegativeCommitAcknowledgement when _inFrame && !_frameHasContent:
                return AtCommitAcknowledgement(context, rest);
        }

        if (rest.Length <= Hl7SegmentId.Length && !rest.ContainsAny(EndsSegmentOrLine))
            return NeedMore;
        if (!_isOpen && rest is [0xEF, 0xBB, 0xBF, ..])
            return 3; // a byte order mark
        return BeginSegment(context, rest);
    }

    private int BeginSegment(SessionContext context, ReadOnlySpan<byte> rest)
    {
        _frameHasContent = true;
        _scanned = 0;
        var id = Hl7SegmentId.Read(rest);
        switch (id)
        {
            case Hl7SegmentId.Msh when Hl7Delimiters.IsPunctuation(rest[Hl7SegmentId.Length]):
                EndMessage(context);
                OpenMessage(context);
                _place = Place.Segment;
                return 0;
            case Hl7SegmentId.Fhs or Hl7SegmentId.Bhs or Hl7SegmentId.Bts or Hl7SegmentId.Fts:
                EndMessage(context);
                _inBatch = id is Hl7SegmentId.Fhs or Hl7SegmentId.Bhs;
                _place = Place.RestOfSegment;
                return Hl7SegmentId.Length;
        }

        if (!_isOpen)
        {
            Fault(context, FaultKind.Garbage, "a frame does not begin with MSH, FHS or BHS");
            CloseFrame();
            _place = Place.Garbage;
            return 0;
        }

        _message!.Segments++;
        if (id == 0 || (rest[Hl7SegmentId.Length] != _delimiters.Field && !EndsSegmentOrLine.Contains(rest[Hl7SegmentId.Length])))
            MessageFault(context, FaultKind.BadCharacters, "a segment has no valid id or does not use the field separator that MSH-1 declares");
        if (id == Hl7SegmentId.Obx)
            _message.Observations++;
        else if (id == Hl7SegmentId.Obr)
            _message.Orders++;
        _place = Hl7SegmentReader.Wants(id) ? Place.Segment : Place.RestOfSegment;
        return 0;
    }

    private int AtStartBlockInFrame(SessionContext context, ReadOnlySpan<byte> rest)
    {
        switch (Mllp.StartsFrame(rest[1..]))
        {
            case null:
                return NeedMore;
            case false:
                return 1;
        }

        if (_inFrame)
            Fault(context, FaultKind.NoEndBlock, "a new frame began before the end block (FS CR) of the one before");
        EndMessage(context);
        CloseFrame();
        return 0;
    }

    private int AtCommitAcknowledgement(SessionContext context, ReadOnlySpan<byte> rest)
    {
        if (rest.Length < 2)
            return NeedMore;
        _frameHasContent = true;
        if (rest[1] != Mllp.EndBlock)
        {
            Fault(context, FaultKind.Garbage, "a frame does not begin with MSH, FHS or BHS");
            CloseFrame();
            _place = Place.Garbage;
            return 0;
        }

        var acknowledgement = context.Rent<Hl7Transaction>();
        acknowledgement.Reset();
        (acknowledgement.TimeNs, acknowledgement.DurationNs) = (_frameTimeNs, -1);
        session.OnCommitAcknowledgement(context, direction, rest[0] == Mllp.CommitAcknowledgement, acknowledgement);
        return 1;
    }

    private int InSegment(SessionContext context, ReadOnlySpan<byte> rest)
    {
        var end = _scanned;
        while (true)
        {
            var found = rest[end..].IndexOfAny(Terminators);
            end = found < 0 ? rest.Length : end + found;
            if (found < 0 || end >= Hl7Session.MaximumSegmentBytes || rest[end] != Mllp.StartBlock)
                break;
            var startsFrame = Mllp.StartsFrame(rest[(end + 1)..]);
            if (startsFrame is true)
                break;
            if (startsFrame is null)
            {
                _scanned = end;
                return NeedMore;
            }

            end++;
        }

        if (end == rest.Length && end < Hl7Session.MaximumSegmentBytes)
        {
            _scanned = end;
            return NeedMore;
        }

        var length = Math.Min(end, Hl7Session.MaximumSegmentBytes);
        ReadSegment(context, rest[..length]);
        if (end <= Hl7Session.MaximumSegmentBytes && end < rest.Length)
            EndSegment(rest[end]);
        else
            _place = Place.RestOfSegment;
        return length;
    }

    private int InRestOfSegment(ReadOnlySpan<byte> rest)
    {
        var end = rest.IndexOfAny(Terminators);
        if (end < 0)
            return rest.Length;
        if (rest[end] == Mllp.StartBlock)
        {
            switch (Mllp.StartsFrame(rest[(end + 1)..]))
            {
                case null:
                    return end == 0 ? NeedMore : end;
                case false:
                    return end + 1;
            }
        }

        EndSegment(rest[end]);
        return end;
    }

    private int InGarbage(ReadOnlySpan<byte> rest)
    {
        var start = rest.IndexOfAny(Mllp.StartBlock, Mllp.CarriageReturn);
        if (start < 0)
            return rest.Length;
        var after = rest[(start + 1)..];
        var isFrame = rest[start] == Mllp.StartBlock;
        switch (isFrame ? Mllp.StartsFrame(after) : Hl7SegmentId.StartsBareMessage(after))
        {
            case null:
                return start == 0 ? NeedMore : start;
            case false:
                return start + 1;
        }

        _place = Place.Between;
        return isFrame ? start : start + 1;
    }
}
