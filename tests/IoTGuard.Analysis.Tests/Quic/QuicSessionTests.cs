using System.Security.Cryptography;
using System.Text;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Analysis.Tests.Sessions;
using IoTGuard.Analysis.Tests.Tls;
using IoTGuard.Wire.Application.Quic;

namespace IoTGuard.Analysis.Tests.Quic;

public sealed class QuicSessionTests
{
    private static readonly byte[] Id = Convert.FromHexString("8394c8f03e515708");
    private static readonly byte[] ServerHello = TlsBytes.ServerHello(0x0303, 0x1301, null, null, TlsBytes.Extension(0x2B, 3, 4), TlsBytes.Extension(0x33, 0, 0x1D, 0, 1, 9));

    [Theory]
    [InlineData(QuicVersion.V1, "1")]
    [InlineData(QuicVersion.V2, "2")]
    [InlineData(0xFF00_001D, "draft-29")]
    [InlineData(QuicVersion.FirstDraft, "draft-22")]
    [InlineData(QuicVersion.Facebook22, "mvfst-22")]
    [InlineData(QuicVersion.Facebook27, "mvfst-27")]
    [InlineData(QuicVersion.FacebookTrial, "mvfst-trial")]
    [InlineData(QuicVersion.GoogleTls50, "T050")]
    [InlineData(QuicVersion.GoogleTls51, "T051")]
    public void A_handshake_in_shuffled_frames_keeps_the_contract(uint version, string name)
    {
        var hello = TlsBytes.Browser;
        Turn[] turns =
        [
            Turn.Client(Initial(version, Id, Id, false, 0, [.. Crypto(100, hello[100..250], version), 1, 0, .. Crypto(0, hello[..100], version)])),
            Turn.Client(Initial(version, Id, Id, false, 1, [.. Crypto(200, hello[200..], version), .. Crypto(100, hello[100..120], version)])),
            Turn.Server(Initial(version, Id, [9, 9, 9, 9], true, 0, [2, 1, 0, 0, 1, .. Crypto(0, ServerHello, version)]), 0.02),
            Turn.Client(Initial(version, Id, [7, 7, 7, 7, 7, 7, 7, 7], false, 2, [2, 0, 0, 0, 0])),
        ];
        var line = Assert.Single(SessionContract.Holds(static () => new QuicSession(), turns, 443, allocates: true));
        Assert.Contains($"duration=20000000 ", line, StringComparison.Ordinal);
        Assert.Contains($"complete=True quic_version='{name}' version='TLS 1.3' offered_version='TLS 1.3' cipher_suite='TLS_AES_128_GCM_SHA256'", line, StringComparison.Ordinal);
        Assert.Contains("server_name='pacs.hospital.test' alpn_offered='h2'", line, StringComparison.Ordinal);
        Assert.Contains("ja4='q13d1516h2_8daaf6152771_e5627efa2ab1'", line, StringComparison.Ordinal);
        Assert.Equal(ProbeResult.Certain, QuicSession.Probe(FlowDirection.FromOriginator, turns[0].Bytes));
    }

    /// <summary>RFC 9000 15: nobody speaks 0x?a?a?a?a; who asks for it wants to hear of the versions there are.</summary>
    [Theory]
    [InlineData(0x0A0A0A0A, 8, 1200, ProbeResult.Certain)]
    [InlineData(0x1A2A3A4A, 20, 1200, ProbeResult.Certain)]
    [InlineData(0x1A2A3A4B, 8, 1200, ProbeResult.NotForUs)]
    [InlineData(0x0A0A0A0A, 7, 1200, ProbeResult.NotForUs)]
    [InlineData(0x0A0A0A0A, 21, 1200, ProbeResult.NotForUs)]
    [InlineData(0x0A0A0A0A, 8, 1199, ProbeResult.NotForUs)]
    public void A_client_that_forces_negotiation_is_recognised(uint version, int idBytes, int size, ProbeResult expected)
    {
        var datagram = new byte[size];
        datagram[0] = 0xC3;
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(datagram.AsSpan(1), version);
        datagram[5] = (byte)idBytes;
        Assert.Equal(expected, QuicSession.Probe(FlowDirection.FromOriginator, datagram));
        SessionContract.Holds(static () => new QuicSession(), [Turn.Client(datagram)]);
    }

    [Fact]
    public void After_a_retry_the_keys_are_those_of_the_new_connection_id()
    {
        byte[] other = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
        byte[] retry = [0xF0, 0, 0, 0, 1, 4, 1, 1, 1, 1, 10, .. other, .. new byte[40]];
        Turn[] turns =
        [
            Turn.Client(Initial(QuicVersion.V1, Id, Id, false, 0, Crypto(0, TlsBytes.Browser))),
            Turn.Server(retry),
            Turn.Client(Initial(QuicVersion.V1, other, other, false, 1, Crypto(0, TlsBytes.Browser), tokenBytes: 40)),
            Turn.Server(Initial(QuicVersion.V1, other, [1, 1, 1, 1], true, 0, Crypto(0, ServerHello))),
        ];
        var line = Assert.Single(SessionContract.Whole(static () => new QuicSession(), turns));
        Assert.Contains("complete=True", line, StringComparison.Ordinal);
        Assert.Contains("retried=True", line, StringComparison.Ordinal);
    }

    [Fact]
    public void Work_for_a_flow_is_bounded()
    {
        var player = new SessionPlayer(new QuicSession());
        var junk = Initial(QuicVersion.V1, [6, 6, 6, 6, 6, 6, 6, 6], Id, false, 0, []);
        for (var i = 0; i < 10_000; i++)
            player.Send(FlowDirection.FromOriginator, junk);
        Assert.InRange(player.Flow.Counters.Faults, 1, QuicSession.MaximumPackets);
        Assert.Empty(player.End().Log);
    }

    /// <summary>Google's own handshake is in the clear until Q049, with two forms of header, and in an Initial packet in Q050.</summary>
    [Theory]
    [InlineData("Q024")]
    [InlineData("Q043")]
    [InlineData("Q044")]
    [InlineData("Q046")]
    [InlineData("Q050")]
    public void A_hello_of_Googles_own_handshake_keeps_the_contract(string version)
    {
        var hello = GoogleHello(("PAD\0", new byte[300]), ("SNI\0", "pacs.hospital.test"u8.ToArray()), ("VER\0", Encoding.ASCII.GetBytes(version)));
        Turn[] turns = [Turn.Client(GooglePacket(version, hello)), Turn.Server([0x00, 1, 2, 3, 4, 5]), Turn.Client(GooglePacket(version, hello))];
        Assert.Equal(ProbeResult.Certain, QuicSession.Probe(FlowDirection.FromOriginator, turns[0].Bytes));
        var line = Assert.Single(SessionContract.Holds(static () => new QuicSession(), turns, 443, allocates: true));
        Assert.Contains($"complete=False quic_version='{version}' server_name='pacs.hospital.test'", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Q023")]
    [InlineData("Q04A")]
    [InlineData("Q0:0")]
    [InlineData("R043")]
    public void Other_letters_are_no_version_of_Googles(string version) =>
        Assert.Equal(ProbeResult.NotForUs, QuicSession.Probe(FlowDirection.FromOriginator, GooglePacket(version, GoogleHello())));

    [Fact]
    public void A_version_of_Googles_without_a_hello_is_only_likely() =>
        Assert.Equal(ProbeResult.Likely, QuicSession.Probe(FlowDirection.FromOriginator, GooglePacket("Q043", [1, 2, 3, 4])));

    [Fact]
    public void Damaged_hellos_of_Googles_name_nobody()
    {
        var whole = GoogleHello(("PAD\0", new byte[30]), ("SNI\0", "pacs.hospital.test"u8.ToArray()));
        for (var length = 0; length < whole.Length; length++)
            Assert.True(Wire.Application.Quic.GoogleHello.ServerName(whole.AsSpan(0, length)).IsEmpty);
        Assert.True(Wire.Application.Quic.GoogleHello.ServerName([.. whole[..4], 0xFF, 0xFF, .. whole[6..]]).IsEmpty);
        whole[8 + 4] = 0xFF;
        Assert.True(Wire.Application.Quic.GoogleHello.ServerName(whole).IsEmpty);
    }

    private static byte[] GoogleHello(params (string Tag, byte[] Value)[] values)
    {
        var bytes = new List<byte>([.. "CHLO"u8, (byte)values.Length, 0, 0, 0]);
        var end = 0;
        foreach (var (tag, value) in values)
        {
            end += value.Length;
            bytes.AddRange([.. Encoding.ASCII.GetBytes(tag), (byte)end, (byte)(end >> 8), 0, 0]);
        }

        return [.. bytes, .. values.SelectMany(static v => v.Value)];
    }

    private static byte[] GooglePacket(string version, byte[] hello)
    {
        var number = Encoding.ASCII.GetBytes(version);
        byte[] stream = [.. new byte[12], 0xA0, 1, (byte)hello.Length, (byte)(hello.Length >> 8), .. hello];
        return version switch
        {
            "Q050" => Initial(QuicVersion.Google50, Id, Id, false, 0, Crypto(0, hello, QuicVersion.Google50)),
            "Q044" or "Q046" => [0xC3, .. number, 0x50, .. Id, 0, 0, 0, 1, .. stream],
            _ => [0x0D, .. Id, .. number, 1, .. stream],
        };
    }

    private static byte[] Crypto(int offset, byte[] data, uint version = QuicVersion.V1) =>
        [QuicVersion.HasGoogleFrames(version) ? (byte)8 : (byte)6, .. Number(offset), .. Number(data.Length), .. data];

    private static byte[] Number(int value) => [(byte)(0x40 | (value >> 8)), (byte)value];

    /// <summary>An Initial packet made as RFC 9001 5 says, padded to the size of a client's datagram.</summary>
    private static byte[] Initial(uint version, byte[] keyId, byte[] destination, bool byServer, byte number, byte[] frames, int tokenBytes = 0)
    {
        byte[] payload = [.. frames, .. new byte[Math.Max(0, 1170 - frames.Length)]];
        var isV2 = version == QuicVersion.V2;
        byte[] header =
        [
            (byte)(isV2 ? 0xD0 : 0xC0), (byte)(version >> 24), (byte)(version >> 16), (byte)(version >> 8), (byte)version,
            (byte)destination.Length, .. destination, 0, .. Number(tokenBytes), .. new byte[tokenBytes], .. Number(payload.Length + 17), number,
        ];
        var secret = HKDF.Extract(HashAlgorithmName.SHA256, keyId, QuicVersion.SaltOf(version).ToArray());
        secret = Expand(secret, byServer ? "server in" : "client in", 32);
        var prefix = isV2 ? "quicv2 " : "quic ";
        var iv = Expand(secret, prefix + "iv", 12);
        iv[11] ^= number;
        var sealedBytes = new byte[payload.Length + 16];
        using (var gcm = new AesGcm(Expand(secret, prefix + "key", 16), 16))
            gcm.Encrypt(iv, payload, sealedBytes.AsSpan(0, payload.Length), sealedBytes.AsSpan(payload.Length), header);
        using var aes = Aes.Create();
        aes.Key = Expand(secret, prefix + "hp", 16);
        var mask = aes.EncryptEcb(sealedBytes.AsSpan(3, 16), PaddingMode.None);
        header[0] ^= (byte)(mask[0] & 0x0F);
        header[^1] ^= mask[1];
        return [.. header, .. sealedBytes];
    }

    private static byte[] Expand(byte[] secret, string label, int length) =>
        HKDF.Expand(HashAlgorithmName.SHA256, secret, length, [0, (byte)length, (byte)(6 + label.Length), .. Encoding.ASCII.GetBytes("tls13 " + label), 0]);
}
