using System.Buffers;
using System.Numerics;
using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.Lis;

namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// Laboratory instruments over TCP: frames of LIS01-A2 (ASTM E1381) or bare records, with messages of LIS02-A2 (ASTM E1394) in them. A message is emitted at its terminator
/// record, at the end of the transmission (EOT), or when the connection ends.
/// </summary>
public sealed class LisSession : StreamSession
{
    /// <summary>Longest frame or bare record in bytes (LIS01-A2 6.3: 64,000 characters).</summary>
    public const int MaximumFrameBytes = 65_536;

    /// <summary>Bytes of a record that are read; the rest is counted.</summary>
    public const int MaximumRecordBytes = 512;

    /// <summary>Faults of one kind and connection that are all emitted; of later ones only the 2ⁿth.</summary>
    public const int FaultsInFull = 4;

    private static readonly SearchValues<byte> FrameEnds = SearchValues.Create([LisFrame.EndOfText, LisFrame.EndOfBlock]);
    private static readonly SearchValues<byte> Starts =
        SearchValues.Create([LisFrame.StartOfText, LisFrame.Enquiry, LisFrame.Acknowledge, LisFrame.NegativeAcknowledge, LisFrame.EndOfTransmission, (byte)'\r', (byte)'\n']);

    private readonly LisReader[] _sides = [new(), new()];
    private readonly int[] _faults = new int[(int)LisFault.NoTerminator + 1];

    public override ApplicationProtocol Protocol => ApplicationProtocol.Lis;

    /// <summary>Certain for a frame, or a bare record, that is a header (ENQ and answers to it may come before).</summary>
    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        var rest = data.TrimStart([LisFrame.Enquiry, LisFrame.Acknowledge, LisFrame.NegativeAcknowledge, LisFrame.EndOfTransmission]);
        if (data.Length - rest.Length > 8)
            return ProbeResult.NotForUs;
        if (rest.IsEmpty)
            return ProbeResult.Unsure;
        if (rest[0] == LisFrame.StartOfText)
        {
            if (rest.Length == 1)
                return ProbeResult.Unsure;
            if (rest[1] is < (byte)'0' or > (byte)'7')
                return ProbeResult.NotForUs;
            rest = rest[2..];
        }
        else if (rest.Length != data.Length)
        {
            return ProbeResult.NotForUs;
        }

        return LisFrame.StartsHeader(rest) switch { true => ProbeResult.Certain, false => ProbeResult.NotForUs, _ => ProbeResult.Unsure };
    }

    public override StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        var side = _sides[(int)direction];
        var at = 0;
        while (at < data.Length)
        {
            var rest = data[at..];
            var used = rest[0] switch
            {
                LisFrame.StartOfText => OnFrame(context, direction, side, rest),
                LisFrame.Enquiry => OnEnquiry(context, side),
                LisFrame.EndOfTransmission => OnEndOfTransmission(context, direction, side),
                LisFrame.Acknowledge => 1,
                LisFrame.NegativeAcknowledge => OnRefusal(context, direction),
                (byte)'\r' or (byte)'\n' => 1,
                _ => OnBare(context, direction, side, rest),
            };
            if (used == 0)
                return new StreamProgress(at);
            at += used;
            side.Scanned = 0;
        }

        return new StreamProgress(at);
    }

    public override void OnGap(SessionContext context, FlowDirection direction, long bytes)
    {
        var side = _sides[(int)direction];
        side.Scanned = 0;
        side.NextFrame = -1;
        side.Abandon();
    }

    public override void OnEnd(SessionContext context)
    {
        for (var i = 0; i < _sides.Length; i++)
        {
            if (_sides[i].IsOpen)
                Close(context, (FlowDirection)i, _sides[i], LisFault.NoTerminator);
        }
    }

    public override void Reset()
    {
        foreach (var side in _sides)
            side.Reset();
        Array.Clear(_faults);
    }

    private static int OnEnquiry(SessionContext context, LisReader side)
    {
        side.EnquiryNs = context.TimeNs;
        side.NextFrame = 1;
        return 1;
    }

    private static int OnEndOfTransmission(SessionContext context, FlowDirection direction, LisReader side)
    {
        if (side.IsOpen)
            Close(context, direction, side, LisFault.NoTerminator);
        side.EnquiryNs = 0;
        side.NextFrame = -1;
        return 1;
    }

    private int OnRefusal(SessionContext context, FlowDirection direction)
    {
        var sender = _sides[1 - (int)direction];
        context.Flow.Counters.Failures++;
        if (sender.IsOpen)
            sender.Facts.Refused++;
        // The same frame comes again.
        sender.Repeats();
        Fault(context, (FlowDirection)(1 - (int)direction), LisFault.Refused);
        return 1;
    }

    private int OnFrame(SessionContext context, FlowDirection direction, LisReader side, ReadOnlySpan<byte> rest)
    {
        var from = Math.Max(side.Scanned, 1);
        var found = rest[from..].IndexOfAny(FrameEnds);
        var end = found < 0 ? rest.Length : from + found;
        if (end > MaximumFrameBytes)
        {
            Fault(context, direction, LisFault.FrameTooLarge);
            side.Abandon();
            return 1;
        }

        if (found < 0 || rest.Length < end + LisFrame.TrailerBytes)
        {
            side.Scanned = found < 0 ? rest.Length : end;
            return 0;
        }

        side.Facts.Frames++;
        var number = rest[1] - '0';
        var isGood = LisFrame.TryReadChecksum(rest[(end + 1)..], out var checksum) && checksum == LisFrame.ChecksumOf(rest[1..(end + 1)]);
        if (!isGood)
            Fault(context, direction, LisFault.BadChecksum);
        else if (number is < 0 or > 7 || (side.NextFrame >= 0 && number != side.NextFrame && number != side.LastFrame))
            Fault(context, direction, LisFault.BadFrameNumber);
        side.Begin(number);
        // A refused frame comes again: only the good copy counts.
        if (isGood && end > 2)
            OnText(context, direction, side, rest[2..end], rest[end] == LisFrame.EndOfText);
        return end + LisFrame.TrailerBytes;
    }

    private static void OnText(SessionContext context, FlowDirection direction, LisReader side, ReadOnlySpan<byte> text, bool isLast)
    {
        while (!text.IsEmpty)
        {
            var end = text.IndexOf((byte)'\r');
            side.Append(end < 0 ? text : text[..end]);
            if (end < 0)
                break;
            EndRecord(context, direction, side, framed: true);
            text = text[(end + 1)..];
        }

        if (isLast)
            EndRecord(context, direction, side, framed: true);
    }

    /// <summary>A record without a frame, or bytes that are none.</summary>
    private int OnBare(SessionContext context, FlowDirection direction, LisReader side, ReadOnlySpan<byte> rest)
    {
        var isRecord = side.IsOpen && !side.Facts.Framed ? char.IsAsciiLetterUpper((char)rest[0]) : LisFrame.StartsHeader(rest);
        if (isRecord is null)
            return 0;
        if (isRecord is false)
        {
            var next = rest[1..].IndexOfAny(Starts);
            Fault(context, direction, LisFault.Garbage);
            return next < 0 ? rest.Length : next + 1;
        }

        var found = rest[side.Scanned..].IndexOfAny((byte)'\r', (byte)'\n');
        var end = found < 0 ? rest.Length : side.Scanned + found;
        if (end > MaximumFrameBytes)
        {
            Fault(context, direction, LisFault.FrameTooLarge);
            side.Abandon();
            return end;
        }

        if (found < 0)
        {
            side.Scanned = end;
            return 0;
        }

        side.Append(rest[..end]);
        EndRecord(context, direction, side, framed: false);
        return end + 1;
    }

    private static void EndRecord(SessionContext context, FlowDirection direction, LisReader side, bool framed)
    {
        if (side.StartsHeader)
        {
            if (side.IsOpen)
                Close(context, direction, side, LisFault.NoTerminator);
            side.Open(context.TimeNs, framed);
        }

        if (side.EndRecord(context))
            Close(context, direction, side, LisFault.None);
    }

    private static void Close(SessionContext context, FlowDirection direction, LisReader side, LisFault fault)
    {
        if (fault != LisFault.None && side.Facts.Fault == LisFault.None)
            side.Facts.Fault = fault;
        ref var counters = ref context.Flow.Counters;
        counters.Requests++;
        counters.Objects += side.Facts.Results;
        counters.ObjectBytes += side.Bytes;
        var transaction = context.Begin<LisTransaction>(direction);
        transaction.Facts = side.Facts;
        transaction.TimeNs = side.StartNs;
        transaction.DurationNs = context.TimeNs - side.StartNs;
        transaction.Bytes = side.Bytes;
        transaction.Claim(transaction.Client, ClaimKind.Class, side.Facts.Sender);
        side.Abandon();
        context.Emit(transaction);
    }

    private void Fault(SessionContext context, FlowDirection direction, LisFault fault)
    {
        context.Flow.Counters.Faults++;
        var side = _sides[(int)direction];
        if (side.IsOpen && side.Facts.Fault == LisFault.None && fault != LisFault.Refused)
            side.Facts.Fault = fault;
        var occurrence = ++_faults[(int)fault];
        if (occurrence > FaultsInFull && !BitOperations.IsPow2(occurrence))
            return;
        var transaction = context.Begin<LisTransaction>(direction);
        transaction.Event = LisEvent.Fault;
        if (side.IsOpen)
            transaction.Facts = side.Facts;
        transaction.Facts.Fault = fault;
        context.Emit(transaction);
    }
}
