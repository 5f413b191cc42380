using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Analysis.Tests.Sessions;

namespace IoTGuard.Analysis.Tests.Tls;

public sealed class DtlsSessionTests
{
    private static readonly byte[] ServerHello = TlsBytes.ServerHello(0xFEFD, 0xC02B, null, null);
    private static readonly byte[] Encrypted = Record(22, 1, 0xFEFD, new byte[40]);

    [Fact]
    public void A_handshake_with_a_cookie_in_shuffled_fragments_keeps_the_contract()
    {
        var hello = WithCookie(TlsBytes.Browser, []);
        var again = WithCookie(TlsBytes.Browser, [1, 2, 3, 4]);
        Turn[] turns =
        [
            Turn.Client(Record(22, 0, 0xFEFF, Fragment(hello, 0, 0, hello.Length - 4))),
            Turn.Server(Record(22, 0, 0xFEFF, Fragment([3, 0, 0, 7, 0xFE, 0xFF, 4, 1, 2, 3, 4], 0, 0, 7))),
            Turn.Client(Record(22, 0, 0xFEFD, Fragment(again, 1, 200, again.Length - 204))),
            Turn.Client(Record(22, 0, 0xFEFD, Fragment(again, 1, 0, 200))),
            Turn.Server([.. Record(22, 0, 0xFEFD, Fragment(ServerHello, 1, 0, ServerHello.Length - 4)), .. Record(22, 0, 0xFEFD, Fragment([14, 0, 0, 0], 2, 0, 0))]),
            Turn.Client([.. Record(20, 0, 0xFEFD, [1]), .. Encrypted]),
            Turn.Server([.. Record(20, 0, 0xFEFD, [1]), .. Encrypted], 0.05),
            Turn.Client(Record(23, 1, 0xFEFD, new byte[100])),
        ];
        var line = Assert.Single(SessionContract.Holds(static () => new DtlsSession(), turns, 5684, allocates: true));
        Assert.Contains("complete=True version='DTLS 1.2'", line, StringComparison.Ordinal);
        Assert.Contains("server_name='pacs.hospital.test'", line, StringComparison.Ordinal);
        Assert.Contains("retried=True", line, StringComparison.Ordinal);
        Assert.Contains("ja4='d", line, StringComparison.Ordinal);
        Assert.All(turns, static turn => Assert.Equal(ProbeResult.Certain, DtlsSession.Probe(FlowDirection.FromOriginator, turn.Bytes)));
    }

    [Fact]
    public void Records_must_fill_the_datagram()
    {
        Assert.Equal(ProbeResult.NotForUs, DtlsSession.Probe(FlowDirection.FromOriginator, [.. Encrypted, 0]));
        Assert.Equal(ProbeResult.NotForUs, DtlsSession.Probe(FlowDirection.FromOriginator, Encrypted.AsSpan(0, Encrypted.Length - 1)));
        Assert.Equal(ProbeResult.NotForUs, DtlsSession.Probe(FlowDirection.FromOriginator, Record(22, 0, 0xFEFD, new byte[3])));
        Assert.Equal(ProbeResult.NotForUs, DtlsSession.Probe(FlowDirection.FromOriginator, Record(22, 0, 0xFEFD, [99, .. new byte[11]])));
        Assert.Equal(ProbeResult.NotForUs, DtlsSession.Probe(FlowDirection.FromOriginator, Record(23, 1, 0x0303, new byte[20])));
    }

    [Fact]
    public void A_flood_of_fragments_is_bounded()
    {
        var player = new SessionPlayer(new DtlsSession(), 5684);
        for (var i = 0; i < 10_000; i++)
            player.Send(Turn.Client(Record(22, 0, 0xFEFD, Fragment([1, 0xFF, 0xFF, 0xFF], i, i, 0))));
        Assert.Empty(player.End().Log);
    }

    private static byte[] Record(byte type, byte epoch, ushort version, byte[] fragment) =>
        [type, (byte)(version >> 8), (byte)version, 0, epoch, 0, 0, 0, 0, 0, 0, (byte)(fragment.Length >> 8), (byte)fragment.Length, .. fragment];

    /// <summary>Bytes of a message, whose header has four, from an offset on.</summary>
    private static byte[] Fragment(byte[] message, int sequence, int offset, int length) =>
    [
        .. message[..4], (byte)(sequence >> 8), (byte)sequence, (byte)(offset >> 16), (byte)(offset >> 8), (byte)offset, (byte)(length >> 16), (byte)(length >> 8), (byte)length,
        .. message.AsSpan(4 + Math.Min(offset, message.Length - 4), Math.Min(length, message.Length - 4)),
    ];

    /// <summary>A ClientHello of TLS as DTLS has it: its version, and a cookie after the session id.</summary>
    private static byte[] WithCookie(byte[] hello, byte[] cookie)
    {
        const int session = 4 + 2 + 32;
        var at = session + 1 + hello[session];
        byte[] body = [0xFE, 0xFD, .. hello[6..at], (byte)cookie.Length, .. cookie, .. hello[at..]];
        return [1, (byte)(body.Length >> 16), (byte)(body.Length >> 8), (byte)body.Length, .. body];
    }
}
