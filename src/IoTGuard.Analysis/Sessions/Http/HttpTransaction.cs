using System.Text.Json;
using IoTGuard.Wire.Application.Dicom;
using IoTGuard.Wire.Application.Files;

namespace IoTGuard.Analysis.Sessions;

/// <summary>What happened on an HTTP connection.</summary>
public enum HttpEvent : byte
{
    /// <summary>A request with its final response, as far as they were seen.</summary>
    Request,
    Fault,
}

/// <summary>How a client says who it is; never what it says.</summary>
public enum HttpAuthentication : byte
{
    None,
    Basic,
    Digest,
    Bearer,
    Ntlm,
    Negotiate,
    Cookie,
    ApiKey,
    Other,
}

/// <summary>What is served over HTTP.</summary>
public enum HttpService : byte
{
    None,

    /// <summary>DICOM PS3.18.</summary>
    DicomWeb,
    Fhir,

    /// <summary>The REST interface of Orthanc.</summary>
    Orthanc,

    /// <summary>HL7 v2 messages as bodies.</summary>
    Hl7,

    /// <summary>The administration interface of Mirth Connect (NextGen Connect).</summary>
    InterfaceEngine,

    /// <summary>IEEE 11073-20701 SDC, and other DPWS.</summary>
    Sdc,
    Upnp,
    Grpc,
}

/// <summary>What is wrong with a message. Those up to <see cref="SpaceBeforeColon"/> make two readers disagree where a message ends: request smuggling.</summary>
public enum HttpFault : byte
{
    None,

    /// <summary>Content-Length and Transfer-Encoding in one message (RFC 9112 6.3).</summary>
    LengthAndEncoding,

    /// <summary>Several Content-Length that differ.</summary>
    DifferentLengths,
    BadLength,

    /// <summary>A transfer coding that does not end in "chunked", or is no coding.</summary>
    BadEncoding,

    /// <summary>A chunk without a valid size, or longer than it says.</summary>
    BadChunk,

    /// <summary>A header field continued on the next line (obsolete since RFC 7230).</summary>
    FoldedField,
    SpaceBeforeColon,

    /// <summary>A line of the head ends in LF alone.</summary>
    BareLineFeed,

    /// <summary>NUL or a lone CR in a head.</summary>
    ControlCharacter,
    BadField,

    /// <summary>What should begin a message does not.</summary>
    BadStart,
    LineTooLong,
    HeadTooLarge,

    /// <summary>A head that is not complete after <see cref="HttpSession.SlowHeadNs"/>.</summary>
    SlowHead,

    /// <summary>HTTP/2: a frame that its type does not allow.</summary>
    BadFrame,

    /// <summary>HTTP/2: header compression that cannot be undone.</summary>
    BadCompression,
}

/// <summary>What a target or a header tries to do to the server.</summary>
public enum WebSign : byte
{
    None,
    PathTraversal,
    SqlInjection,
    CommandInjection,
    ScriptInjection,

    /// <summary>A look-up that a logging library would do (CVE-2021-44228).</summary>
    Jndi,
    NullByte,

    /// <summary>A serialised object that runs a program when it is read (CVE-2023-43208 among others).</summary>
    Deserialization,
}

/// <summary>What is known of a request and its response. Texts are interned; null = not seen.</summary>
public struct HttpFacts
{
    public string? Method;
    public string? Host;

    /// <summary>Path with identifiers replaced by {id} and {uid}.</summary>
    public string? Path;

    /// <summary>Names of query parameters, joined by &amp;; never values.</summary>
    public string? Query;
    public string? UserAgent;
    public string? Server;
    public string? RequestType;
    public string? ResponseType;

    /// <summary>The protocol that the connection changed to.</summary>
    public string? Upgrade;

    /// <summary>What the service was asked to do: search, retrieve, store, read, export ...</summary>
    public string? Operation;

    /// <summary>On what: studies, Patient, tools ...</summary>
    public string? Resource;
    public string? SopClass;
    public string? TransferSyntax;
    public string? SourceAe;
    public Pseudonym Patient;
    public Pseudonym Study;
    public Pseudonym Series;
    public Pseudonym Instance;

    /// <summary>A hash of the path as sent, to tell different ones apart; never written.</summary>
    public ulong PathHash;

    /// <summary>Body bytes as declared or counted; -1 = not known.</summary>
    public long RequestBytes;
    public long ResponseBytes;

    /// <summary>Final status; 0 = not seen.</summary>
    public short Status;

    /// <summary>10, 11 or 20.</summary>
    public byte Version;
    public HttpAuthentication Authentication;

    /// <summary>What the server asks for (WWW-Authenticate).</summary>
    public HttpAuthentication Challenge;

    /// <summary>True when the credentials are those that a product ships with.</summary>
    public bool DefaultCredentials;
    public HttpService Service;

    /// <summary>True when a search has no specific key, or a list is asked for as a whole.</summary>
    public bool IsBroad;
    public FileKind RequestContent;
    public FileKind ResponseContent;

    /// <summary>DICOM files in the bodies.</summary>
    public int Objects;

    /// <summary>The most suspicious preamble among them.</summary>
    public PreambleKind Preamble;
    public WebSign Sign;

    /// <summary>True when the request or the response was not seen whole.</summary>
    public bool IsPartial;

    /// <summary>Of a fault event what is wrong; of a request the first fault in it.</summary>
    public HttpFault Fault;

    /// <summary>Of a fault event: true when the server sent it.</summary>
    public bool SentByServer;
}

/// <summary>
/// One HTTP event, HTTP/1 and HTTP/2 alike. The duration runs from the first byte of the request to the end of the response's head; bytes are those of both bodies.
/// </summary>
public sealed class HttpTransaction : Transaction
{
    private static readonly string[] AuthenticationNames = ["none", "basic", "digest", "bearer", "ntlm", "negotiate", "cookie", "api_key", "other"];
    private static readonly string[] ServiceNames = ["none", "dicomweb", "fhir", "orthanc", "hl7", "interface-engine", "sdc", "upnp", "grpc"];
    private static readonly string[] FaultNames = Array.ConvertAll(Enum.GetNames<HttpFault>(), JsonNamingPolicy.SnakeCaseLower.ConvertName);
    private static readonly string[] SignNames = Array.ConvertAll(Enum.GetNames<WebSign>(), JsonNamingPolicy.SnakeCaseLower.ConvertName);
    private static readonly string[] PreambleNames = Array.ConvertAll(Enum.GetNames<PreambleKind>(), JsonNamingPolicy.SnakeCaseLower.ConvertName);

    private HttpFacts _facts;

    public HttpEvent Event { get; set; }

    public ref HttpFacts Facts => ref _facts;

    /// <summary>True when the client asked without saying who it is.</summary>
    public bool IsUnauthenticated => _facts.Authentication == HttpAuthentication.None;

    public bool IsSuccess => _facts.Status is >= 200 and < 300;

    public override string Protocol => _facts.Version == 20 ? "http2" : "http";

    public override string EventName => Event == HttpEvent.Request ? "request" : "fault";

    public static string NameOf(HttpService service) => ServiceNames[(int)service];

    public static string NameOf(HttpFault fault) => FaultNames[(int)fault];

    public static string NameOf(WebSign sign) => SignNames[(int)sign];

    public static string NameOf(PreambleKind preamble) => PreambleNames[(int)preamble];

    /// <summary>True for a fault that makes two readers disagree where a message ends.</summary>
    public static bool IsSmuggling(HttpFault fault) => fault is >= HttpFault.LengthAndEncoding and <= HttpFault.SpaceBeforeColon and not HttpFault.FoldedField;

    public override void Reset()
    {
        Event = HttpEvent.Request;
        _facts = default;
        _facts.RequestBytes = _facts.ResponseBytes = -1;
    }

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        ref readonly var f = ref _facts;
        writer.Text("method", f.Method);
        writer.Text("host", f.Host);
        writer.Text("path", f.Path);
        writer.Text("query", f.Query);
        writer.Text("version", f.Version switch { 10 => "1.0", 11 => "1.1", 20 => "2", _ => null });
        if (f.Status > 0)
            writer.Number("status", f.Status);
        writer.Text("user_agent", f.UserAgent);
        writer.Text("server_software", f.Server);
        if (f.Method is not null)
            writer.Text("authentication", AuthenticationNames[(int)f.Authentication]);
        if (f.DefaultCredentials)
            writer.Flag("default_credentials", true);
        if (f.Challenge != HttpAuthentication.None)
            writer.Text("challenge", AuthenticationNames[(int)f.Challenge]);
        writer.Text("request_type", f.RequestType);
        writer.Text("response_type", f.ResponseType);
        WriteKnown(ref writer, "request_bytes", f.RequestBytes);
        WriteKnown(ref writer, "response_bytes", f.ResponseBytes);
        if (f.RequestContent != FileKind.Unknown)
            writer.Text("request_content", FileKinds.NameOf(f.RequestContent));
        if (f.ResponseContent != FileKind.Unknown)
            writer.Text("response_content", FileKinds.NameOf(f.ResponseContent));
        writer.Text("upgrade", f.Upgrade);
        WriteService(ref writer, in f);
        if (f.Sign != WebSign.None)
            writer.Text("suspicious", SignNames[(int)f.Sign]);
        if (f.IsPartial)
            writer.Flag("partial", true);
        if (f.Fault != HttpFault.None)
            writer.Text("fault", FaultNames[(int)f.Fault]);
        if (Event == HttpEvent.Fault)
            writer.Text("sent_by", f.SentByServer ? "server" : "client");
    }

    private static void WriteService<TWriter>(ref TWriter writer, in HttpFacts f)
        where TWriter : IFieldWriter, allows ref struct
    {
        if (f.Service != HttpService.None)
            writer.Text("service", ServiceNames[(int)f.Service]);
        writer.Text("operation", f.Operation);
        writer.Text("resource", f.Resource);
        if (f.IsBroad)
            writer.Flag("broad", true);
        WritePseudonym(ref writer, "patient", f.Patient);
        WritePseudonym(ref writer, "study", f.Study);
        WritePseudonym(ref writer, "series", f.Series);
        WritePseudonym(ref writer, "instance", f.Instance);
        if (f.Objects == 0)
            return;
        writer.Number("objects", f.Objects);
        writer.Text("sop_class", f.SopClass);
        writer.Text("sop_class_name", DicomUid.NameOf(f.SopClass));
        writer.Text("transfer_syntax", f.TransferSyntax);
        writer.Text("source_ae", f.SourceAe);
        writer.Text("preamble", PreambleNames[(int)f.Preamble]);
    }

    private static void WriteKnown<TWriter>(ref TWriter writer, string name, long value)
        where TWriter : IFieldWriter, allows ref struct
    {
        if (value >= 0)
            writer.Number(name, value);
    }

    private static void WritePseudonym<TWriter>(ref TWriter writer, string name, Pseudonym value)
        where TWriter : IFieldWriter, allows ref struct
    {
        if (!value.IsNone)
            writer.Pseudonym(name, value);
    }
}
