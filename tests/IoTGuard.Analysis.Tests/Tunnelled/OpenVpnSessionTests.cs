using System.Buffers.Binary;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Analysis.Tests.Sessions;

namespace IoTGuard.Analysis.Tests.Tunnelled;

public sealed class OpenVpnSessionTests
{
    private static readonly byte[] Session = [0x33, 0x48, 0x57, 0x70, 0x3D, 0x96, 0xDB, 0x39];
    private static readonly byte[] Replay = [0, 0, 0, 1, 0x62, 0x5A, 0x9E, 0x97];
    private static readonly byte[] ClientEnd = new byte[5];
    private static readonly byte[] ServerEnd = [1, 0, 0, 0, 0, .. Session, 0, 0, 0, 0];

    [Theory]
    [InlineData("tls", 0)]
    [InlineData("tls-auth", 20)]
    [InlineData("tls-auth", 32)]
    [InlineData("tls-auth", 64)]
    [InlineData("tls-crypt", -1)]
    public void A_session_is_told_with_its_protection(string name, int digest)
    {
        byte[] client = [0x38, .. Session, .. Protected(digest, ClientEnd)], server = [0x40, .. Session, .. Protected(digest, ServerEnd)], data = [0x48, .. new byte[60]];
        Turn[] turns = [Turn.Client(client), Turn.Server(server, 0.02), Turn.Client(data)];
        Assert.Equal(ProbeResult.Certain, OpenVpnSession.Probe(FlowDirection.FromOriginator, client));
        var log = SessionContract.Holds(static () => new OpenVpnSession(), turns, 1194);
        Assert.Contains("duration=20000000 ", Assert.Single(log), StringComparison.Ordinal);
        Assert.EndsWith($" protection='{name}' answered=True", log[0], StringComparison.Ordinal);

        turns = [.. turns.Select(static turn => turn with { Bytes = Prefixed(turn.Bytes) })];
        Assert.Equal(ProbeResult.Certain, OpenVpnStreamSession.Probe(FlowDirection.FromOriginator, turns[0].Bytes));
        for (var length = 2; length < turns[0].Bytes.Length; length++)
            Assert.Equal(ProbeResult.Unsure, OpenVpnStreamSession.Probe(FlowDirection.FromOriginator, turns[0].Bytes.AsSpan(0, length)));
        Assert.EndsWith($" protection='{name}' answered=True", Assert.Single(SessionContract.Holds(static () => new OpenVpnStreamSession(), turns, 443)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_client_with_a_key_of_its_own_is_told_even_when_nobody_answers()
    {
        byte[] key = [.. new byte[298], 1, 44];
        byte[] client = [0x50, .. Session, .. Protected(-1, ClientEnd), .. key];
        Assert.EndsWith(
            " protection='tls-crypt-v2' answered=False",
            Assert.Single(SessionContract.Holds(static () => new OpenVpnSession(), [Turn.Client(client)], 1194)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("38334857703D96DB39")]
    [InlineData("38334857703D96DB390000000001")]
    [InlineData("38334857703D96DB39000000000000")]
    [InlineData("39334857703D96DB390000000000")]
    [InlineData("50334857703D96DB390000000000")]
    public void Other_bytes_are_not_taken_for_it(string bytes) =>
        Assert.Equal(ProbeResult.NotForUs, OpenVpnSession.Probe(FlowDirection.FromOriginator, Convert.FromHexString(bytes)));

    /// <summary>What follows the session: with a digest of this many bytes, encrypted for -1, or in the clear for 0.</summary>
    private static byte[] Protected(int digest, byte[] end) => digest switch
    {
        0 => end,
        -1 => [.. Replay, .. Enumerable.Repeat((byte)0xA7, 32 + end.Length)],
        _ => [.. Enumerable.Repeat((byte)0xA7, digest), .. Replay, .. end],
    };

    private static byte[] Prefixed(byte[] packet)
    {
        var length = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)packet.Length);
        return [.. length, .. packet];
    }
}
