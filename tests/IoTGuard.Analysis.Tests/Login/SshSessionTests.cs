using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Analysis.Tests.Sessions;

namespace IoTGuard.Analysis.Tests.Login;

public sealed class SshSessionTests
{
    private static readonly byte[] NewKeys = Packet(21);

    private static readonly Turn[] Hello =
    [
        Turn.Server("banner line\r\nSSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"), Turn.Client("SSH-2.0-libssh2_1.10\r\n"),
        Turn.Client(KexInit("curve25519-sha256,diffie-hellman-group14-sha1", "ssh-rsa,ssh-ed25519", "aes128-ctr,3des-cbc", "hmac-sha2-256", "none")),
        Turn.Server(KexInit("sntrup761,diffie-hellman-group14-sha1,curve25519-sha256", "ssh-ed25519", "chacha20-poly1305@openssh.com,aes128-ctr", "hmac-sha1,hmac-sha2-256", "none,zlib")),
        Turn.Client(Packet(30, 32)), Turn.Server([.. Packet(31, 100), .. NewKeys]), Turn.Client(NewKeys),
    ];

    [Fact]
    public void A_session_with_two_refusals_and_a_success_keeps_the_contract()
    {
        var log = SessionContract.Holds(static () => new SshSession(), [.. Hello, .. Refused(2), Turn.Client(new byte[148]), Turn.Server(new byte[36]), Turn.Client(new byte[5000]), Turn.Server(new byte[9000])], 22);
        Assert.Equal(2, log.Count);
        var kex = "curve25519-sha256,diffie-hellman-group14-sha1;aes128-ctr,3des-cbc;hmac-sha2-256;none";
        Assert.Contains($" client_version='2.0-libssh2_1.10' server_version='2.0-OpenSSH_9.2p1 Debian-2' hassh='{Md5(kex)}' hassh_server='", log[0], StringComparison.Ordinal);
        Assert.EndsWith(" key_exchange='curve25519-sha256' host_key='ssh-ed25519' cipher='aes128-ctr' mac='hmac-sha2-256'", log[0], StringComparison.Ordinal);
        Assert.EndsWith(" login='succeeded' failed_logins=2", log[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3, " login='failed' failed_logins=3")]
    [InlineData(0, "")]
    public void Sessions_that_end_without_success(int refusals, string expected)
    {
        var log = SessionContract.Whole(static () => new SshSession(), [.. Hello, .. Refused(refusals), Turn.Client(new byte[60])]);
        Assert.EndsWith(" server_version='2.0-OpenSSH_9.2p1 Debian-2'" + expected, log[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(52, " login='failed' failed_logins=1")]
    [InlineData(28, "")]
    public void A_client_that_asks_for_all_at_once(int second, string expected)
    {
        var log = SessionContract.Whole(static () => new SshSession(), [.. Hello, Turn.Client(new byte[120]), Turn.Server(new byte[96]), Turn.Client(new byte[76]), Turn.Server(new byte[second]), Turn.Client(new byte[60])]);
        Assert.EndsWith(" server_version='2.0-OpenSSH_9.2p1 Debian-2'" + expected, log[1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_question_before_success_is_no_refusal()
    {
        var log = SessionContract.Whole(static () => new SshSession(), [.. Hello, .. Refused(0), Turn.Client(new byte[500]), Turn.Server(new byte[400]), Turn.Client(new byte[600]), Turn.Server(new byte[36]), Turn.Client(new byte[60])]);
        Assert.EndsWith(" login='succeeded'", log[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("SSH-2.0-x\r\n", ProbeResult.Certain)]
    [InlineData("SSH-", ProbeResult.Unsure)]
    [InlineData("SSD-2", ProbeResult.NotForUs)]
    internal void Probe(string text, ProbeResult expected) =>
        Assert.Equal(expected, SshSession.Probe(FlowDirection.FromResponder, System.Text.Encoding.Latin1.GetBytes(text)));

    /// <summary>EXT_INFO of the server, service request, "none", and refused passwords, in the sizes of aes128-ctr with hmac-sha2-256.</summary>
    private static IEnumerable<Turn> Refused(int passwords)
    {
        yield return Turn.Server(new byte[300]);
        yield return Turn.Client(new byte[64]);
        yield return Turn.Server(new byte[64]);
        yield return Turn.Client(new byte[80]);
        yield return Turn.Server(new byte[80]);
        for (var i = 0; i < passwords; i++)
        {
            yield return Turn.Client(new byte[148]);
            yield return Turn.Server(new byte[80]);
        }
    }

    private static byte[] Packet(byte message, int size = 10) => [0, 0, 0, (byte)(size + 2), 4, message, .. new byte[size]];

    private static byte[] KexInit(string kex, string hostKey, string cipher, string mac, string compression)
    {
        var body = new List<byte> { 4, 20 };
        body.AddRange(new byte[16]);
        foreach (var list in (string[])[kex, hostKey, cipher, cipher, mac, mac, compression, compression, "", ""])
            body.AddRange([0, 0, (byte)(list.Length >> 8), (byte)list.Length, .. System.Text.Encoding.ASCII.GetBytes(list)]);
        body.AddRange(new byte[9]);
        return [0, 0, (byte)(body.Count >> 8), (byte)body.Count, .. body];
    }

#pragma warning disable CA5351 // HASSH is an MD5
    private static string Md5(string text) => Convert.ToHexStringLower(System.Security.Cryptography.MD5.HashData(System.Text.Encoding.ASCII.GetBytes(text)));
#pragma warning restore CA5351
}
