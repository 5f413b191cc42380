using IoTGuard.Wire.Application.Dicom;
using IoTGuard.Wire.Application.Files;

namespace IoTGuard.Analysis.Sessions;

/// <summary>What the first bytes of a body, or of a part of one, tell.</summary>
internal static class HttpContent
{
    /// <summary>Bytes of a body or part that are looked at: room for a DICOM file's meta information.</summary>
    public const int SniffBytes = 1536;

    /// <summary>Takes over what a whole body begins with.</summary>
    public static void OfBody(SessionContext context, bool isRequest, ReadOnlySpan<byte> head, ref HttpFacts facts)
    {
        var kind = FileKinds.Of(head);
        if (isRequest)
            facts.RequestContent = kind;
        else
            facts.ResponseContent = kind;
        switch (kind)
        {
            case FileKind.Dicom:
                OfDicom(context, head, ref facts);
                break;
            case FileKind.Hl7 when facts.Service == HttpService.None:
                facts.Service = HttpService.Hl7;
                break;
            case FileKind.Xml when isRequest:
                if (facts.Sign == WebSign.None)
                    facts.Sign = HttpSigns.OfXml(head);
                if (facts.RequestType == "application/soap+xml" || (facts.RequestType == "text/xml" && facts.Operation is null))
                    HttpHeaders.OfSoapAction(context, SoapEnvelope.ActionOf(head), ref facts);
                break;
        }
    }

    /// <summary>Takes over what a part of a multipart body begins with.</summary>
    public static void OfPart(SessionContext context, bool isRequest, ReadOnlySpan<byte> head, ref HttpFacts facts)
    {
        var kind = FileKinds.Of(head);
        if (kind == FileKind.Dicom)
            OfDicom(context, head, ref facts);
        ref var content = ref isRequest ? ref facts.RequestContent : ref facts.ResponseContent;
        if (content == FileKind.Unknown || FileKinds.IsExecutable(kind))
            content = kind;
    }

    private static void OfDicom(SessionContext context, ReadOnlySpan<byte> head, ref HttpFacts facts)
    {
        if (Part10File.TryRead(head, out var file) == Part10Answer.Invalid)
            return;
        context.Flow.Counters.Objects++;
        if (facts.Objects++ == 0)
        {
            facts.SopClass = context.Texts.Of(file.SopClass);
            facts.TransferSyntax = context.Texts.Of(file.TransferSyntax);
            facts.SourceAe = context.Texts.Of(file.SourceAe);
            facts.Preamble = file.Preamble;
        }
        else if (Part10File.IsExecutable(file.Preamble) || facts.Preamble == PreambleKind.Zero)
        {
            facts.Preamble = file.Preamble;
        }
    }
}
