using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// Protocols that have a name here and are not read: what their messages begin with. Where that could as well be something else it is believed on the
/// protocol's port only.
/// </summary>
internal static class NamedProtocols
{
    /// <summary>Over TCP.</summary>
    public static ProtocolRow[] Streams { get; } =
    [
        Stream(ApplicationProtocol.Iec104, [2404], // IEC 60870-5-104, 5.1: STARTDT, STOPDT and TESTFR, each with its confirmation; else any APDU
            new Signature("68 04 07 00 00 00"), new("68 04 0B 00 00 00"), new("68 04 13 00 00 00"), new("68 04 23 00 00 00"), new("68 04 43 00 00 00"), new("68 04 83 00 00 00"), new("68 ?? ?? ?? ?? ??", isHint: true)),
        Stream(ApplicationProtocol.OpcUa, [4840], // IEC 62541-6, 7.1.2: HEL and ACK of version 0
            new Signature("48 45 4C 46 ?? ?? 00 00 00 00 00 00"), new("41 43 4B 46 1C 00 00 00 00 00 00 00")),
        Stream(ApplicationProtocol.Enip, [44818], // ODVA volume 2, 2-4: RegisterSession; SendRRData and SendUnitData without an error
            new Signature("65 00 04 00 ?? ?? ?? ?? 00 00 00 00 ?? ?? ?? ?? ?? ?? ?? ?? 00 00 00 00 01 00 00 00"), new("6F 00 ?? ?? ?? ?? ?? ?? 00 00 00 00", isHint: true), new("70 00 ?? ?? ?? ?? ?? ?? 00 00 00 00", isHint: true)),
        Stream(ApplicationProtocol.Amqp, [5672], // protocol header of AMQP 0-8 to 0-9-1 and 1.0; a method of the class basic
            new Signature("41 4D 51 50 00 00 09 01"), new("41 4D 51 50 01 01 0? ??"), new("41 4D 51 50 0? 01 00 00"), new("01 ?? ?? 00 00 ?? ?? 00 3C 00", isHint: true)),
        Stream(ApplicationProtocol.KnxIp, [3671], new Signature("06 10 0? ??", isHint: true)), // ISO 22510
        Stream(ApplicationProtocol.BitTorrent, [], new Signature("13 42 69 74 54 6F 72 72 65 6E 74 20 70 72 6F 74 6F 63 6F 6C")), // BEP 3
        Stream(ApplicationProtocol.TeamViewer, [5938], new("17 24 ?? ??", isHint: true), new("11 30 ?? ??", isHint: true)), // not published
        Stream(ApplicationProtocol.Kpasswd, [464], // RFC 3244, 2, behind a length: version 1 or FF80
            new Signature("00 00 ?? ?? ?? ?? 00 01", isHint: true), new("00 00 ?? ?? ?? ?? FF 80", isHint: true)),
        Stream(ApplicationProtocol.Stun, NamedProbes.StunStream),
        Stream(ApplicationProtocol.Dnp3, NamedProbes.Dnp3),
        Stream(ApplicationProtocol.Iscsi, NamedProbes.Iscsi),
        Stream(ApplicationProtocol.S7Comm, NamedProbes.S7),
        Stream(ApplicationProtocol.Syslog, NamedProbes.Syslog),
    ];

    /// <summary>Over UDP. The last one is RTP, which takes what could be it until it is shown not to be.</summary>
    public static ProtocolRow[] Datagrams { get; } =
    [
        Datagram(ApplicationProtocol.WireGuard, [51820], // initiation, response, data
            new Signature("01 00 00 00") { ExactLength = 148 }, new("02 00 00 00") { ExactLength = 92 }, new("04 00 00 00", isHint: true)),
        Datagram(ApplicationProtocol.Isakmp, [500, 4500], // RFC 2408, 3.1 and RFC 7296, 3.1; behind four zeros on port 4500 (RFC 3948, 2.2)
            [.. Ike("10", "02"), .. Ike("10", "04"), .. Ike("10", "05"), .. Ike("10", "06"), .. Ike("10", "20"), .. Ike("20", "22"), .. Ike("20", "23"), .. Ike("20", "24"), .. Ike("20", "25")]),
        Datagram(ApplicationProtocol.Ptp, [319, 320], // IEEE 1588, 13.3; over IPv6 two bytes behind it (annex D)
            new("?? ?2", isHint: true) { Length = new(2, 2) }, new("?? ?2", isHint: true) { Length = new(2, 2, 2) }),
        Datagram(ApplicationProtocol.KnxIp, [3671], // ISO 22510: header of six bytes, version 1.0
            new Signature("06 10 02") { Length = new(4, 2) }, new("06 10 03") { Length = new(4, 2) }, new("06 10 04") { Length = new(4, 2) }, new("06 10 05") { Length = new(4, 2) }, new("06 10 09") { Length = new(4, 2) }),
        Datagram(ApplicationProtocol.CnpIp, [1628, 1629], new Signature("?? ?? 01", isHint: true) { Length = new(0, 2) }), // CEA-852, LON over IP
        Datagram(ApplicationProtocol.Enip, [44818], // ListIdentity and its answer
            new Signature("63 00 ?? ?? 00 00 00 00 00 00 00 00") { Length = new(2, 2, 24, IsLittleEndian: true) }),
        Datagram(ApplicationProtocol.Ipmi, [623], // RMCP (ASF 2.0, 3.2.2) with ASF or IPMI in it
            new Signature("06 00 ?? 06 00 00 11 BE"), new("06 00 FF 07", isHint: true)),
        Datagram(ApplicationProtocol.NbDgm, [138], // RFC 1002, 4.4: from port 138
            new Signature("10 ?? ?? ?? ?? ?? ?? ?? 00 8A", isHint: true), new("11 ?? ?? ?? ?? ?? ?? ?? 00 8A", isHint: true), new("12 ?? ?? ?? ?? ?? ?? ?? 00 8A", isHint: true)),
        Datagram(ApplicationProtocol.BitTorrent, [], // BEP 5: a query or an answer with the id of a node
            new Signature("64 31 3A 61 64 32 3A 69 64 32 30 3A"), new("64 31 3A 72 64 32 3A 69 64 32 30 3A")),
        Datagram(ApplicationProtocol.SrvLoc, [427], // RFC 2608, 8; version 1 RFC 2165, 6
            new Signature("02 0?") { Length = new(2, 3) }, new("01 0?", isHint: true) { Length = new(2, 2) }),
        Datagram(ApplicationProtocol.Kpasswd, [464], // RFC 3244, 2
            new Signature("?? ?? 00 01", isHint: true) { Length = new(0, 2) }, new("?? ?? FF 80", isHint: true) { Length = new(0, 2) }),
        Datagram(ApplicationProtocol.Dcerpc, [], // C706, 12.5.2: without connections, as PROFINET uses it
            new Signature("04 0? ?? ?? 10 00 00") { Length = new(74, 2, 80, IsLittleEndian: true) }, new("04 0? ?? ?? 00 00 00") { Length = new(74, 2, 80) }),
        new("dnp3", NamedProbes.Dnp3Datagram, static () => new NamedDatagramSession(ApplicationProtocol.Dnp3), []),
        new("stun", NamedProbes.StunDatagram, static () => new StunSession(), []),
        new("rtcp", NamedProbes.Rtcp, static () => new NamedDatagramSession(ApplicationProtocol.Rtcp), []),
        new("rtp", NamedProbes.Rtp, static () => new RtpSession(), []) { IsLikelyOnAnyPort = true },
    ];

    private static Signature[] Ike(string version, string exchange)
    {
        var header = $"???????????????? ???????????????? ?? {version} {exchange} ?? ?? ?? ?? ??";
        return [new Signature(header) { Length = new(24, 4) }, new Signature($"00 00 00 00 {header}") { Length = new(28, 4, 4) }];
    }

    private static ProtocolRow Stream(ApplicationProtocol protocol, ushort[] ports, params Signature[] signatures) =>
        new(ApplicationProtocols.NameOf(protocol), (_, prefix) => Best(signatures, prefix, isDatagram: false), () => new NamedStreamSession(protocol), ports);

    private static ProtocolRow Stream(ApplicationProtocol protocol, ProtocolProbe probe) =>
        new(ApplicationProtocols.NameOf(protocol), probe, () => new NamedStreamSession(protocol), []);

    private static ProtocolRow Datagram(ApplicationProtocol protocol, ushort[] ports, params Signature[] signatures) =>
        new(ApplicationProtocols.NameOf(protocol), (_, data) => Best(signatures, data, isDatagram: true), () => new NamedDatagramSession(protocol), ports);

    /// <summary>The surest answer of the signatures.</summary>
    private static ProbeResult Best(Signature[] signatures, ReadOnlySpan<byte> data, bool isDatagram)
    {
        var best = ProbeResult.NotForUs;
        foreach (var signature in signatures)
        {
            var answer = isDatagram ? signature.OfDatagram(data) : signature.OfStream(data);
            if (answer > best)
                best = answer;
        }

        return best;
    }
}
