using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.Dns;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Sessions;

/// <summary>What happened in DNS, mDNS, LLMNR or NetBIOS name service.</summary>
public enum DnsEvent : byte
{
    /// <summary>A question, with its answer when that came on the same flow.</summary>
    Query,

    /// <summary>An answer whose question was not seen on the flow: to a question that was sent to all, or forged.</summary>
    Response,

    /// <summary>mDNS: records told to all.</summary>
    Announcement,

    /// <summary>NetBIOS: a name is registered, refreshed or released.</summary>
    Registration,

    /// <summary>A dynamic update (RFC 2136).</summary>
    Update,

    /// <summary>NOTIFY (RFC 1996).</summary>
    Notify,

    /// <summary>Bytes where a message was due.</summary>
    Malformed,
}

/// <summary>
/// One exchange of DNS or of its relatives. The client asks; of an announcement or registration it is the one that speaks. Bytes are those of the messages,
/// question and answer. The duration runs from the question to its answer.
/// </summary>
public sealed class DnsTransaction : Transaction
{
    /// <summary>Most addresses, and most service types, listed.</summary>
    public const int MaximumListed = 8;

    private static readonly string[] EventNames = ["query", "response", "announcement", "registration", "update", "notify", "malformed"];

    // RFC 1035 4.1.1, RFC 2136 2.2.
    private static readonly string[] ResponseCodes =
        ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH", "NOTZONE"];

    private readonly IpAddress[] _addresses = new IpAddress[MaximumListed];
    private readonly string[] _services = new string[MaximumListed];
    private WireText _name;
    private WireText _alias;
    private int _addressCount;
    private int _serviceCount;

    public DnsEvent Event { get; set; }

    /// <summary><see cref="ApplicationProtocol.Dns"/>, Mdns, Llmnr or Nbns.</summary>
    public ApplicationProtocol Kind { get; set; }

    /// <summary>Transaction id.</summary>
    public ushort Id { get; set; }

    public DnsOpcode Opcode { get; set; }

    /// <summary>QTYPE of the first question, else TYPE of the first record.</summary>
    public DnsType Type { get; set; }

    /// <summary>QCLASS; 1 = Internet.</summary>
    public ushort Class { get; set; }

    /// <summary>RCODE of the response; -1 = none seen.</summary>
    public int ResponseCode { get; set; }

    /// <summary>QNAME in lower case; for NetBIOS the decoded name; of an mDNS service instance the service only.</summary>
    public ref WireText Name => ref _name;

    /// <summary>What the name is another name for (last CNAME), or what a PTR leads to.</summary>
    public ref WireText Alias => ref _alias;

    /// <summary>NetBIOS: the name's sixteenth byte; -1 elsewhere.</summary>
    public int Suffix { get; set; }

    /// <summary>Bytes of the name as text, before anything was left out of it.</summary>
    public int NameLength { get; set; }

    public int Questions { get; set; }

    public int Answers { get; set; }

    /// <summary>Bytes of the question and of the answer.</summary>
    public int QueryBytes { get; set; }

    public int ResponseBytes { get; set; }

    /// <summary>Bytes of RDATA in TXT, NULL, KEY and private records of the answer: what can carry anything.</summary>
    public int OpaqueBytes { get; set; }

    /// <summary>Smallest TTL among the answers in seconds; -1 without answers.</summary>
    public long TimeToLive { get; set; }

    /// <summary>Datagram size that the asker takes (EDNS), bytes; 0 without.</summary>
    public int EdnsSize { get; set; }

    public bool IsTruncated { get; set; }

    public bool IsAuthoritative { get; set; }

    public bool RecursionDesired { get; set; }

    /// <summary>Times that the question was sent again.</summary>
    public int Repeats { get; set; }

    /// <summary>Addresses among the answers.</summary>
    public ReadOnlySpan<IpAddress> Addresses => _addresses.AsSpan(0, _addressCount);

    /// <summary>mDNS: service types told, such as "_ipp._tcp".</summary>
    public ReadOnlySpan<string> Services => _services.AsSpan(0, _serviceCount);

    public override string Protocol => ApplicationProtocols.NameOf(Kind);

    public override string EventName => EventNames[(int)Event];

    /// <summary>Shannon entropy of the name's characters but the dots, bits per character.</summary>
    public double NameEntropy => EntropyOf(_name.Bytes);

    public void AddAddress(IpAddress address)
    {
        if (_addressCount < MaximumListed)
            _addresses[_addressCount++] = address;
    }

    public void AddService(string service)
    {
        if (_serviceCount < MaximumListed && !_services.AsSpan(0, _serviceCount).Contains(service))
            _services[_serviceCount++] = service;
    }

    public override void Reset()
    {
        Event = DnsEvent.Query;
        Kind = ApplicationProtocol.Dns;
        Id = 0;
        Opcode = DnsOpcode.Query;
        Type = 0;
        Class = 1;
        ResponseCode = -1;
        _name.Clear();
        _alias.Clear();
        Suffix = -1;
        NameLength = Questions = Answers = QueryBytes = ResponseBytes = OpaqueBytes = EdnsSize = Repeats = 0;
        TimeToLive = -1;
        IsTruncated = IsAuthoritative = RecursionDesired = false;
        _addressCount = _serviceCount = 0;
    }

    /// <summary>Takes over what a question says.</summary>
    internal void CopyQuestionFrom(DnsTransaction other)
    {
        (TimeNs, Event, Kind, Id, Opcode) = (other.TimeNs, other.Event, other.Kind, other.Id, other.Opcode);
        (Type, Class, Suffix, NameLength, Questions) = (other.Type, other.Class, other.Suffix, other.NameLength, other.Questions);
        (QueryBytes, EdnsSize, RecursionDesired, Repeats) = (other.QueryBytes, other.EdnsSize, other.RecursionDesired, other.Repeats);
        _name = other._name;
        Bytes = other.QueryBytes;
    }

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        if (Event == DnsEvent.Malformed)
            return;
        writer.Text("name", _name.Bytes);
        writer.Text("type", NameOf(Type));
        if ((Class & 0x7FFF) != 1)
            writer.Number("class", Class);
        if (Opcode != DnsOpcode.Query)
            writer.Number("opcode", (long)Opcode);
        if (Suffix >= 0)
            writer.Number("suffix", Suffix);
        if (ResponseCode >= 0)
            writer.Text("rcode", ResponseCode < ResponseCodes.Length ? ResponseCodes[ResponseCode] : "other");
        writer.Number("answers", Answers);
        if (_addressCount > 0)
        {
            var texts = new string[_addressCount];
            for (var i = 0; i < texts.Length; i++)
                texts[i] = _addresses[i].ToString();
            writer.List("addresses", texts);
        }

        writer.Text("alias", _alias.Bytes);
        if (_serviceCount > 0)
            writer.List("services", Services);
        if (TimeToLive >= 0)
            writer.Number("ttl", TimeToLive);
        writer.Number("name_length", NameLength);
        writer.Real("name_entropy", Math.Round(NameEntropy, 3));
        writer.Number("query_bytes", QueryBytes);
        writer.Number("response_bytes", ResponseBytes);
        if (OpaqueBytes > 0)
            writer.Number("opaque_bytes", OpaqueBytes);
        if (EdnsSize > 0)
            writer.Number("edns_size", EdnsSize);
        if (Repeats > 0)
            writer.Number("repeats", Repeats);
        if (IsTruncated)
            writer.Flag("truncated", true);
        if (IsAuthoritative)
            writer.Flag("authoritative", true);
        if (RecursionDesired)
            writer.Flag("recursion_desired", true);
    }

    /// <summary>Name of a type as registered; TYPEn (RFC 3597) for those that are not looked into.</summary>
    public static string NameOf(DnsType type) => type switch
    {
        DnsType.A => "A",
        DnsType.Ns => "NS",
        DnsType.Cname => "CNAME",
        DnsType.Soa => "SOA",
        DnsType.Null => "NULL",
        DnsType.Ptr => "PTR",
        DnsType.Mx => "MX",
        DnsType.Txt => "TXT",
        DnsType.Key => "KEY",
        DnsType.Aaaa => "AAAA",
        DnsType.NetBios => "NB",
        DnsType.Srv => "SRV",
        DnsType.Dname => "DNAME",
        DnsType.Opt => "OPT",
        DnsType.Https => "HTTPS",
        DnsType.Ixfr => "IXFR",
        DnsType.Axfr => "AXFR",
        DnsType.Any => "ANY",
        (DnsType)47 => "NSEC",
        (DnsType)43 => "DS",
        (DnsType)48 => "DNSKEY",
        (DnsType)35 => "NAPTR",
        _ => $"TYPE{(int)type}",
    };

    /// <summary>Shannon entropy of characters but dots, bits per character; 0 for nothing.</summary>
    internal static double EntropyOf(ReadOnlySpan<byte> name)
    {
        Span<int> counts = stackalloc int[256];
        counts.Clear();
        var total = 0;
        foreach (var octet in name)
        {
            if (octet == '.')
                continue;
            counts[octet]++;
            total++;
        }

        var entropy = 0.0;
        foreach (var count in counts)
        {
            if (count > 0)
                entropy -= (double)count / total * Math.Log2((double)count / total);
        }

        return entropy;
    }
}
