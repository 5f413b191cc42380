using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Analysis.Tests.Sessions;
using static IoTGuard.Analysis.Tests.Http.HttpBytes;

namespace IoTGuard.Analysis.Tests.Http;

public sealed class HttpSessionTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nServer: Civet/1\r\n";

    private static readonly Turn[] Mixed =
    [
        Turn.Client("GET /system HTTP/1.1\r\nHost: pacs:8042\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n"),
        Turn.Server(Body(Ok + "Content-Type: application/json; charset=utf-8", "{\"Version\":\"1.10.1\"}")),
        Turn.Client("GET /a?x=1&name=DOE HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\nHEAD /c HTTP/1.1\r\nHost: h\r\n\r\n", 1),
        Turn.Server("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n<html>\r\n1388;x=y\r\n" + new string('z', 5000) + "\r\n0\r\nTrailer: t\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno!", 1.5),
        Turn.Server("HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n", 2),
        Turn.Client("POST /upload HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nAuthorization: Basic b3J0aGFuYzpvcnRoYW5j\r\nContent-Type: image/png\r\nContent-Length: 3000\r\n\r\n", 3),
        Turn.Server("HTTP/1.1 100 Continue\r\n\r\n", 3.1),
        Turn.Client("\x7f" + "ELF" + new string('e', 2996), 3.2),
        Turn.Server("HTTP/1.1 204 No Content\r\n\r\n", 3.3),
        Turn.Client(Body("POST /dicom-web/studies HTTP/1.1\r\nHost: pacs\r\nContent-Type: multipart/related; type=\"application/dicom\"; boundary=bOu-1", Stow("bOu-1")), 4),
        Turn.Server(Body("HTTP/1.1 200 OK\r\nContent-Type: application/dicom+json", "{}"), 4.5),
        Turn.Client("GET /last HTTP/1.0\r\n\r\n", 5),
        Turn.Server("HTTP/1.0 200 OK\r\nServer: Old/1\r\n\r\nuntil the end", 5.25),
    ];

    private static string Stow(string boundary) =>
        $"preamble\r\n--{boundary}\r\nContent-Type: application/dicom\r\n\r\n{DicomFile()}\r\n--{boundary}\r\nContent-Type: application/dicom\r\n\r\n{DicomFile("MZ", 200)}"
        + $"\r\n--{boundary}\r\nContent-Type: application/dicom\r\n\r\n{DicomFile("", 1)}\r\n--{boundary}--\r\n";

    [Fact]
    public void EverythingHoldsHoweverItIsCut()
    {
        var log = SessionContract.Holds(() => new HttpSession(), Mixed, 80);
        Assert.Equal(7, log.Count);
        Assert.All(log, l => Assert.StartsWith("request ", l, StringComparison.Ordinal));
        Assert.Contains("method='GET' host='pacs:8042' path='/system' version='1.1' status=200 user_agent='curl/7.88.1' server_software='Civet/1' authentication='none'"
            + " response_type='application/json' response_bytes=20 response_content='json'", log[0], StringComparison.Ordinal);
        Assert.Contains("duration=500000000 bytes=5006 method='GET' host='h' path='/a' query='x&name'", log[1], StringComparison.Ordinal);
        Assert.Contains("path='/b' version='1.1' status=404", log[2], StringComparison.Ordinal);
        Assert.Contains("method='HEAD' host='h' path='/c' version='1.1' status=200", log[3], StringComparison.Ordinal);
        Assert.Contains("duration=300000000 bytes=3000 method='POST' host='h' path='/upload' version='1.1' status=204 authentication='basic' default_credentials=True request_type='image/png'"
            + " request_bytes=3000 request_content='elf'", log[4], StringComparison.Ordinal);
        Assert.Contains("service='dicomweb' operation='store' resource='studies' objects=3 sop_class='1.2.840.10008.5.1.4.1.1.2'", log[5], StringComparison.Ordinal);
        Assert.Contains("source_ae='CT1' preamble='portable_executable'", log[5], StringComparison.Ordinal);
        Assert.Contains("path='/last' version='1.0' status=200 server_software='Old/1' authentication='none' response_bytes=13", log[6], StringComparison.Ordinal);
    }

    [Fact]
    public void NothingOfPatientsOrSecretsLeaves()
    {
        var all = string.Join('\n', SessionContract.Whole(() => new HttpSession(),
        [
            Turn.Client("GET /patients/DOE%5EJANE/4711?name=DOE&SMITH HTTP/1.1\r\nHost: h\r\nCookie: SECRET1\r\nAuthorization: Bearer SECRET2\r\nReferer: http://h/DOE\r\n\r\n"),
            Turn.Server(Body("HTTP/1.1 200 OK\r\nSet-Cookie: SECRET3", "{\"name\":\"DOE\"}")),
            Turn.Client("GET /dicom-web/studies?PatientName=DOE*&00100020=4711 HTTP/1.1\r\nHost: h\r\n\r\nGET /fhir/Patient/DOE HTTP/1.1\r\nHost: h\r\n\r\n"),
        ]));
        foreach (var secret in new[] { "DOE", "JANE", "4711", "SECRET", "SMITH" })
            Assert.DoesNotContain(secret, all, StringComparison.Ordinal);
        Assert.Contains("path='/patients/{id}/{id}' query='name&{value}'", all, StringComparison.Ordinal);
        Assert.Contains("authentication='bearer'", all, StringComparison.Ordinal);
        Assert.Contains("query='PatientName&00100020'", all, StringComparison.Ordinal);
    }

    [Fact]
    public void Hl7InBodiesIsReadAsHl7()
    {
        const string Message = "MSH|^~\\&|REG|WARD|LAB|HOSP|20260102||ADT^A01|A1|P|2.5\rPID|1||4711||DOE^JANE\r";
        Turn[] turns =
        [
            Turn.Client(Body("POST /hl7 HTTP/1.1\r\nHost: e\r\nContent-Type: application/hl7-v2", Message)),
            Turn.Server(Body("HTTP/1.1 200 OK\r\nContent-Type: application/hl7-v2", "MSH|^~\\&|LAB|HOSP|REG|WARD|20260102||ACK|R1|P|2.5\rMSA|AA|A1\r"), 0.5),
            Turn.Client(Body("POST /hl7 HTTP/1.1\r\nHost: e", Message), 1),
            Turn.Server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 1.5),
        ];
        var log = SessionContract.Holds(() => new HttpSession(), turns, 8080);
        Assert.Equal(2, log.Count(l => l.Contains("message_type='ADT^A01'", StringComparison.Ordinal)));
        Assert.Equal(2, log.Count(l => l.Contains("service='hl7'", StringComparison.Ordinal)));
        Assert.Contains(log, l => l.StartsWith("message", StringComparison.Ordinal) && l.Contains("duration=500000000", StringComparison.Ordinal) && l.Contains("ack_code='AA'", StringComparison.Ordinal));
        Assert.All(log, l => Assert.DoesNotContain("4711", l, StringComparison.Ordinal));

        var player = new SessionPlayer(new HttpSession(), 8080).Play(turns).End();
        Assert.Equal(ApplicationProtocol.Http, player.Flow.Application);
        Assert.Equal(2, player.Flow.Counters.Requests);
        Assert.Equal(2, player.Flow.Counters.Responses);
    }

    [Theory]
    [InlineData("Content-Length: 5\r\nTransfer-Encoding: chunked", HttpFault.LengthAndEncoding)]
    [InlineData("Content-Length: 5\r\nContent-Length: 6", HttpFault.DifferentLengths)]
    [InlineData("Content-Length: +5", HttpFault.BadLength)]
    [InlineData("Transfer-Encoding: xchunked", HttpFault.BadEncoding)]
    [InlineData("Transfer-Encoding: chunked, identity", HttpFault.BadEncoding)]
    [InlineData("X: a\r\n continued", HttpFault.FoldedField)]
    [InlineData("Content-Length : 0", HttpFault.SpaceBeforeColon)]
    [InlineData("X: a\nY: b", HttpFault.BareLineFeed)]
    [InlineData("X: a\0b", HttpFault.ControlCharacter)]
    [InlineData("nonsense", HttpFault.BadField)]
    public void FaultsOfHeads(string header, HttpFault expected)
    {
        var log = SessionContract.Whole(() => new HttpSession(), [Turn.Client($"POST / HTTP/1.1\r\nHost: h\r\n{header}\r\n\r\n")]);
        Assert.Contains(log, l => l.StartsWith("fault", StringComparison.Ordinal) && l.Contains($"fault='{HttpTransaction.NameOf(expected)}' sent_by='client'", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Content-Length: 5, 5")]
    [InlineData("Content-Length: 5\r\nContent-Length: 5")]
    [InlineData("Transfer-Encoding: gzip, chunked")]
    public void UsualHeadsHaveNoFault(string header) =>
        Assert.DoesNotContain(SessionContract.Whole(() => new HttpSession(), [Turn.Client($"POST / HTTP/1.1\r\nHost: h\r\n{header}\r\n\r\n")]), l => l.StartsWith("fault", StringComparison.Ordinal));

    [Fact]
    public void LongLinesAndLargeHeadsArePassedOver()
    {
        var request = "GET /x HTTP/1.1\r\nLong: " + new string('a', HttpSession.MaximumLineBytes) + "\r\n"
            + string.Concat(Enumerable.Range(0, 40).Select(i => $"H{i}: {new string('b', 4000)}\r\n")) + "\r\nGET /y HTTP/1.1\r\n\r\n";
        var whole = SessionContract.Whole(() => new HttpSession(), [Turn.Client(request)]);
        Assert.Equal(whole, SessionContract.Whole(() => new HttpSession(), [.. Latin(request).Chunk(1000).Select(c => Turn.Client(c))]));
        Assert.Contains(whole, l => l.Contains("fault='line_too_long'", StringComparison.Ordinal));
        Assert.Contains(whole, l => l.Contains("fault='head_too_large'", StringComparison.Ordinal));
        Assert.Contains(whole, l => l.Contains("path='/y'", StringComparison.Ordinal));
    }

    [Fact]
    public void AHeadThatDribblesIsSlow()
    {
        var turns = Enumerable.Range(0, 20).Select(i => Turn.Client(i == 0 ? "GET / HTTP/1.1\r\n" : $"X-{i}: y\r\n", i)).ToList();
        Assert.Single(SessionContract.Whole(() => new HttpSession(), turns), l => l.StartsWith("fault", StringComparison.Ordinal) && l.Contains("fault='slow_head'", StringComparison.Ordinal));
        var idle = new[] { Turn.Client("GET / HTTP/1.1\r\n\r\n"), Turn.Server("HTTP/1.1 204 x\r\n\r\n"), Turn.Client("GET / HTTP/1.1\r\n\r\n", 60) };
        Assert.DoesNotContain(SessionContract.Whole(() => new HttpSession(), idle), l => l.StartsWith("fault", StringComparison.Ordinal));
    }

    [Fact]
    public void ConnectionsArePassedOnAfterConnectAndUpgrade()
    {
        var player = new SessionPlayer(new HttpSession(), 3128);
        player.Send(Turn.Client("CONNECT pacs:11112 HTTP/1.1\r\nHost: pacs:11112\r\n\r\n"));
        player.Send(Turn.Server("HTTP/1.1 200 Connection established\r\n\r\nrest"));
        Assert.True(player.IsHandedOver);
        Assert.Equal("rest"u8, player.LeftOf(FlowDirection.FromResponder));
        Assert.Contains("method='CONNECT' host='pacs:11112'", Assert.Single(player.Log), StringComparison.Ordinal);

        player = new SessionPlayer(new HttpSession(), 80);
        player.Send(Turn.Client("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n"));
        player.Send(Turn.Server("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\u0081\u0005GET /"));
        player.Send(Turn.Client("\u0081\u0085aaaaGET / HTTP/1.1\r\n\r\n"));
        player.End();
        Assert.Contains("status=101", Assert.Single(player.Log), StringComparison.Ordinal);
    }

    [Fact]
    public void WhatWasLostIsToldAsPartial()
    {
        var player = new SessionPlayer(new HttpSession(), 80);
        player.Send(Turn.Client("GET /a HTTP/1.1\r\nHost: h\r\n\r\n"));
        player.Gap(FlowDirection.FromResponder, 500);
        player.Send(Turn.Server("rest of a body\r\nmore\r\n"));
        player.Send(Turn.Client("GET /b HTTP/1.1\r\nHost: h\r\n\r\n"));
        player.Send(Turn.Server("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n"));
        player.Gap(FlowDirection.FromResponder, 8);
        player.Send(Turn.Client("GET /c HTTP/1.1\r\nHost: h\r\n\r\n"));
        player.Send(Turn.Server("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"));
        player.End();
        Assert.Equal(3, player.Log.Count);
        Assert.DoesNotContain("status", player.Log[0], StringComparison.Ordinal);
        Assert.Contains("path='/b' version='1.1' status=200", player.Log[1], StringComparison.Ordinal);
        Assert.Contains("path='/c' version='1.1' status=404", player.Log[2], StringComparison.Ordinal);
    }

    [Fact]
    public void PipelinesAreBounded()
    {
        var log = SessionContract.Whole(() => new HttpSession(), [Turn.Client(string.Concat(Enumerable.Repeat("GET / HTTP/1.1\r\n\r\n", 100)))]);
        Assert.Equal(100, log.Count);
        var faults = SessionContract.Whole(() => new HttpSession(), [Turn.Client(string.Concat(Enumerable.Repeat("GET / HTTP/1.1\nX : 1\n\n", 200)))]);
        Assert.InRange(faults.Count(l => l.StartsWith("fault", StringComparison.Ordinal)), 2, 30);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n", ProbeResult.Certain)]
    [InlineData("HTTP/1.1 200 OK\r\n", ProbeResult.Certain)]
    [InlineData("NOTIFY * HTTP/1.1\r\n", ProbeResult.Certain)]
    [InlineData("GET /very", ProbeResult.Unsure)]
    [InlineData("HTT", ProbeResult.Unsure)]
    [InlineData("G", ProbeResult.Unsure)]
    [InlineData("OPTIONS sip:a@b SIP/2.0\r\n", ProbeResult.NotForUs)]
    [InlineData("DESCRIBE rtsp://a RTSP/1.0\r\n", ProbeResult.NotForUs)]
    [InlineData("GET\0/", ProbeResult.NotForUs)]
    [InlineData("GETTING started", ProbeResult.NotForUs)]
    [InlineData("HELO mail", ProbeResult.NotForUs)]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ProbeResult.NotForUs)]
    [InlineData("\u0016\u0003\u0001", ProbeResult.NotForUs)]
    [InlineData("SSH-2.0-x", ProbeResult.NotForUs)]
    public void Probes(string text, ProbeResult expected) => Assert.Equal(expected, HttpSession.Probe(FlowDirection.FromOriginator, Latin(text)));
}
