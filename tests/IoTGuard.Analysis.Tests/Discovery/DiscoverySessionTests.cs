using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Analysis.Tests.Sessions;
using static IoTGuard.Analysis.Tests.Http.HttpBytes;

namespace IoTGuard.Analysis.Tests.Discovery;

/// <summary>WS-Discovery, SSDP and SIP: datagrams that name devices.</summary>
public sealed class DiscoverySessionTests
{
    private static string Envelope(string action, string body) =>
        "<?xml version=\"1.0\"?><s12:Envelope xmlns:s12=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:wsd=\"http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01\">"
        + $"<s12:Header><wsa:Action>http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01/{action}</wsa:Action><wsa:ReplyTo><wsa:Address>http://anon</wsa:Address></wsa:ReplyTo></s12:Header>"
        + $"<s12:Body>{body}</s12:Body></s12:Envelope>";

    [Fact]
    public void MedicalDevicesAnnounceThemselves()
    {
        var log = SessionContract.Holds(() => new WsDiscoverySession(),
        [
            Turn.Client(Envelope("Hello", "<wsd:Hello><wsa:EndpointReference><wsa:Address>urn:uuid:1234</wsa:Address></wsa:EndpointReference>"
                + "<wsd:Types>dpws:Device mdpws:MedicalDevice</wsd:Types><wsd:XAddrs>https://10.0.0.9:6464/x http://b</wsd:XAddrs></wsd:Hello>")),
            Turn.Client(Envelope("Probe", "<wsd:Probe><wsd:Types>dpws:Device</wsd:Types></wsd:Probe>"), 1),
            Turn.Server(Envelope("ProbeMatches", "<wsd:ProbeMatches/>"), 2),
            Turn.Client(Envelope("Bye", "<wsd:Bye/>"), 3),
        ], 3702);
        Assert.Equal(4, log.Count);
        Assert.StartsWith("hello ", log[0], StringComparison.Ordinal);
        Assert.EndsWith(" types='Device MedicalDevice' endpoint='urn:uuid:1234' address='https://10.0.0.9:6464/x' sdc=True", log[0], StringComparison.Ordinal);
        Assert.StartsWith("probe ", log[1], StringComparison.Ordinal);
        Assert.StartsWith("probe_matches ", log[2], StringComparison.Ordinal);
        Assert.StartsWith("bye ", log[3], StringComparison.Ordinal);
        Assert.Equal(ProbeResult.Certain, WsDiscoverySession.Probe(FlowDirection.FromOriginator, Latin(Envelope("Bye", ""))));
        Assert.Equal(ProbeResult.NotForUs, WsDiscoverySession.Probe(FlowDirection.FromOriginator, Latin("<html>" + new string(' ', 100))));
    }

    [Fact]
    public void UpnpDevicesAnnounceThemselves()
    {
        const string Notify = "NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNT: urn:schemas-upnp-org:device:MediaServer:1\r\nNTS: ssdp:alive\r\n"
            + "USN: uuid:9::urn:schemas-upnp-org:device:MediaServer:1\r\nLOCATION: http://10.0.0.9:8200/rootDesc.xml\r\nSERVER: Linux/5 UPnP/1.0 MiniDLNA/1.3\r\n\r\n";
        var log = SessionContract.Holds(() => new SsdpSession(),
        [
            Turn.Client(Notify),
            Turn.Client("M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: ssdp:all\r\nUSER-AGENT: Chrome/1\r\n\r\n"),
            Turn.Server("HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nUSN: uuid:9\r\nServer: X/1\r\n\r\n"),
            Turn.Client(Notify.Replace("alive", "byebye", StringComparison.Ordinal)),
        ], 1900);
        Assert.Equal(4, log.Count);
        Assert.EndsWith("target='urn:schemas-upnp-org:device:MediaServer:1' usn='uuid:9::urn:schemas-upnp-org:device:MediaServer:1' location='http://10.0.0.9:8200/rootDesc.xml'"
            + " software='Linux/5 UPnP/1.0 MiniDLNA/1.3'", log[0], StringComparison.Ordinal);
        Assert.StartsWith("search ", log[1], StringComparison.Ordinal);
        Assert.StartsWith("response ", log[2], StringComparison.Ordinal);
        Assert.StartsWith("byebye ", log[3], StringComparison.Ordinal);
    }

    [Fact]
    public void CallsAreNamedButNotWhoCalls()
    {
        var log = SessionContract.Holds(() => new SipSession(),
        [
            Turn.Client("REGISTER sip:pbx SIP/2.0\r\nFrom: <sip:drdoe@pbx>\r\nTo: <sip:drdoe@pbx>\r\nCSeq: 1 REGISTER\r\nUser-Agent: Phone/2\r\nAuthorization: Digest username=\"drdoe\"\r\nContent-Length: 0\r\n\r\n"),
            Turn.Server("SIP/2.0 403 Forbidden\r\nCSeq: 1 REGISTER\r\nServer: PBX/1\r\nContent-Length: 0\r\n\r\n"),
        ], 5060);
        Assert.Equal(2, log.Count);
        Assert.EndsWith(" method='REGISTER' software='Phone/2' credentials=True", log[0], StringComparison.Ordinal);
        Assert.EndsWith(" method='REGISTER' status=403 software='PBX/1'", log[1], StringComparison.Ordinal);
        Assert.All(log, l => Assert.DoesNotContain("drdoe", l, StringComparison.Ordinal));
        Assert.Equal(ProbeResult.NotForUs, SipSession.Probe(FlowDirection.FromOriginator, Latin("REGISTER something else entirely\r\n")));
        Assert.Equal(ProbeResult.NotForUs, SipSession.Probe(FlowDirection.FromOriginator, Latin("NOTIFY * HTTP/1.1\r\nHOST: x\r\n\r\n")));
    }

    [Fact]
    public void CallsOverTcpEndByTheirLength()
    {
        Turn[] turns =
        [
            Turn.Client("\r\n\r\nINVITE sip:ward3@pbx SIP/2.0\r\nFrom: <sip:drdoe@pbx>\r\nCSeq: 7 INVITE\r\nUser-Agent: Phone/2\r\nl: 11\r\n\r\nv=0 o=drdoe"
                + "ACK sip:ward3@pbx SIP/2.0\r\nCSeq: 7 ACK\r\nContent-Length: 0\r\n\r\n"),
            Turn.Server("SIP/2.0 100 Trying\r\nCSeq: 7 INVITE\r\nContent-Length: 0\r\n\r\nSIP/2.0 486 Busy Here\r\nCSeq: 7 INVITE\r\nContent-Length: 0\r\n\r\n"),
        ];
        var log = SessionContract.Holds(() => new SipStreamSession(), turns, 5060);
        Assert.Equal(4, log.Count);
        Assert.EndsWith(" method='INVITE' software='Phone/2'", log[0], StringComparison.Ordinal);
        Assert.EndsWith(" method='ACK'", log[1], StringComparison.Ordinal);
        Assert.EndsWith(" method='INVITE' status=486", log[3], StringComparison.Ordinal);
        Assert.All(log, l => Assert.DoesNotContain("drdoe", l, StringComparison.Ordinal));
        for (var length = 1; length < 20; length++)
            Assert.Equal(ProbeResult.Unsure, SipStreamSession.Probe(FlowDirection.FromOriginator, turns[0].Bytes.AsSpan(4, length)));
        Assert.Equal(ProbeResult.NotForUs, SipStreamSession.Probe(FlowDirection.FromOriginator, Latin("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n")));
    }
}
