using System.Text;
using IoTGuard.Wire.Application.Http;

namespace IoTGuard.Analysis.Sessions;

/// <summary>Takes over what header fields and targets say. HTTP/1 and HTTP/2 alike.</summary>
internal static class HttpHeaders
{
    /// <summary>Credentials that products ship with, as basic authentication sends them: orthanc:orthanc, admin:admin, admin:password, root:root, admin:, user:user.</summary>
    private static readonly byte[][] DefaultCredentials =
        [.. new[] { "orthanc:orthanc", "admin:admin", "admin:password", "root:root", "admin:", "user:user", "mirth:mirth", "guest:guest" }
            .Select(static c => Encoding.ASCII.GetBytes(Convert.ToBase64String(Encoding.ASCII.GetBytes(c))))];

    /// <summary>A field of a request.</summary>
    public static void OfRequest(SessionContext context, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, ref HttpFacts facts, ref HttpHints hints)
    {
        if (facts.Sign == WebSign.None)
            facts.Sign = HttpSigns.OfHeader(value);
        switch (name.Length)
        {
            case 4 when Is(name, "host"u8):
                facts.Host ??= context.Texts.Of(value);
                break;
            case 6 when Is(name, "accept"u8):
                NoteType(value, ref hints);
                break;
            case 6 when Is(name, "cookie"u8) && facts.Authentication == HttpAuthentication.None:
                facts.Authentication = HttpAuthentication.Cookie;
                break;
            case 7 when Is(name, "upgrade"u8):
                facts.Upgrade = context.Texts.Of(value);
                break;
            case 9 when Is(name, "x-api-key"u8):
            case 12 when Is(name, "x-auth-token"u8):
            case 15 when Is(name, "x-authorization"u8):
                facts.Authentication = HttpAuthentication.ApiKey;
                break;
            case 10 when Is(name, "user-agent"u8):
                facts.UserAgent = context.Texts.Of(value);
                break;
            case 10 when Is(name, "soapaction"u8):
                hints.Soap = true;
                OfSoapAction(context, value.Trim("\""u8), ref facts);
                break;
            case 12 when Is(name, "content-type"u8):
                facts.RequestType = TypeOf(context, value);
                NoteType(value, ref hints);
                hints.Grpc |= value.StartsWith("application/grpc"u8);
                hints.Xml |= value.IndexOf("xml"u8) >= 0;
                break;
            case 13 when Is(name, "authorization"u8):
                facts.Authentication = KindOf(value);
                facts.DefaultCredentials = facts.Authentication == HttpAuthentication.Basic && IsDefault(value);
                break;
            case 16 when Is(name, "x-requested-with"u8):
                hints.OpenApi |= value.SequenceEqual("OpenAPI"u8);
                break;
        }
    }

    /// <summary>A field of a response.</summary>
    public static void OfResponse(SessionContext context, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, ref HttpFacts facts)
    {
        switch (name.Length)
        {
            case 6 when Is(name, "server"u8):
                facts.Server = context.Texts.Of(value);
                break;
            case 7 when Is(name, "upgrade"u8):
                facts.Upgrade = context.Texts.Of(value);
                break;
            case 12 when Is(name, "content-type"u8):
                facts.ResponseType = TypeOf(context, value);
                if (facts.Service == HttpService.None && (facts.ResponseType is "application/fhir+json" or "application/fhir+xml"))
                    facts.Service = HttpService.Fhir;
                break;
            case 16 when Is(name, "www-authenticate"u8) && facts.Challenge == HttpAuthentication.None:
                facts.Challenge = KindOf(value);
                break;
        }
    }

    /// <summary>The target of a request, once all its headers are known.</summary>
    public static void OfTarget(SessionContext context, ReadOnlySpan<byte> target, in HttpHints hints, ref HttpFacts facts)
    {
        if (facts.Sign == WebSign.None)
            facts.Sign = HttpSigns.OfTarget(target);
        if (facts.Method == "CONNECT")
        {
            facts.Host ??= context.Texts.Of(target);
            return;
        }

        var scheme = target.IndexOf("://"u8);
        if (scheme is > 0 and < 8 && target[0] != '/')
        {
            var authority = target[(scheme + 3)..];
            var end = authority.IndexOfAny((byte)'/', (byte)'?');
            target = end < 0 ? "/"u8 : authority[end..];
            authority = end < 0 ? authority : authority[..end];
            facts.Host ??= context.Texts.Of(authority[(authority.LastIndexOf((byte)'@') + 1)..]);
        }

        var query = target.IndexOf((byte)'?');
        var path = query < 0 ? target : target[..query];
        var parameters = query < 0 ? default : target[(query + 1)..];
        facts.PathHash = Rules.Fingerprint.Of("", path);
        facts.Path = HttpPath.ShapeOf(context, path);
        facts.Query = HttpPath.NamesOf(context, parameters);
        HttpServices.Classify(context, path, parameters, in hints, ref facts);
    }

    /// <summary>A SOAP action, in a header or as WS-Addressing has it: of UPnP "urn:…:service:Name:1#Action", of others a URI whose last part is the action.</summary>
    public static void OfSoapAction(SessionContext context, ReadOnlySpan<byte> action, ref HttpFacts facts)
    {
        if (action.IsEmpty)
            return;
        var isUpnp = action.StartsWith("urn:"u8) && action.IndexOf(":service:"u8) > 0;
        if (isUpnp)
            facts.Service = HttpService.Upnp;
        else if (action.IndexOf("11073"u8) >= 0 || action.IndexOf("ws4d"u8) >= 0 || action.IndexOf("/ws/2004/09/transfer"u8) >= 0 || action.IndexOf("/ws/2004/08/eventing"u8) >= 0
            || action.IndexOf("/ws/2004/09/mex"u8) >= 0)
            facts.Service = HttpService.Sdc;
        var name = action[(action.LastIndexOfAny((byte)'/', (byte)'#') + 1)..];
        if (!name.IsEmpty && name.Length <= 48 && !name.ContainsAnyExceptInRange((byte)'.', (byte)'z'))
            facts.Operation = context.Texts.Of(name);
    }

    /// <summary>Says what the exchange tells about client and server.</summary>
    public static void Claim(SessionContext context, HttpTransaction transaction)
    {
        ref readonly var facts = ref transaction.Facts;
        if (facts.UserAgent is { } agent)
            transaction.Claim(transaction.Client, ClaimKind.Fingerprint, Prefixed(context, "http-client "u8, agent));
        if (facts.Server is not { } server)
            return;
        transaction.Claim(transaction.Server, ClaimKind.Fingerprint, Prefixed(context, "http-server "u8, server));
        transaction.Claim(transaction.Server, ClaimKind.Software, server);
    }

    private static string? Prefixed(SessionContext context, ReadOnlySpan<byte> prefix, string text)
    {
        Span<byte> bytes = stackalloc byte[TextInterner.MaximumTextBytes + 16];
        prefix.CopyTo(bytes);
        var length = prefix.Length + Encoding.Latin1.GetBytes(text, bytes[prefix.Length..]);
        return context.Texts.Of(bytes[..length]);
    }

    private static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> lower) => Ascii.EqualsIgnoreCase(name, lower);

    private static string? TypeOf(SessionContext context, ReadOnlySpan<byte> value)
    {
        var end = value.IndexOf((byte)';');
        value = (end < 0 ? value : value[..end]).Trim(" \t"u8);
        Span<byte> lower = stackalloc byte[64];
        if (value.Length > lower.Length)
            value = value[..lower.Length];
        Ascii.ToLower(value, lower, out var written);
        return context.Texts.Of(lower[..written]);
    }

    private static void NoteType(ReadOnlySpan<byte> value, ref HttpHints hints)
    {
        hints.Dicom |= value.IndexOf("application/dicom"u8) >= 0;
        hints.Fhir |= value.IndexOf("application/fhir+"u8) >= 0 || value.IndexOf("+fhir"u8) >= 0;
    }

    private static HttpAuthentication KindOf(ReadOnlySpan<byte> value)
    {
        var end = value.IndexOf((byte)' ');
        var scheme = end < 0 ? value : value[..end];
        return scheme.Length switch
        {
            5 when Is(scheme, "basic"u8) => HttpAuthentication.Basic,
            6 when Is(scheme, "digest"u8) => HttpAuthentication.Digest,
            6 when Is(scheme, "bearer"u8) => HttpAuthentication.Bearer,
            4 when Is(scheme, "ntlm"u8) => HttpAuthentication.Ntlm,
            9 when Is(scheme, "negotiate"u8) => HttpAuthentication.Negotiate,
            _ => HttpAuthentication.Other,
        };
    }

    private static bool IsDefault(ReadOnlySpan<byte> value)
    {
        value = value[(value.IndexOf((byte)' ') + 1)..].Trim((byte)' ');
        foreach (var known in DefaultCredentials)
        {
            if (value.SequenceEqual(known))
                return true;
        }

        return false;
    }
}
