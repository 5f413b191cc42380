using System.Buffers;
using IoTGuard.Wire.Application.Dicom;

namespace IoTGuard.Analysis.Sessions;

/// <summary>Makes a path or a query fit to be told: identifiers become {id} and {uid}, values of parameters are left out.</summary>
internal static class HttpPath
{
    /// <summary>Longest shape in bytes; the rest becomes "*".</summary>
    public const int MaximumShapeBytes = 120;

    /// <summary>Longest segment without digits that is shown.</summary>
    private const int MaximumWordBytes = 40;

    private const int MaximumNameBytes = 32;

    private static readonly SearchValues<byte> Word = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-$~"u8);
    private static readonly SearchValues<byte> Digits = SearchValues.Create("0123456789"u8);
    private static readonly SearchValues<byte> VersionDigits = SearchValues.Create("0123456789."u8);
    private static readonly SearchValues<byte> Name = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-$:[]"u8);
    private static readonly SearchValues<byte> LowerCase = SearchValues.Create("abcdefghijklmnopqrstuvwxyz-_"u8);

    /// <summary>Words with digits that are no identifiers.</summary>
    private static readonly byte[][] Known =
    [
        .. new[] { "api2", "oauth2", "hl7v2", "fhir4", "baseR4", "baseR5", "baseR4B", "baseDstu2", "baseDstu3", "stu3", "dstu2", "STU3", "R4B", "utf8", "base64", "web2" }
            .Select(System.Text.Encoding.ASCII.GetBytes),
    ];

    /// <summary>Segments behind which an identifier stands, even when it has only letters.</summary>
    private static readonly byte[][] Owners =
    [
        .. new[] { "patients", "patient", "persons", "person", "studies", "study", "series", "instances", "instance", "users", "user", "accounts", "worklist", "frames", "bulkdata" }
            .Select(System.Text.Encoding.ASCII.GetBytes),
    ];

    /// <summary>The path with identifiers replaced.</summary>
    public static string? ShapeOf(SessionContext context, ReadOnlySpan<byte> path)
    {
        Span<byte> shape = stackalloc byte[MaximumShapeBytes + MaximumWordBytes + 8];
        var length = 0;
        var isOwned = false;
        for (var rest = path; !rest.IsEmpty;)
        {
            if (length > MaximumShapeBytes)
            {
                shape[length++] = (byte)'*';
                break;
            }

            if (rest[0] == '/')
            {
                shape[length++] = (byte)'/';
                rest = rest[1..];
                continue;
            }

            var end = rest.IndexOf((byte)'/');
            var segment = end < 0 ? rest : rest[..end];
            rest = rest[segment.Length..];
            var shown = isOwned && segment[0] is not ((byte)'$' or (byte)'_') && !IsPart(segment) ? (DicomWeb.IsUid(segment) ? "{uid}"u8 : "{id}"u8) : ShapeOfSegment(segment);
            shown.CopyTo(shape[length..]);
            length += shown.Length;
            isOwned = IsOwner(segment) || FhirResources.IsType(segment);
        }

        return context.Texts.Of(shape[..length]);
    }

    /// <summary>The names of the parameters of a query, joined by an ampersand.</summary>
    public static string? NamesOf(SessionContext context, ReadOnlySpan<byte> query)
    {
        Span<byte> names = stackalloc byte[MaximumShapeBytes + MaximumNameBytes + 8];
        var length = 0;
        foreach (var range in query.Split((byte)'&'))
        {
            var parameter = query[range];
            if (parameter.IsEmpty)
                continue;
            var end = parameter.IndexOf((byte)'=');
            var name = end < 0 ? parameter : parameter[..end];
            // Without a value it may be one.
            var isName = !name.IsEmpty && name.Length <= MaximumNameBytes && !name.ContainsAnyExcept(end < 0 ? LowerCase : Name)
                && (name.IndexOfAny(Digits) < 0 || DicomWeb.IsTagOrShort(name));
            if (length > 0)
                names[length++] = (byte)'&';
            var shown = isName ? name : "{value}"u8;
            shown.CopyTo(names[length..]);
            length += shown.Length;
            if (length > MaximumShapeBytes)
                break;
        }

        return context.Texts.Of(names[..length]);
    }

    /// <summary>Names of parts of an object, which are no identifiers though they stand behind one's owner.</summary>
    private static bool IsPart(ReadOnlySpan<byte> segment) =>
        segment.SequenceEqual("metadata"u8) || segment.SequenceEqual("rendered"u8) || segment.SequenceEqual("thumbnail"u8) || segment.SequenceEqual("login"u8)
        || segment.SequenceEqual("search"u8) || segment.SequenceEqual("current"u8) || segment.SequenceEqual("series"u8) || segment.SequenceEqual("instances"u8)
        || segment.SequenceEqual("studies"u8);

    private static bool IsOwner(ReadOnlySpan<byte> segment)
    {
        foreach (var owner in Owners)
        {
            if (segment.SequenceEqual(owner))
                return true;
        }

        return false;
    }

    private static ReadOnlySpan<byte> ShapeOfSegment(ReadOnlySpan<byte> segment)
    {
        if (segment.ContainsAnyExcept(Word))
            return "{id}"u8;
        if (DicomWeb.IsUid(segment))
            return "{uid}"u8;
        if (segment.IndexOfAny(Digits) < 0)
            return segment.Length <= MaximumWordBytes ? segment : "{id}"u8;
        return IsVersion(segment) || IsKnown(segment) ? segment : "{id}"u8;
    }

    /// <summary>v1, v2.1, R4.</summary>
    private static bool IsVersion(ReadOnlySpan<byte> segment) =>
        segment.Length <= 4 && segment[0] is (byte)'v' or (byte)'V' or (byte)'R' or (byte)'r' && segment.Length > 1 && !segment[1..].ContainsAnyExcept(VersionDigits);

    private static bool IsKnown(ReadOnlySpan<byte> segment)
    {
        foreach (var known in Known)
        {
            if (segment.SequenceEqual(known))
                return true;
        }

        return false;
    }
}

/// <summary>The resource types of FHIR that carry patients' data, or are asked for most.</summary>
internal static class FhirResources
{
    private static readonly byte[][] Types =
    [
        .. new[]
        {
            "Patient", "Observation", "ImagingStudy", "DiagnosticReport", "DocumentReference", "Encounter", "Condition", "Procedure", "MedicationRequest", "MedicationStatement",
            "MedicationAdministration", "AllergyIntolerance", "Immunization", "CarePlan", "CareTeam", "Claim", "Coverage", "Device", "DeviceMetric", "DeviceRequest", "ServiceRequest",
            "Specimen", "Practitioner", "PractitionerRole", "Organization", "Location", "Person", "RelatedPerson", "Group", "List", "Binary", "Bundle", "Composition", "Media",
            "Appointment", "Schedule", "Slot", "Task", "Questionnaire", "QuestionnaireResponse", "Subscription", "AuditEvent", "Provenance", "Consent", "Endpoint", "Medication",
            "FamilyMemberHistory", "Goal", "NutritionOrder", "RiskAssessment", "Account", "ExplanationOfBenefit", "Flag", "Communication", "CommunicationRequest", "ValueSet",
            "CodeSystem", "StructureDefinition", "CapabilityStatement", "OperationOutcome", "MessageHeader", "HealthcareService", "EpisodeOfCare", "Parameters", "BodyStructure",
        }.Select(System.Text.Encoding.ASCII.GetBytes),
    ];

    public static bool IsType(ReadOnlySpan<byte> segment)
    {
        if (segment.Length < 4 || segment[0] is < (byte)'A' or > (byte)'V')
            return false;
        foreach (var type in Types)
        {
            if (segment.SequenceEqual(type))
                return true;
        }

        return false;
    }
}

/// <summary>How DICOMweb writes identifiers and attributes.</summary>
internal static class DicomWeb
{
    private static readonly SearchValues<byte> HexDigits = SearchValues.Create("0123456789abcdefABCDEF"u8);

    /// <summary>Digits and dots, with at least three components: a UID, not a number or a version.</summary>
    public static bool IsUid(ReadOnlySpan<byte> segment) =>
        segment.Length is > 4 and <= DicomText.MaximumUidLength && segment[0] is >= (byte)'0' and <= (byte)'9' && segment.Count((byte)'.') >= 2 && DicomText.IsUid(segment);

    /// <summary>An attribute as eight hexadecimal digits ("00100020"), or a short name that begins with letters.</summary>
    public static bool IsTagOrShort(ReadOnlySpan<byte> name) =>
        (name.Length == 8 && name[0] == '0' && !name.ContainsAnyExcept(HexDigits))
        || (name.Length is > 1 and <= 12 && char.IsAsciiLetter((char)name[0]) && char.IsAsciiLetter((char)name[1]));
}
