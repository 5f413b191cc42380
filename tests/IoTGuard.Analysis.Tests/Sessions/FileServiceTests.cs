using System.Buffers.Binary;
using System.Text;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Tests.Sessions;

/// <summary>File servers, directories, brokers, controllers and databases: held to the contract on what real programs said.</summary>
public sealed class FileServiceTests
{
    public static TheoryData<string, int, int> Conversations()
    {
        var data = new TheoryData<string, int, int>();
        foreach (var (capture, port, count) in new[]
        {
            ("smb.pcapng", 445, 3), ("smb.pcapng", 139, 1), ("smb-attacks.pcapng", 445, 2), ("services.pcapng", 389, 5), ("services.pcapng", 1883, 2), ("services.pcapng", 1884, 2),
            ("services.pcapng", 502, 1), ("services.pcapng", 515, 1), ("services.pcapng", 111, 1), ("services.pcapng", 6379, 2), ("services.pcapng", 6380, 2), ("services.pcapng", 3306, 2), ("services.pcapng", 5432, 2),
        })
        {
            for (var i = 0; i < count; i++)
                data.Add(capture, port, i);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Conversations))]
    public void Sessions_hold_the_contract_on_what_real_programs_said(string capture, int port, int number)
    {
        var turns = CapturedTurns.Of(capture, (ushort)port)[number];
        Assert.NotEmpty(SessionContract.Holds(CreateFor(port), turns, (ushort)port));
    }

    [Theory]
    [MemberData(nameof(Conversations))]
    public void Probes_recognise_them_and_no_other_probe_does(string capture, int port, int number)
    {
        var first = CapturedTurns.Of(capture, (ushort)port)[number][0];
        var expected = CreateFor(port)().Protocol;
        foreach (var row in ProtocolTable.Streams)
        {
            var isIt = row.Create().Protocol == expected;
            var answer = row.Probe(first.Direction, first.Bytes);
            Assert.True(isIt ? answer is ProbeResult.Certain or ProbeResult.Likely : answer != ProbeResult.Certain, $"{row.Name}: {answer}");
            for (var length = 0; length <= first.Bytes.Length; length++)
                Assert.False(isIt && row.Probe(first.Direction, first.Bytes.AsSpan(0, length)) == ProbeResult.NotForUs, $"{row.Name} gives up after {length} bytes");
        }
    }

    [Fact]
    public void Remote_procedures_over_udp_hold_the_contract()
    {
        var turns = CapturedTurns.Of("services.pcapng", 111, IpProtocol.Udp);
        Assert.All(turns, t => Assert.NotEmpty(SessionContract.Holds(static () => new RpcDatagramSession(), t, 111)));
        Assert.All(turns, t => Assert.Equal(ProbeResult.Certain, RpcDatagramSession.Probe(FlowDirection.FromOriginator, t[0].Bytes)));
    }

    [Fact]
    public void Eternal_blue_shows_by_its_transactions()
    {
        var log = SessionContract.Whole(static () => new SmbSession(),
        [
            Turn.Client(Smb1(0xA0, 0, 64, NtTransact(0x1_0000))),
            Turn.Server(Smb1(0xA0, 0x80, 64, [0])),
            Turn.Client(Smb1(0x33, 0, 65, new byte[19])),
        ], 445);
        Assert.Contains(log, l => l.Contains("nt_transact_continued_by_transaction2", StringComparison.Ordinal));

        var honest = SessionContract.Whole(static () => new SmbSession(), [Turn.Client(Smb1(0xA0, 0, 64, NtTransact(512))), Turn.Client(Smb1(0x33, 0, 65, new byte[19]))], 445);
        Assert.DoesNotContain(honest, l => l.StartsWith("fault", StringComparison.Ordinal));
    }

    [Fact]
    public void Double_pulsar_shows_by_its_question_and_its_answer()
    {
        var question = Smb1(0x32, 0, 65, Transaction2(0x0E));
        var answer = Smb1(0x32, 0x80, 81, [0], status: 0xC000_0002);
        var log = SessionContract.Holds(static () => new SmbSession(), [Turn.Client(question), Turn.Server(answer)], 445);
        Assert.Contains(log, l => l.Contains("transaction2_session_setup", StringComparison.Ordinal));
        Assert.Contains(log, l => l.Contains("doublepulsar_answer", StringComparison.Ordinal));
    }

    [Fact]
    public void A_dcerpc_bind_and_what_is_called_are_told()
    {
        var bind = Convert.FromHexString("05000B03100000004800000001000000B810B8100000000001000000000001000883AFE11F5DC91191A408002B14A0FA03000000045D888AEB1CC9119FE808002B10486002000000");
        var call = Convert.FromHexString("0500000310000000180000000200000000000000000003 00".Replace(" ", "", StringComparison.Ordinal));
        var log = SessionContract.Holds(static () => new DcerpcSession(), [Turn.Client(bind), Turn.Client(call)], 135);
        Assert.Equal(2, log.Count);
        Assert.Contains("interface='epmapper'", log[0], StringComparison.Ordinal);
        Assert.Contains("operation='ept_map'", log[1], StringComparison.Ordinal);
        Assert.Equal(ProbeResult.Certain, DcerpcSession.Probe(FlowDirection.FromOriginator, bind));
    }

    [Fact]
    public void Sql_server_tells_its_version_and_whether_it_encrypts()
    {
        // MS-TDS 4.1 and 4.2, the standard's own example of a PRELOGIN exchange.
        var client = Convert.FromHexString("1201002F0000010000001A00060100200001020021000103002200040400260001FF090000000000010000B80D000001");
        client[3] = (byte)client.Length;
        var server = Convert.FromHexString("0401002B0000010000001A00060100200001020021000103002200000400220001FF09001000000002000000");
        server[3] = (byte)server.Length;
        var log = SessionContract.Holds(static () => new TdsSession(), [Turn.Client(client), Turn.Server(server)], 1433);
        Assert.Contains("server_version='9.0.4096' encrypted=False", Assert.Single(log), StringComparison.Ordinal);
        Assert.Equal(ProbeResult.Certain, TdsSession.Probe(FlowDirection.FromOriginator, client));
    }

    [Fact]
    public void A_mongo_database_that_answers_strangers_is_told_from_one_that_does_not()
    {
        Assert.Contains("authentication='none'", Single("{ok}"), StringComparison.Ordinal);
        Assert.Contains("refused=True", Single("command find requires authentication"), StringComparison.Ordinal);

        static string Single(string reply) => Assert.Single(SessionContract.Holds(static () => new MongoDbSession(),
            [Turn.Client(Mongo(0, Document("find", "patients"))), Turn.Server(Mongo(1, Document("errmsg", reply)))], 27017));
    }

    [Fact]
    public void Oracle_answers_are_told()
    {
        var connect = new byte[70];
        new byte[] { 0, 70, 0, 0, 1, 0, 0, 0, 1, 0x3A, 1, 0x2C }.CopyTo(connect, 0);
        Assert.Equal(ProbeResult.Certain, OracleSession.Probe(FlowDirection.FromOriginator, connect));
        var log = SessionContract.Holds(static () => new OracleSession(), [Turn.Client(connect), Turn.Server([0, 12, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0])], 1521);
        Assert.Contains("refused=True", Assert.Single(log), StringComparison.Ordinal);
    }

    [Fact]
    public void No_password_name_or_path_leaves()
    {
        string[] secrets = ["Lab-Only-7", "guess", "ward0", "lokked", "pump0", "gateway", "daemon", "scan.dcm"];
        foreach (var (capture, port) in new[] { ("smb.pcapng", 445), ("smb-attacks.pcapng", 445), ("services.pcapng", 389), ("services.pcapng", 1883), ("services.pcapng", 1884), ("services.pcapng", 3306), ("services.pcapng", 6380) })
        {
            foreach (var turns in CapturedTurns.Of(capture, (ushort)port))
            {
                var log = string.Join('\n', SessionContract.Whole(CreateFor(port), turns, (ushort)port));
                Assert.All(secrets, s => Assert.DoesNotContain(s, log, StringComparison.Ordinal));
            }
        }
    }

    [Theory]
    [InlineData("report.docx", "docx", true)]
    [InlineData("report.docx.locked", "aaaaaa", false)]
    [InlineData("Doe.John7", "aaaa9", false)]
    [InlineData("folder.d\\file", "", true)]
    [InlineData("none", "", true)]
    public void Extensions_leave_as_shapes(string name, string expected, bool usual)
    {
        var shape = new byte[16];
        var length = FileShape.Extension(Encoding.Unicode.GetBytes(name), isUnicode: true, shape, out var isUsual, out _);
        Assert.Equal((expected, usual), (Encoding.ASCII.GetString(shape, 0, length), isUsual));
        length = FileShape.Extension(Encoding.ASCII.GetBytes(name), isUnicode: false, shape, out isUsual, out _);
        Assert.Equal((expected, usual), (Encoding.ASCII.GetString(shape, 0, length), isUsual));
    }

    private static Func<ProtocolSession> CreateFor(int port) => port switch
    {
        445 or 139 => static () => new SmbSession(),
        389 => static () => new LdapSession(),
        1883 or 1884 => static () => new MqttSession(),
        502 => static () => new ModbusSession(),
        515 => static () => new LpdSession(),
        111 => static () => new RpcStreamSession(),
        6379 or 6380 => static () => new RedisSession(),
        3306 => static () => new MySqlSession(),
        5432 => static () => new PostgreSqlSession(),
        _ => throw new ArgumentOutOfRangeException(nameof(port)),
    };

    private static byte[] Smb1(byte command, byte flags, byte multiplexId, byte[] block, uint status = 0)
    {
        var message = new byte[4 + 32 + block.Length];
        message[3] = (byte)(message.Length - 4);
        new byte[] { 0xFF, (byte)'S', (byte)'M', (byte)'B', command }.CopyTo(message, 4);
        BinaryPrimitives.WriteUInt32LittleEndian(message.AsSpan(9), status);
        message[13] = flags;
        message[15] = 0xC0;
        message[34] = multiplexId;
        block.CopyTo(message, 36);
        return message;
    }

    private static byte[] NtTransact(uint totalData)
    {
        var block = new byte[1 + 38 + 2];
        block[0] = 19;
        BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(1 + 7), totalData);
        return block;
    }

    private static byte[] Transaction2(byte function)
    {
        var block = new byte[1 + 30 + 2];
        block[0] = 15;
        block[1 + 28] = function;
        return block;
    }

    private static byte[] Document(string name, string value)
    {
        byte[] body = [2, .. Encoding.ASCII.GetBytes(name), 0, .. BitConverter.GetBytes(value.Length + 1), .. Encoding.ASCII.GetBytes(value), 0, 0];
        return [.. BitConverter.GetBytes(body.Length + 4), .. body];
    }

    private static byte[] Mongo(int responseTo, byte[] document) =>
        [.. BitConverter.GetBytes(21 + document.Length), 1, 0, 0, 0, .. BitConverter.GetBytes(responseTo), .. BitConverter.GetBytes(2013), 0, 0, 0, 0, 0, .. document];
}
