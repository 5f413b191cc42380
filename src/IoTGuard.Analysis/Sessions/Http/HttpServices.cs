using IoTGuard.Wire.Application.Http;

namespace IoTGuard.Analysis.Sessions;

/// <summary>What a request's headers tell about its service, beside its target.</summary>
internal struct HttpHints
{
    /// <summary>application/dicom, application/dicom+json, +xml, or multipart/related of them is accepted or sent.</summary>
    public bool Dicom;

    /// <summary>application/fhir+json and the older forms.</summary>
    public bool Fhir;

    /// <summary>X-Requested-With: OpenAPI, which Mirth Connect demands.</summary>
    public bool OpenApi;
    public bool Xml;
    public bool Grpc;
    public bool Soap;

    /// <summary>True when the connection has shown Orthanc before, or its port is Orthanc's.</summary>
    public bool Orthanc;
}

/// <summary>Tells from a request what is served: DICOMweb, FHIR, Orthanc, an interface engine's administration; and what is asked of it.</summary>
internal static class HttpServices
{
    /// <summary>Segments of a path that are looked at.</summary>
    private const int MaximumSegments = 16;

    /// <summary>Port of Orthanc's REST interface unless configured otherwise.</summary>
    public const ushort OrthancPort = 8042;

    private ref struct Path(ReadOnlySpan<byte> text, Span<Range> ranges)
    {
        private readonly ReadOnlySpan<byte> _text = text;
        private readonly Span<Range> _ranges = ranges;

        public int Count { get; } = Divide(text, ranges);

        public readonly ReadOnlySpan<byte> this[int index] => index >= 0 && index < Count ? _text[_ranges[index]] : default;

        private static int Divide(ReadOnlySpan<byte> text, Span<Range> ranges)
        {
            var count = 0;
            foreach (var range in text.Split((byte)'/'))
            {
                var (start, length) = range.GetOffsetAndLength(text.Length);
                if (length > 0 && count < ranges.Length)
                    ranges[count++] = start..(start + length);
            }

            return count;
        }
    }

    /// <summary>Fills in service, operation, resource, and the identifiers as pseudonyms.</summary>
    public static void Classify(SessionContext context, ReadOnlySpan<byte> path, ReadOnlySpan<byte> query, in HttpHints hints, ref HttpFacts facts)
    {
        Span<Range> ranges = stackalloc Range[MaximumSegments];
        var segments = new Path(path, ranges);
        if (hints.Grpc && segments.Count >= 2)
        {
            (facts.Service, facts.Resource, facts.Operation) = (HttpService.Grpc, context.Texts.Of(segments[segments.Count - 2]), context.Texts.Of(segments[segments.Count - 1]));
            return;
        }

        if (IsWadoUri(query))
        {
            (facts.Service, facts.Operation, facts.Resource) = (HttpService.DicomWeb, "wado_uri", "instances");
            facts.Study = Value(context, PseudonymKind.Study, query, "studyUID"u8);
            facts.Series = Value(context, PseudonymKind.Series, query, "seriesUID"u8);
            facts.Instance = Value(context, PseudonymKind.Instance, query, "objectUID"u8);
            return;
        }

        if (IsFhir(in segments, in hints))
            ReadFhir(context, in segments, query, ref facts);
        else if (IsDicomWeb(in segments, query, in hints, out var at))
            ReadDicomWeb(context, in segments, at, query, ref facts);
        else if (IsOrthanc(in segments, in hints))
            ReadOrthanc(context, in segments, ref facts);
        else if (segments[0].SequenceEqual("api"u8) && IsEngineResource(segments[1]) && (hints.OpenApi || hints.Xml))
            (facts.Service, facts.Resource, facts.Operation) = (HttpService.InterfaceEngine, context.Texts.Of(segments[1]), OperationOf(facts.Method));
    }

    private static string? OperationOf(string? method) => method switch
    {
        "GET" or "HEAD" => "read",
        "POST" => "create",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" => "delete",
        _ => null,
    };

    // --- DICOMweb, PS3.18

    private static bool IsWadoUri(ReadOnlySpan<byte> query) => query.IndexOf("requestType=WADO"u8) >= 0 && query.IndexOf("objectUID="u8) >= 0;

    private static string? LevelOf(ReadOnlySpan<byte> segment) =>
        segment.SequenceEqual("studies"u8) ? "studies" : segment.SequenceEqual("series"u8) ? "series" : segment.SequenceEqual("instances"u8) ? "instances"
        : segment.SequenceEqual("workitems"u8) ? "workitems" : null;

    private static bool IsDicomWeb(in Path path, ReadOnlySpan<byte> query, in HttpHints hints, out int at)
    {
        for (at = 0; at < path.Count; at++)
        {
            if (LevelOf(path[at]) is null)
                continue;
            var next = path[at + 1];
            if (DicomWeb.IsUid(next))
                return true;
            if (IsOrthancId(next))
                return false;
            var prefix = at == 0 ? default : path[at - 1];
            return hints.Dicom || IsPrefix(prefix) || query.IndexOf("includefield="u8) >= 0 || query.IndexOf("StudyInstanceUID="u8) >= 0 || query.IndexOf("PatientID="u8) >= 0
                || query.IndexOf("StudyDate="u8) >= 0 || query.IndexOf("00100020="u8) >= 0;
        }

        return false;
    }

    private static bool IsPrefix(ReadOnlySpan<byte> segment) =>
        segment.SequenceEqual("dicom-web"u8) || segment.SequenceEqual("dicomweb"u8) || segment.SequenceEqual("dicomWeb"u8) || segment.SequenceEqual("rs"u8) || segment.EndsWith("wado-rs"u8)
        || segment.EndsWith("qido-rs"u8) || segment.EndsWith("stow-rs"u8) || segment.EndsWith("ups-rs"u8);

    private static void ReadDicomWeb(SessionContext context, in Path path, int at, ReadOnlySpan<byte> query, ref HttpFacts facts)
    {
        facts.Service = HttpService.DicomWeb;
        var hasId = false;
        for (; at < path.Count; at++)
        {
            if (LevelOf(path[at]) is not { } level)
                break;
            facts.Resource = level;
            hasId = at + 1 < path.Count && LevelOf(path[at + 1]) is null;
            if (!hasId)
                continue;
            var id = path[++at];
            switch (level)
            {
                case "studies":
                    facts.Study = context.Pseudonyms.Of(PseudonymKind.Study, id);
                    break;
                case "series":
                    facts.Series = context.Pseudonyms.Of(PseudonymKind.Series, id);
                    break;
                case "instances":
                    facts.Instance = context.Pseudonyms.Of(PseudonymKind.Instance, id);
                    break;
            }
        }

        var part = path[at];
        facts.Operation = facts.Method switch
        {
            "DELETE" => "delete",
            "POST" when facts.Resource == "workitems" => "create",
            "POST" => "store",
            "PUT" => "update",
            _ when part.SequenceEqual("metadata"u8) => "metadata",
            _ when part.SequenceEqual("rendered"u8) => "rendered",
            _ when part.SequenceEqual("thumbnail"u8) => "thumbnail",
            _ when part.SequenceEqual("frames"u8) => "frames",
            _ when part.SequenceEqual("bulkdata"u8) => "bulkdata",
            _ => hasId ? "retrieve" : "search",
        };
        facts.IsBroad = facts.Operation == "search" && facts.Study.IsNone && facts.Series.IsNone && !HasKey(query, isFhir: false);
    }

    // --- FHIR

    private static bool IsFhir(in Path path, in HttpHints hints)
    {
        var named = hints.Fhir;
        for (var i = 0; i < path.Count; i++)
        {
            var segment = path[i];
            if (segment.SequenceEqual("fhir"u8) || segment.SequenceEqual("FHIR"u8) || segment.SequenceEqual("fhir-server"u8) || segment.StartsWith("baseR"u8) || segment.StartsWith("baseDstu"u8))
                named = true;
            else if (FhirResources.IsType(segment) && named)
                return true;
            else if (segment.SequenceEqual("$export"u8) || (named && (segment.SequenceEqual("metadata"u8) || segment[0] == '$')))
                return true;
        }

        return hints.Fhir;
    }

    private static void ReadFhir(SessionContext context, in Path path, ReadOnlySpan<byte> query, ref HttpFacts facts)
    {
        facts.Service = HttpService.Fhir;
        var at = 0;
        while (at < path.Count && !FhirResources.IsType(path[at]) && path[at][0] is not ((byte)'$' or (byte)'_') && !path[at].SequenceEqual("metadata"u8))
            at++;
        ReadOnlySpan<byte> id = default;
        if (FhirResources.IsType(path[at]))
        {
            facts.Resource = context.Texts.Of(path[at]);
            at++;
            if (at < path.Count && path[at][0] is not ((byte)'$' or (byte)'_'))
                id = path[at++];
        }

        if (!id.IsEmpty && facts.Resource == "Patient")
            facts.Patient = context.Pseudonyms.Of(PseudonymKind.Patient, id);
        else if (Find(query, "patient"u8) is { IsEmpty: false } patient)
            facts.Patient = context.Pseudonyms.Of(PseudonymKind.Patient, patient.StartsWith("Patient/"u8) ? patient["Patient/"u8.Length..] : patient);
        var part = path[at];
        if (part.SequenceEqual("$export"u8))
            facts.Operation = "export";
        else if (part.StartsWith("$"u8))
            facts.Operation = context.Texts.Of(part);
        else if (part.SequenceEqual("_history"u8))
            facts.Operation = "history";
        else if (part.SequenceEqual("metadata"u8))
            facts.Operation = "capabilities";
        else if (part.SequenceEqual("_search"u8))
            facts.Operation = "search";
        else if (facts.Resource is null)
            facts.Operation = facts.Method == "POST" ? "transaction" : null;
        else
            facts.Operation = facts.Method == "GET" && id.IsEmpty ? "search" : OperationOf(facts.Method);
        facts.IsBroad = facts.Operation == "search" && facts.Method == "GET" && !HasKey(query, isFhir: true);
    }

    // --- Orthanc

    /// <summary>Five groups of eight hexadecimal digits: the SHA-1 that Orthanc names resources by.</summary>
    private static bool IsOrthancId(ReadOnlySpan<byte> segment)
    {
        if (segment.Length != 44)
            return false;
        for (var i = 0; i < segment.Length; i++)
        {
            if (i % 9 == 8 ? segment[i] != '-' : !char.IsAsciiHexDigit((char)segment[i]))
                return false;
        }

        return true;
    }

    private static bool IsOrthanc(in Path path, in HttpHints hints)
    {
        var first = path[0];
        if (LevelOf(first) is not null || first.SequenceEqual("patients"u8))
            return hints.Orthanc || IsOrthancId(path[1]);
        if (first.SequenceEqual("tools"u8))
            return hints.Orthanc || path[1].SequenceEqual("find"u8) || path[1].SequenceEqual("lookup"u8) || path[1].SequenceEqual("execute-script"u8);
        if (first.SequenceEqual("modalities"u8))
            return true;
        return hints.Orthanc && (first.SequenceEqual("system"u8) || first.SequenceEqual("statistics"u8) || first.SequenceEqual("changes"u8) || first.SequenceEqual("exports"u8)
            || first.SequenceEqual("peers"u8) || first.SequenceEqual("jobs"u8) || first.SequenceEqual("queries"u8) || first.SequenceEqual("plugins"u8) || first.SequenceEqual("app"u8));
    }

    private static void ReadOrthanc(SessionContext context, in Path path, ref HttpFacts facts)
    {
        facts.Service = HttpService.Orthanc;
        facts.Resource = context.Texts.Of(path[0]);
        var id = path[1];
        var part = path[2];
        switch (facts.Resource)
        {
            case "tools":
                facts.Operation = context.Texts.Of(id);
                return;
            case "patients" or "studies" or "series" or "instances":
                break;
            case "modalities" or "peers" when path.Count > 2:
                facts.Operation = context.Texts.Of(part);
                return;
            default:
                facts.Operation = OperationOf(facts.Method);
                return;
        }

        if (id.IsEmpty)
        {
            facts.Operation = facts.Method == "POST" ? "store" : "list";
            facts.IsBroad = facts.Operation == "list";
            return;
        }

        switch (facts.Resource)
        {
            case "patients":
                facts.Patient = context.Pseudonyms.Of(PseudonymKind.Patient, id);
                break;
            case "studies":
                facts.Study = context.Pseudonyms.Of(PseudonymKind.Study, id);
                break;
            case "series":
                facts.Series = context.Pseudonyms.Of(PseudonymKind.Series, id);
                break;
            default:
                facts.Instance = context.Pseudonyms.Of(PseudonymKind.Instance, id);
                break;
        }

        facts.Operation = facts.Method switch
        {
            "DELETE" => "delete",
            _ when part.SequenceEqual("file"u8) || part.SequenceEqual("archive"u8) || part.SequenceEqual("media"u8) => "retrieve",
            _ when part.SequenceEqual("preview"u8) || part.StartsWith("image-"u8) || part.SequenceEqual("frames"u8) => "rendered",
            _ when part.SequenceEqual("anonymize"u8) => "anonymize",
            _ when part.SequenceEqual("modify"u8) => "modify",
            _ => "read",
        };
    }

    private static bool IsEngineResource(ReadOnlySpan<byte> segment) =>
        segment.SequenceEqual("users"u8) || segment.SequenceEqual("channels"u8) || segment.SequenceEqual("server"u8) || segment.SequenceEqual("extensions"u8)
        || segment.SequenceEqual("channelgroups"u8) || segment.SequenceEqual("codeTemplates"u8) || segment.SequenceEqual("system"u8);

    // --- Queries

    /// <summary>True when a parameter narrows the search: it has a value that is no wildcard, and is none that only formats the answer.</summary>
    private static bool HasKey(ReadOnlySpan<byte> query, bool isFhir)
    {
        foreach (var range in query.Split((byte)'&'))
        {
            var parameter = query[range];
            var end = parameter.IndexOf((byte)'=');
            if (end <= 0)
                continue;
            var name = parameter[..end];
            var value = parameter[(end + 1)..];
            var formats = isFhir
                ? name[0] == '_' && !name.SequenceEqual("_id"u8)
                : name.SequenceEqual("limit"u8) || name.SequenceEqual("offset"u8) || name.SequenceEqual("includefield"u8) || name.SequenceEqual("fuzzymatching"u8) || name.SequenceEqual("orderby"u8);
            if (!formats && !value.IsEmpty && !value.SequenceEqual("*"u8) && !value.SequenceEqual("%2A"u8) && !value.SequenceEqual("%2a"u8))
                return true;
        }

        return false;
    }

    private static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> query, ReadOnlySpan<byte> name)
    {
        foreach (var range in query.Split((byte)'&'))
        {
            var parameter = query[range];
            if (parameter.Length > name.Length && parameter[name.Length] == '=' && parameter.StartsWith(name))
                return parameter[(name.Length + 1)..];
        }

        return default;
    }

    private static Pseudonym Value(SessionContext context, PseudonymKind kind, ReadOnlySpan<byte> query, ReadOnlySpan<byte> name) => context.Pseudonyms.Of(kind, Find(query, name));
}
