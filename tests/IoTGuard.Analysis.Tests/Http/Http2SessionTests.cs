using System.Text;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Analysis.Tests.Sessions;
using IoTGuard.Wire.Application.Http;

namespace IoTGuard.Analysis.Tests.Http;

public sealed class Http2SessionTests
{
    // RFC 7541 C.4.1 to C.4.3 and C.6.1: requests and a response with Huffman texts and a dynamic table.
    private static readonly byte[] First = Convert.FromHexString("828684418cf1e3c2e5f23a6ba0ab90f4ff");
    private static readonly byte[] Second = Convert.FromHexString("828684be5886a8eb10649cbf");
    private static readonly byte[] Third = Convert.FromHexString("828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf");
    private static readonly byte[] Redirect = Convert.FromHexString("488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3");

    private static byte[] Frame(Http2FrameType type, byte flags, int stream, params byte[] payload) =>
        [(byte)(payload.Length >> 16), (byte)(payload.Length >> 8), (byte)payload.Length, (byte)type, flags, 0, 0, 0, (byte)stream, .. payload];

    private static byte[] Literal(byte index, string value) => [(byte)(0x40 | index), (byte)value.Length, .. Encoding.ASCII.GetBytes(value)];

    private static byte[] Join(params byte[][] parts) => [.. parts.SelectMany(p => p)];

    private static readonly Turn[] Conversation =
    [
        Turn.Client(Join(Http2Frame.Preface.ToArray(), Frame(Http2FrameType.Settings, 0, 0), Frame(Http2FrameType.Headers, 0x5, 1, First))),
        Turn.Server(Join(Frame(Http2FrameType.Settings, 0, 0, 0, 3, 0, 0, 0, 100), Frame(Http2FrameType.Settings, 1, 0), Frame(Http2FrameType.Headers, 0x4, 1, Redirect),
            Frame(Http2FrameType.Data, 1, 1, "<html>"u8.ToArray())), 0.5),
        Turn.Client(Join(Frame(Http2FrameType.Headers, 0x9, 3, [2, .. Second[..5], 0, 0]), Frame(Http2FrameType.Continuation, 0x4, 3, Second[5..])), 1),
        Turn.Client(Frame(Http2FrameType.Headers, 0x25, 5, [0, 0, 0, 3, 10, .. Third]), 1.1),
        Turn.Server(Join(Frame(Http2FrameType.Headers, 0x4, 5, [0x8d]), Frame(Http2FrameType.Headers, 0x4, 3, [0x88, .. Literal(31, "application/json")]),
            Frame(Http2FrameType.Data, 0, 3, new byte[3000]), Frame(Http2FrameType.Data, 1, 5), Frame(Http2FrameType.WindowUpdate, 0, 0, 0, 0, 1, 0), Frame(Http2FrameType.Data, 9, 3, [4, 1, 2, 0, 0, 0, 0])), 1.5),
        Turn.Client(Join(Frame(Http2FrameType.Headers, 0x4, 7, [0x83, 0x86, .. Literal(4, "/grpc.health.v1.Health/Check"), .. Literal(31, "application/grpc"), .. Literal(58, "grpc-go/1")]),
            Frame(Http2FrameType.Data, 1, 7, 0, 0, 0, 0, 0)), 2),
        Turn.Server(Join(Frame(Http2FrameType.Headers, 0x4, 7, [0x88]), Frame(Http2FrameType.Headers, 0x5, 7, [0, 11, .. "grpc-status"u8, 1, (byte)'0'])), 2.5),
    ];

    [Fact]
    public void EverythingHoldsHoweverItIsCut()
    {
        var log = SessionContract.Holds(() => new Http2Session(), Conversation, 80);
        Assert.Equal(4, log.Count);
        Assert.Contains("duration=500000000 bytes=6 method='GET' host='www.example.com' path='/' version='2' status=302 authentication='none' response_bytes=6", log[0], StringComparison.Ordinal);
        Assert.Contains("host='www.example.com' path='/index.html' version='2' status=404", log[1], StringComparison.Ordinal);
        Assert.Contains("host='www.example.com' path='/' version='2' status=200 authentication='none' response_type='application/json' response_bytes=3002", log[2], StringComparison.Ordinal);
        Assert.Contains("method='POST'", log[3], StringComparison.Ordinal);
        Assert.Contains("user_agent='grpc-go/1' authentication='none' request_type='application/grpc' request_bytes=5 service='grpc' operation='Check' resource='grpc.health.v1.Health'", log[3], StringComparison.Ordinal);
    }

    [Fact]
    public void DamageIsAFaultAndEndsTheReading()
    {
        var start = Http2Frame.Preface.ToArray();
        Assert.Contains("fault='bad_compression' sent_by='client'", One(Frame(Http2FrameType.Headers, 0x5, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF)), StringComparison.Ordinal);
        Assert.Contains("fault='bad_frame'", One(Frame(Http2FrameType.Continuation, 0x4, 1, 0x82)), StringComparison.Ordinal);
        Assert.Contains("fault='bad_frame'", One([0xFF, 0xFF, 0xFF, 1, 0, 0, 0, 0, 1, 0]), StringComparison.Ordinal);
        Assert.Contains("fault='bad_frame'", One(Join(Frame(Http2FrameType.Headers, 0, 1, 0x82), Frame(Http2FrameType.Headers, 0, 3, 0x82))), StringComparison.Ordinal);

        string One(byte[] bytes) => SessionContract.Whole(() => new Http2Session(), [Turn.Client(Join(start, bytes))])[0];
    }

    [Fact]
    public void HeaderBombsAreBounded()
    {
        // A block of one-byte references to an entry of 4,000 bytes: each byte is a header.
        var entry = Join([0x40, 1, (byte)'x', 0x7F, 0xA1, 0x1E], new byte[4000]);
        var bomb = Frame(Http2FrameType.Headers, 0x5, 1, Join([0x82], entry, [.. Enumerable.Repeat((byte)0xBE, 20_000)]));
        var log = SessionContract.Whole(() => new Http2Session(), [Turn.Client(Join(Http2Frame.Preface.ToArray(), bomb))]);
        Assert.Single(log);
        var flood = Join([.. Enumerable.Range(0, 1000).Select(_ => Frame(Http2FrameType.Continuation, 0, 1, new byte[1000])).Prepend(Frame(Http2FrameType.Headers, 0, 1, 0x82)).Prepend(Http2Frame.Preface.ToArray())]);
        Assert.Contains("fault='bad_frame'", SessionContract.Whole(() => new Http2Session(), [Turn.Client(flood)])[0], StringComparison.Ordinal);
        var streams = Join([.. Enumerable.Range(0, 100).Select(i => Frame(Http2FrameType.Headers, 0x5, (2 * i) + 1, 0x82, 0x84)).Prepend(Http2Frame.Preface.ToArray())]);
        Assert.Equal(100, SessionContract.Whole(() => new Http2Session(), [Turn.Client(streams)]).Count);
    }

    [Fact]
    public void AnUpgradeIsHandedOver()
    {
        var player = new SessionPlayer(new HttpSession(), 80);
        player.Send(Turn.Client("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"));
        player.Send(Turn.Server(Join(Encoding.ASCII.GetBytes("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"), Frame(Http2FrameType.Settings, 0, 0, 0, 3, 0, 0, 0, 100))));
        Assert.True(player.IsHandedOver);
        Assert.Equal(ProbeResult.Certain, Http2Session.Probe(FlowDirection.FromResponder, player.LeftOf(FlowDirection.FromResponder)));
    }

    [Fact]
    public void Probes()
    {
        Assert.Equal(ProbeResult.Certain, Http2Session.Probe(FlowDirection.FromOriginator, Http2Frame.Preface));
        Assert.Equal(ProbeResult.Unsure, Http2Session.Probe(FlowDirection.FromOriginator, "PRI * HT"u8));
        Assert.Equal(ProbeResult.NotForUs, Http2Session.Probe(FlowDirection.FromOriginator, "POST / HTTP/1.1"u8));
        Assert.Equal(ProbeResult.NotForUs, Http2Session.Probe(FlowDirection.FromResponder, new byte[32]));
    }
}
