using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.Dicom;

namespace IoTGuard.Analysis.Sessions;

/// <summary>A DICOM file on a connection of its own: the head is read, the rest counted. Emitted when the connection ends.</summary>
public sealed class DicomFileSession : StreamSession
{
    private readonly Side[] _sides = [new(), new()];

    private sealed class Side
    {
        public bool Started;
        public bool IsFile;
        public long TimeNs;
        public long Bytes;
        public string? SopClass;
        public string? TransferSyntax;
        public string? SourceAe;
        public string? ImplementationVersion;
        public Pseudonym Instance;
        public PreambleKind Preamble;
    }

    public override ApplicationProtocol Protocol => ApplicationProtocol.DicomFile;

    /// <summary>Certain for "DICM" behind 128 bytes; waits only for what begins like a preamble.</summary>
    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (data.Length < Part10File.MinimumBytes)
            return data.IsEmpty || Part10File.CouldBegin(data) ? ProbeResult.Unsure : ProbeResult.NotForUs;
        return Part10File.IsPart10(data) ? ProbeResult.Certain : ProbeResult.NotForUs;
    }

    public override StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        var side = _sides[(int)direction];
        if (!side.Started)
        {
            var answer = Part10File.TryRead(data, out var file);
            if (answer == Part10Answer.NeedMore && data.Length < Part10File.MinimumBytes + Part10File.MaximumMetaBytes)
                return new StreamProgress(0);
            side.Started = true;
            side.IsFile = answer != Part10Answer.Invalid && Part10File.IsPart10(data);
            if (side.IsFile)
                Read(context, side, in file);
        }

        side.Bytes += data.Length;
        return new StreamProgress(data.Length);
    }

    public override void OnGap(SessionContext context, FlowDirection direction, long bytes)
    {
        _sides[(int)direction].Started = true;
        _sides[(int)direction].Bytes += bytes;
    }

    public override void OnEnd(SessionContext context)
    {
        for (var i = 0; i < _sides.Length; i++)
        {
            var side = _sides[i];
            if (!side.IsFile)
                continue;
            context.Flow.Counters.Objects++;
            context.Flow.Counters.ObjectBytes += side.Bytes;
            var transaction = context.Begin<DicomFileTransaction>();
            transaction.DurationNs = context.TimeNs - side.TimeNs;
            transaction.TimeNs = side.TimeNs;
            transaction.Bytes = side.Bytes;
            (transaction.SopClass, transaction.TransferSyntax, transaction.SourceAe, transaction.ImplementationVersion) =
                (side.SopClass, side.TransferSyntax, side.SourceAe, side.ImplementationVersion);
            (transaction.Instance, transaction.Preamble, transaction.SentByServer) = (side.Instance, side.Preamble, i == (int)FlowDirection.FromResponder);
            context.Emit(transaction);
            side.IsFile = false;
        }
    }

    public override void Reset()
    {
        foreach (var side in _sides)
        {
            side.Started = side.IsFile = false;
            side.Bytes = 0;
        }
    }

    private static void Read(SessionContext context, Side side, in Part10File file)
    {
        side.TimeNs = context.TimeNs;
        side.SopClass = context.Texts.Of(file.SopClass);
        side.TransferSyntax = context.Texts.Of(file.TransferSyntax);
        side.SourceAe = context.Texts.Of(file.SourceAe);
        side.ImplementationVersion = context.Texts.Of(file.ImplementationVersion);
        side.Instance = context.Pseudonyms.Of(PseudonymKind.Instance, file.SopInstance);
        side.Preamble = file.Preamble;
    }
}
