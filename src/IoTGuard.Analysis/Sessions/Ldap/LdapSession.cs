using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.Ldap;
using IoTGuard.Wire.Application.Ntlm;

namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// LDAP version 3 (and 2) over TCP. Of every message the first <see cref="MaximumHeadBytes"/> are read, entries are counted. After a successful StartTLS
/// the connection is handed over; after bytes that are no LDAP, as SASL protection makes them, the rest is passed over.
/// </summary>
public sealed class LdapSession : StreamSession
{
    /// <summary>Longest head of a message that is read, bytes.</summary>
    public const int MaximumHeadBytes = 1024;

    /// <summary>Requests that wait for their response; the oldest is given up for one more.</summary>
    public const int MaximumOutstanding = 32;

    private const byte OctetString = 0x04;
    private const byte Integer = 0x02;
    private const byte Enumerated = 0x0A;

    private readonly Request[] _requests = new Request[MaximumOutstanding];
    private readonly bool[] _isLost = new bool[2];
    private bool _isProtected;

    private static ReadOnlySpan<byte> StartTls => "1.3.6.1.4.1.1466.20037"u8;

    private struct Request
    {
        public bool IsUsed;
        public int Id;
        public LdapEvent Event;
        public long TimeNs;
        public long Bytes;
        public int Version;
        public string? Text;
        public bool HasName;
        public bool HasPassword;
        public int Scope;
        public int Entries;
    }

    public override ApplicationProtocol Protocol => ApplicationProtocol.Ldap;

    /// <summary>An LDAP message whose envelope is there: the tags are exact, and no other protocol in BER has them in this place.</summary>
    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty)
            return ProbeResult.Unsure;
        if (data[0] != 0x30)
            return ProbeResult.NotForUs;
        if (BerElement.Read(data) is not { } outer)
            return ProbeResult.Unsure;
        if (outer.Length < 5)
            return ProbeResult.NotForUs;
        var rest = data[outer.HeaderLength..];
        if (rest.Length < 2)
            return ProbeResult.Unsure;
        if (rest[0] != Integer || rest[1] is 0 or > 4)
            return ProbeResult.NotForUs;
        if (rest.Length < 3 + rest[1])
            return ProbeResult.Unsure;
        rest = rest[(2 + rest[1])..];
        if (!LdapMessage.IsKnown(rest[0]))
            return ProbeResult.NotForUs;
        if (BerElement.Read(rest) is not { } operation)
            return ProbeResult.Unsure;

        // The operation fills the message, but for controls.
        var id = data[outer.HeaderLength + 1];
        return operation.Length < 0 || operation.TotalLength + 2 + id > outer.Length ? ProbeResult.NotForUs : ProbeResult.Certain;
    }

    public override StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (_isProtected)
            return new StreamProgress(data.Length, 0, Everything);
        var at = 0;
        while (at < data.Length)
        {
            var rest = data[at..];
            if (BerElement.Read(rest) is not { } element)
                return new StreamProgress(at, Math.Min(BerElement.MaximumHeader, rest.Length + 1));
            var head = (int)Math.Min(element.TotalLength, MaximumHeadBytes);
            if (element.Tag != 0x30 || element.Length < 5)
                return Lose(context, direction, data.Length);
            if (rest.Length < head)
                return new StreamProgress(at, head);
            if (!LdapMessage.TryRead(rest[..head], out var message))
                return Lose(context, direction, data.Length);
            _isLost[(int)direction] = false;
            var handsOver = OnMessage(context, direction, message, element.TotalLength);
            var here = (int)Math.Min(element.TotalLength, rest.Length);
            at += here;
            if (handsOver)
            {
                context.HandOver();
                return new StreamProgress(at);
            }

            if (here < element.TotalLength)
                return new StreamProgress(at, 0, element.TotalLength - here);
        }

        return new StreamProgress(at);
    }

    public override void OnGap(SessionContext context, FlowDirection direction, long bytes) => _isLost[(int)direction] = true;

    public override void OnEnd(SessionContext context)
    {
        foreach (ref var request in _requests.AsSpan())
            Finish(context, ref request, -1, FlowDirection.FromOriginator);
    }

    public override void Reset()
    {
        Array.Clear(_requests);
        Array.Clear(_isLost);
        _isProtected = false;
    }

    /// <summary>No LDAP where it should be: after a gap the middle of a message, else protection by SASL.</summary>
    private StreamProgress Lose(SessionContext context, FlowDirection direction, int shown)
    {
        if (!_isLost[(int)direction])
        {
            _isProtected = true;
            var transaction = context.Begin<LdapTransaction>();
            transaction.Event = context.Flow.Counters.Associations > 0 ? LdapEvent.Protected : LdapEvent.Fault;
            transaction.FaultText = transaction.Event == LdapEvent.Fault ? "not_ldap" : null;
            if (transaction.Event == LdapEvent.Fault)
                context.Flow.Counters.Faults++;
            context.Emit(transaction);
            return new StreamProgress(shown, 0, Everything);
        }

        // Segments after a gap mostly begin with a message, sooner or later.
        return new StreamProgress(shown);
    }

    /// <summary>True when the connection goes on as TLS.</summary>
    private bool OnMessage(SessionContext context, FlowDirection direction, in LdapMessage message, long length)
    {
        ref var counters = ref context.Flow.Counters;
        switch (message.Operation)
        {
            case LdapOperation.BindRequest:
                counters.Requests++;
                ReadBind(context, ref Ask(context, direction, message.Id, LdapEvent.Bind, length), message.Content);
                return false;
            case LdapOperation.SearchRequest:
                counters.Requests++;
                ReadSearch(context, ref Ask(context, direction, message.Id, LdapEvent.Search, length), message.Content);
                return false;
            case LdapOperation.AddRequest or LdapOperation.ModifyRequest or LdapOperation.DeleteRequest or LdapOperation.ModifyNameRequest:
                counters.Requests++;
                Ask(context, direction, message.Id, LdapEvent.Change, length).Text = message.Operation switch
                {
                    LdapOperation.AddRequest => "add",
                    LdapOperation.ModifyRequest => "modify",
                    LdapOperation.DeleteRequest => "delete",
                    _ => "rename",
                };
                return false;
            case LdapOperation.ExtendedRequest:
                counters.Requests++;
                var name = new BerReader(message.Content);
                if (name.MoveTo(0x80) && name.Value.SequenceEqual(StartTls))
                    Ask(context, direction, message.Id, LdapEvent.StartTls, length);
                return false;
            case LdapOperation.SearchResultEntry or LdapOperation.SearchResultReference:
                counters.Interim++;
                ref var search = ref Find(message.Id, out var isSearch);
                if (isSearch)
                {
                    search.Entries++;
                    search.Bytes += length;
                }

                return false;
            case LdapOperation.BindResponse or LdapOperation.SearchResultDone or LdapOperation.ModifyResponse or LdapOperation.AddResponse
                or LdapOperation.DeleteResponse or LdapOperation.ModifyNameResponse or LdapOperation.ExtendedResponse:
                return OnResponse(context, direction, message, length);
            default:
                return false;
        }
    }

    private bool OnResponse(SessionContext context, FlowDirection direction, in LdapMessage message, long length)
    {
        const int Success = 0;
        const int SaslBindInProgress = 14;
        ref var counters = ref context.Flow.Counters;
        counters.Responses++;
        var result = message.ResultCode;
        if (result is not (Success or SaslBindInProgress or 5 or 6 or 10))
            counters.Failures++;
        ref var request = ref Find(message.Id, out var found);
        if (!found)
            return false;
        request.Bytes += length;
        var isTls = request.Event == LdapEvent.StartTls && result == Success;
        if (request.Event == LdapEvent.Bind && result == Success)
            counters.Associations++;
        Finish(context, ref request, result, (FlowDirection)(1 - (int)direction));
        return isTls;
    }

    private static void Finish(SessionContext context, ref Request request, int result, FlowDirection client)
    {
        if (!request.IsUsed)
            return;
        var transaction = context.Begin<LdapTransaction>(client);
        transaction.Event = request.Event;
        transaction.TimeNs = request.TimeNs;
        transaction.DurationNs = result >= 0 ? context.TimeNs - request.TimeNs : -1;
        transaction.Bytes = request.Bytes;
        transaction.Result = result;
        transaction.Version = request.Version;
        transaction.HasName = request.HasName;
        transaction.HasPassword = request.HasPassword;
        transaction.Scope = request.Scope;
        transaction.Entries = request.Entries;
        switch (request.Event)
        {
            case LdapEvent.Bind:
                transaction.Mechanism = request.Text;
                break;
            case LdapEvent.Search:
                transaction.BaseShape = request.Text;
                break;
            case LdapEvent.Change:
                transaction.Change = request.Text;
                break;
        }

        context.Emit(transaction);
        request = default;
    }

    private ref Request Ask(SessionContext context, FlowDirection client, int id, LdapEvent kind, long bytes)
    {
        var place = 0;
        for (var i = 0; i < _requests.Length; i++)
        {
            if (!_requests[i].IsUsed)
            {
                place = i;
                break;
            }

            if (_requests[i].TimeNs < _requests[place].TimeNs)
                place = i;
        }

        ref var request = ref _requests[place];
        Finish(context, ref request, -1, client);
        request = new Request { IsUsed = true, Id = id, Event = kind, TimeNs = context.TimeNs, Bytes = bytes, Scope = -1 };
        return ref request;
    }

    private ref Request Find(int id, out bool found)
    {
        for (var i = 0; i < _requests.Length; i++)
        {
            if (_requests[i].IsUsed && _requests[i].Id == id)
            {
                found = true;
                return ref _requests[i];
            }
        }

        found = false;
        return ref _requests[0];
    }

    private static void ReadBind(SessionContext context, ref Request request, ReadOnlySpan<byte> content)
    {
        const byte Simple = 0x80;
        const byte Sasl = 0xA3;
        var bind = new BerReader(content);
        if (!bind.MoveTo(Integer))
            return;
        request.Version = bind.Number();
        if (!bind.MoveTo(OctetString))
            return;
        request.HasName = !bind.Value.IsEmpty;
        if (!bind.MoveNext())
            return;
        if (bind.Tag == Simple)
        {
            request.Text = "simple";
            request.HasPassword = !bind.Value.IsEmpty;
        }
        else if (bind.Tag == Sasl)
        {
            var sasl = new BerReader(bind.Value);
            if (sasl.MoveTo(OctetString))
                request.Text = context.Texts.Of(sasl.Value);
        }
        else if (bind.Tag is 0x89 or 0x8A or 0x8B)
        {
            // Microsoft's sicily authentication (MS-ADTS 5.1.1.1.3) carries NTLM.
            request.Text = "sicily";
            request.HasPassword = NtlmMessage.TryFind(bind.Value, out var ntlm) && !ntlm.IsAnonymous;
        }
    }

    private static void ReadSearch(SessionContext context, ref Request request, ReadOnlySpan<byte> content)
    {
        var search = new BerReader(content);
        if (!search.MoveTo(OctetString))
            return;
        Span<byte> shape = stackalloc byte[TextInterner.MaximumTextBytes];
        request.Text = context.Texts.Of(shape[..ShapeOf(search.Value, shape)]);
        if (search.MoveTo(Enumerated))
            request.Scope = search.Number();
    }

    /// <summary>The attribute types of a distinguished name: "ou,dc,dc" for OU=People,DC=clinic,DC=example.</summary>
    private static int ShapeOf(ReadOnlySpan<byte> name, Span<byte> shape)
    {
        const int LongestType = 8;
        var length = 0;
        while (!name.IsEmpty)
        {
            var comma = name.IndexOf((byte)',');
            var part = (comma < 0 ? name : name[..comma]).TrimStart((byte)' ');
            name = comma < 0 ? default : name[(comma + 1)..];
            var equal = part.IndexOf((byte)'=');
            if (equal is <= 0 or > LongestType || length + equal + 1 > shape.Length)
                continue;
            if (length > 0)
                shape[length++] = (byte)',';
            foreach (var letter in part[..equal])
                shape[length++] = char.IsAsciiLetter((char)letter) ? (byte)(letter | 0x20) : (byte)'-';
        }

        return length;
    }
}
