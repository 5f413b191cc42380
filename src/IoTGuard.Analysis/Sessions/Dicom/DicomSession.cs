using IoTGuard.Analysis.Flows;
using IoTGuard.Wire;
using IoTGuard.Wire.Application.Dicom;

namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// The DICOM upper layer (PS3.8) and DIMSE (PS3.7) on one connection. Bulk data is skipped: of a stored object only headers and the elements
/// before the pixels are touched. State is bounded whatever the connection carries.
/// </summary>
public sealed partial class DicomSession : StreamSession
{
    /// <summary>Most presentation contexts: ids are odd bytes (PS3.8 9.3.2.2).</summary>
    public const int MaximumContexts = 128;

    /// <summary>Most faults told in <see cref="FaultWindowNs"/> of packet time; further ones are only counted.</summary>
    public const int MaximumFaultsPerWindow = 16;

    /// <summary>Window of <see cref="MaximumFaultsPerWindow"/>, ns.</summary>
    public const long FaultWindowNs = 60_000_000_000;

    /// <summary>Most bytes looked through for a PDU header after lost or foreign bytes; then the direction is ignored.</summary>
    public const long MaximumScanBytes = 16 * 1024 * 1024;

    /// <summary>Longest wrong length of a short PDU that is believed, bytes.</summary>
    private const uint MaximumPassedLength = 64 * 1024;

    private const long IgnoredBytes = 1L << 40;

    private readonly DicomAssociation _association = new();
    private readonly DicomOperationTable _operations = new();
    private readonly DicomStream[] _streams = [new(), new()];
    private long _faultWindowStartNs;
    private int _faultsInWindow;
    private bool _beginningSeen;

    public DicomSession() => Reset();

    public override ApplicationProtocol Protocol => ApplicationProtocol.Dicom;

    /// <summary>Judges the first bytes of a direction, or bytes from the middle of a connection.</summary>
    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        var atStart = DicomProbe.HeaderAt(data);
        if (atStart != ProbeResult.NotForUs)
            return atStart;
        return DicomProbe.TryFind(data, out _) ? ProbeResult.Certain : ProbeResult.NotForUs;
    }

    public override StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        var stream = _streams[(int)direction];
        var at = 0;
        while (true)
        {
            var rest = data[at..];
            switch (stream.Phase)
            {
                case DicomStreamPhase.PduStart:
                    if (rest.IsEmpty)
                        return new StreamProgress(at);
                    if (stream.PduStartNs < 0)
                        stream.PduStartNs = context.TimeNs;
                    if (rest.Length < PduHeader.Size)
                        return new StreamProgress(at, PduHeader.Size);
                    if (!stream.IsRecognised && !CanRecognise(stream, rest, out var needed))
                        return new StreamProgress(at, needed);
                    if (stream.Phase == DicomStreamPhase.PduStart)
                    {
                        at += PduHeader.Size;
                        OnPduHeader(context, direction, stream, PduHeader.Read(rest));
                    }

                    break;
                case DicomStreamPhase.PduBody:
                    if (rest.Length < stream.PduRemaining)
                        return new StreamProgress(at, (int)stream.PduRemaining);
                    at += (int)stream.PduRemaining;
                    OnPdu(context, direction, stream, rest[..(int)stream.PduRemaining]);
                    EndPdu(stream);
                    break;
                case DicomStreamPhase.PdvStart:
                    if (stream.PduRemaining == 0)
                    {
                        EndPdu(stream);
                        break;
                    }

                    if (rest.Length < PdvHeader.Size && stream.PduRemaining >= PdvHeader.Size)
                        return new StreamProgress(at, PdvHeader.Size);
                    at += OnPdvHeader(context, direction, stream, rest);
                    break;
                case DicomStreamPhase.Fragment:
                    var length = (int)Math.Min(rest.Length, stream.PdvRemaining);
                    stream.PdvRemaining -= length;
                    if (stream.IsReading)
                        OnFragment(context, direction, stream, rest[..length]);
                    else if (stream.Pixels.IsRunning)
                        stream.Pixels.Add(rest[..length]);
                    at += length;
                    if (stream.PdvRemaining > 0)
                        return SkipInFragment(context, direction, stream, at);
                    EndPdv(context, direction, stream);
                    break;
                case DicomStreamPhase.Passing:
                    var skip = stream.PduRemaining;
                    EndPdu(stream);
                    if (skip > rest.Length)
                        return new StreamProgress(at, 0, skip);
                    at += (int)skip;
                    break;
                case DicomStreamPhase.Scanning:
                    if (!Scan(stream, rest, ref at))
                        return new StreamProgress(at, Math.Min(DicomProbe.Window, data.Length - at + 1));
                    break;
                default:
                    return new StreamProgress(data.Length, 0, IgnoredBytes);
            }
        }
    }

    public override void OnGap(SessionContext context, FlowDirection direction, long bytes)
    {
        var stream = _streams[(int)direction];
        stream.HadGap = true;
        if (stream.Phase == DicomStreamPhase.Ignoring)
            return;
        // Inside a fragment nothing is ever left unconsumed, so that the place after the gap is known.
        if (bytes > 0 && stream.Phase == DicomStreamPhase.Fragment && bytes <= stream.PdvRemaining + stream.PduRemaining)
        {
            var wasCommand = stream.Pdv.IsCommand;
            LoseRestOfReading(stream);
            if (bytes <= stream.PdvRemaining)
            {
                stream.PdvRemaining -= bytes;
                if (stream.PdvRemaining == 0)
                    EndPdv(context, direction, stream);
                return;
            }

            stream.IsResynchronised |= wasCommand;
            stream.PduRemaining -= bytes - stream.PdvRemaining;
            stream.Phase = DicomStreamPhase.Passing;
            return;
        }

        LoseRestOfReading(stream);
        StartScan(stream);
    }

    public override void OnEnd(SessionContext context)
    {
        EndOperations(context);
        EndAssociation(context);
    }

    public override void Reset()
    {
        _association.Reset();
        _operations.Clear();
        foreach (var stream in _streams)
            stream.Reset();
        _faultWindowStartNs = 0;
        _faultsInWindow = 0;
        _beginningSeen = false;
    }

    private static FlowDirection Opposite(FlowDirection direction) => 1 - direction;

    private static void EndPdu(DicomStream stream)
    {
        stream.Phase = DicomStreamPhase.PduStart;
        stream.PduRemaining = 0;
        stream.PduStartNs = -1;
    }

    private static void StartScan(DicomStream stream)
    {
        stream.Phase = DicomStreamPhase.Scanning;
        stream.Scanned = 0;
        stream.PduStartNs = -1;
        stream.IsResynchronised = true;
    }

    /// <summary>After lost bytes: a command set is lost as a whole, of a data set only what would have been read of it.</summary>
    private static void LoseRestOfReading(DicomStream stream)
    {
        if (stream.Message == DicomMessagePhase.Command)
            stream.DropMessage();
        stream.StopReading();
        stream.IsResynchronised = true;
    }

    /// <summary>The first bytes of a direction may lie in the middle of a PDU. False when more bytes must come to tell.</summary>
    private static bool CanRecognise(DicomStream stream, ReadOnlySpan<byte> bytes, out int needed)
    {
        needed = Math.Min(DicomProbe.Window, bytes.Length + 1);
        var answer = DicomProbe.HeaderAt(bytes);
        if (answer == ProbeResult.Unsure && bytes.Length < DicomProbe.Window)
            return false;
        if (answer == ProbeResult.NotForUs)
            StartScan(stream);
        return true;
    }

    private static bool Scan(DicomStream stream, ReadOnlySpan<byte> bytes, ref int at)
    {
        var found = DicomProbe.TryFind(bytes, out var start);
        at += start;
        stream.Scanned += start;
        if (found)
        {
            stream.Phase = DicomStreamPhase.PduStart;
            stream.Scanned = 0;
        }
        else if (stream.Scanned > MaximumScanBytes)
        {
            stream.Phase = DicomStreamPhase.Ignoring;
            return true;
        }

        return found;
    }

    private StreamProgress SkipInFragment(SessionContext context, FlowDirection direction, DicomStream stream, int consumed)
    {
        if (stream.Pixels.IsRunning)
        {
            var passed = Math.Min(stream.PdvRemaining, stream.Pixels.Skippable);
            stream.Pixels.Skip(passed);
            stream.PdvRemaining -= passed;
            if (stream.PdvRemaining == 0)
                EndPdv(context, direction, stream);
            return new StreamProgress(consumed, 0, passed);
        }

        if (!stream.IsReading)
        {
            var rest = stream.PdvRemaining;
            stream.PdvRemaining = 0;
            EndPdv(context, direction, stream);
            return new StreamProgress(consumed, 0, rest);
        }

        var skip = Math.Min(stream.PdvRemaining, stream.Reader.Skippable);
        if (skip == 0)
            return new StreamProgress(consumed);
        stream.Reader.Skip(skip);
        stream.PdvRemaining -= skip;
        if (stream.PdvRemaining == 0)
            EndPdv(context, direction, stream);
        return new StreamProgress(consumed, 0, skip);
    }

    private void OnPduHeader(SessionContext context, FlowDirection direction, DicomStream stream, PduHeader pdu)
    {
        stream.Pdu = pdu;
        stream.PduRemaining = pdu.Length;
        stream.UnchargedHeaderBytes = PduHeader.Size;
        if (!pdu.IsKnown)
        {
            Fail(context, direction, FaultKind.Garbage, 0, (long)pdu.Type, 0, "bytes that start no PDU of the upper layer");
            stream.DropMessage();
            StartScan(stream);
            return;
        }

        context.Flow.Application = ApplicationProtocol.Dicom;
        stream.IsRecognised = true;
        stream.Phase = pdu.Type switch
        {
            PduType.DataTransfer => CheckDataTransfer(context, direction, stream, pdu),
            PduType.AssociateRequest or PduType.AssociateAccept => CheckAssociate(context, direction, pdu),
            _ => CheckShort(context, direction, pdu),
        };
        if (stream.Phase == DicomStreamPhase.Scanning)
        {
            stream.DropMessage();
            StartScan(stream);
        }
    }

    private DicomStreamPhase CheckAssociate(SessionContext context, FlowDirection direction, PduHeader pdu)
    {
        if (pdu.Length is >= AssociatePdu.FixedLength and <= DicomProbe.MaximumAssociateLength)
            return DicomStreamPhase.PduBody;
        var isShort = pdu.Length < AssociatePdu.FixedLength;
        Fail(
            context,
            direction,
            isShort ? FaultKind.BadLength : FaultKind.TooLarge,
            2,
            pdu.Length,
            isShort ? AssociatePdu.FixedLength : DicomProbe.MaximumAssociateLength,
            isShort ? "association PDU shorter than its fixed fields" : "association PDU above any sane size");
        return isShort ? DicomStreamPhase.Passing : DicomStreamPhase.Scanning;
    }

    private DicomStreamPhase CheckShort(SessionContext context, FlowDirection direction, PduHeader pdu)
    {
        if (pdu.Length == PduHeader.ShortPduLength)
            return DicomStreamPhase.PduBody;
        Fail(context, direction, FaultKind.BadLength, 2, pdu.Length, PduHeader.ShortPduLength, "reject, release or abort PDU of a wrong length");
        return pdu.Length <= MaximumPassedLength ? DicomStreamPhase.Passing : DicomStreamPhase.Scanning;
    }

    private DicomStreamPhase CheckDataTransfer(SessionContext context, FlowDirection direction, DicomStream stream, PduHeader pdu)
    {
        CheckDataState(context, direction);
        if (pdu.Length > DicomProbe.MaximumDataTransferLength)
        {
            Fail(context, direction, FaultKind.TooLarge, 2, pdu.Length, DicomProbe.MaximumDataTransferLength, "P-DATA-TF above any sane size");
            return DicomStreamPhase.Scanning;
        }

        if (pdu.Length < PduHeader.MinimumDataTransferLength)
        {
            Fail(context, direction, FaultKind.BadLength, 2, pdu.Length, PduHeader.MinimumDataTransferLength, "P-DATA-TF too short for a presentation data value");
            return DicomStreamPhase.Passing;
        }

        // PS3.8 D.1 limits the PDU-length; some senders count the header too and some receivers do not.
        var maximum = direction == _association.Requestor ? _association.AcceptorMaximumLength : _association.RequestorMaximumLength;
        if (maximum > 0 && pdu.Length > maximum + PduHeader.Size && !stream.OverlongTold && !_association.IsPartial)
        {
            stream.OverlongTold = true;
            Fail(context, direction, FaultKind.TooLarge, 2, pdu.Length, maximum, "P-DATA-TF above the maximum length that the receiver asked for");
        }

        return DicomStreamPhase.PdvStart;
    }

    private void OnPdu(SessionContext context, FlowDirection direction, DicomStream stream, ReadOnlySpan<byte> body)
    {
        switch (stream.Pdu.Type)
        {
            case PduType.AssociateRequest:
                OnAssociateRequest(context, direction, stream, body);
                break;
            case PduType.AssociateAccept:
                OnAssociateAccept(context, direction, stream, body);
                break;
            case PduType.AssociateReject:
                OnAssociateReject(context, direction, stream, body);
                break;
            case PduType.ReleaseRequest:
                OnReleaseRequest(context, direction, stream);
                break;
            case PduType.ReleaseResponse:
                OnReleaseResponse(context, direction, stream);
                break;
            default:
                OnAbort(context, direction, stream, body);
                break;
        }
    }

    /// <summary>Tells a fault, within the limit of the window, and counts it.</summary>
    private void Fail(SessionContext context, FlowDirection sender, FaultKind kind, int offset, long required, long available, string text)
    {
        context.Flow.Counters.Faults++;
        if (context.TimeNs - _faultWindowStartNs > FaultWindowNs)
        {
            _faultWindowStartNs = context.TimeNs;
            _faultsInWindow = 0;
        }

        if (_faultsInWindow++ >= MaximumFaultsPerWindow)
            return;
        var transaction = BeginEvent(context, DicomEvent.Fault);
        transaction.Fault = new Fault(kind, Layer.Dicom, offset, required, available);
        transaction.FaultText = text;
        transaction.SentByServer = sender != _association.Requestor;
        context.Emit(transaction);
    }

    /// <summary>True when a missing piece may be due to lost bytes or a late start rather than to the sender.</summary>
    private bool MayHaveMissed(SessionContext context) => _association.IsPartial || _streams[0].HadGap || _streams[1].HadGap
        || (!_beginningSeen && context.Flow.FromOriginator.Syn + context.Flow.FromResponder.Syn == 0) || IsOneSided(context.Flow);

    /// <summary>A mirror port that carries one direction shows requests without answers, or answers without requests.</summary>
    private static bool IsOneSided(in FlowRecord flow) => (flow.FromOriginator.Packets == 0) != (flow.FromResponder.Packets == 0);
}
