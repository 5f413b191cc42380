using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Outputs.Delivery;

namespace IoTGuard.Tests.Syslog;

public sealed class SyslogOutputTests
{
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(2);

    private static TestOutputs Create(string uri) => new(uri);

    private static TcpListener Listen()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return listener;
    }

    private static int Port(TcpListener listener) => ((IPEndPoint)listener.LocalEndpoint).Port;

    private static void Send(TestOutputs output, int count, int first = 0)
    {
        for (var i = first; i < first + count; i++)
            output.Send(Samples.Alert(i));
    }

    private static async Task<List<byte[]>> ReadOctetCounted(Stream stream)
    {
        var all = new MemoryStream();
        await stream.CopyToAsync(all, TestContext.Current.CancellationToken);
        var messages = new List<byte[]>();
        var rest = all.ToArray().AsSpan();
        while (!rest.IsEmpty)
        {
            var space = rest.IndexOf((byte)' ');
            var length = int.Parse(rest[..space]);
            messages.Add(rest.Slice(space + 1, length).ToArray());
            rest = rest[(space + 1 + length)..];
        }

        return messages;
    }

    private static void AssertNumbered(IEnumerable<byte[]> messages, int count) =>
        Assert.Equal(Enumerable.Range(0, count).Select(i => $"a{i:x8}"), messages.Select(m => Samples.Parse(m).Parameters["id"]));

    [Fact]
    public async Task OctetCountedOverTcp()
    {
        using var listener = Listen();
        using var output = Create($"tcp://127.0.0.1:{Port(listener)}");
        Send(output, 500);
        using var client = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        var reading = ReadOctetCounted(client.GetStream());
        await output.CompleteAsync();
        AssertNumbered(await reading, 500);
        Assert.Equal((500, 0, 0), (output.Only.Delivered, output.Only.Dropped, output.Only.Waiting));
        Assert.Null(output.Only.Problem);
    }

    [Fact]
    public async Task LineFeedFramingOverTcp()
    {
        using var listener = Listen();
        using var output = Create($"tcp://localhost:{Port(listener)}?framing=lf");
        output.Send(Samples.Alert(0, "two\nlines"));
        Send(output, 9, 1);
        using var client = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        var all = new MemoryStream();
        var reading = client.GetStream().CopyToAsync(all, TestContext.Current.CancellationToken);
        await output.CompleteAsync();
        await reading;
        var lines = System.Text.Encoding.UTF8.GetString(all.ToArray()).Split('\n');
        Assert.Equal("", lines[^1]);
        AssertNumbered(lines[..^1].Select(System.Text.Encoding.UTF8.GetBytes), 10);
    }

    [Fact]
    public async Task Datagrams()
    {
        using var receiver = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        using var output = Create($"udp://127.0.0.1:{((IPEndPoint)receiver.Client.LocalEndPoint!).Port}");
        Send(output, 20);
        await output.CompleteAsync();
        var messages = new List<byte[]>();
        while (receiver.Available > 0)
            messages.Add((await receiver.ReceiveAsync(TestContext.Current.CancellationToken)).Buffer);
        AssertNumbered(messages, 20);
        Assert.Equal((20, 0, 0), (output.Only.Delivered, output.Only.Dropped, output.Only.Waiting));
        Assert.Null(output.Only.Problem);
    }

    [Fact]
    public async Task AbsentUdpReceiverIsSaid()
    {
        int port;
        using (var receiver = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0)))
            port = ((IPEndPoint)receiver.Client.LocalEndPoint!).Port;
        using var output = Create($"udp://127.0.0.1:{port}");
        Send(output, 5);
        await output.CompleteAsync(Short);
        Assert.Equal($"5 of 5 alerts could not be delivered to udp://127.0.0.1:{port}: connection refused", output.Only.Problem);
    }

    [Fact]
    public async Task AbsentReceiverNeverStallsAndIsSaid()
    {
        int port;
        using (var listener = Listen())
            port = Port(listener);
        using var output = new TestOutputs($"tcp://127.0.0.1:{port}", isSensor: true);
        var clock = Stopwatch.StartNew();
        Send(output, AlertOutputs.WindowMessages + 500);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(2), $"{clock.Elapsed}");
        await output.CompleteAsync(Short);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), $"{clock.Elapsed}");
        Assert.Equal(0, output.Only.Delivered);
        Assert.Equal((500, AlertOutputs.WindowMessages), (output.Only.Dropped, output.Only.Waiting));
        Assert.Equal($"8692 of 8692 alerts could not be delivered to tcp://127.0.0.1:{port}: connection refused", output.Only.Problem);
    }

    [Fact]
    public async Task UnknownHostIsSaid()
    {
        using var output = Create("tcp://no-such-host.invalid");
        Send(output, 1);
        await output.CompleteAsync(Short);
        Assert.Equal("1 of 1 alerts could not be delivered to tcp://no-such-host.invalid:601: the host name is not known", output.Only.Problem);
    }

    [Fact]
    public async Task ReceiverThatNeverReadsNeverStalls()
    {
        using var listener = Listen();
        listener.Server.ReceiveBufferSize = 4096;
        using var output = new TestOutputs($"tcp://127.0.0.1:{Port(listener)}", isSensor: true);
        Send(output, 1);
        using var client = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < 20_000; i++)
            output.Send(Samples.Alert(i, new string('x', 6000)));
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(10), $"{clock.Elapsed}");
        await output.CompleteAsync(TimeSpan.FromSeconds(1));
        Assert.True(output.Only.Dropped > 0);
        Assert.True(output.Only.Waiting > 0);
        Assert.Equal(20_001, output.Only.Delivered + output.Only.Dropped + output.Only.Waiting);
        Assert.EndsWith(": the receiver is too slow", output.Only.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReceiverThatClosesIsConnectedAgainAndNothingIsLost()
    {
        using var listener = Listen();
        using var output = Create($"tcp://127.0.0.1:{Port(listener)}");
        Send(output, 3);
        var first = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        var buffer = new byte[100_000];
        while (output.Only.Delivered < 3)
            await Task.Delay(10, TestContext.Current.CancellationToken);
        Assert.True(await first.GetStream().ReadAsync(buffer, TestContext.Current.CancellationToken) > 0);
        first.Close();
        await Task.Delay(100, TestContext.Current.CancellationToken);

        Send(output, 4, 3);
        using var second = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        var reading = ReadOctetCounted(second.GetStream());
        await output.CompleteAsync();
        // What came shortly before the receiver's end may come again: it does not tell what was read.
        Assert.Equal(Enumerable.Range(0, 7).Select(i => $"a{i:x8}"), (await reading).Select(m => Samples.Parse(m).Parameters["id"]).Union(["a00000000", "a00000001", "a00000002"]).Order(StringComparer.Ordinal));
        Assert.Null(output.Only.Problem);
    }

    [Fact]
    public async Task ReceiverThatResetsAndIsGoneIsSaid()
    {
        var listener = Listen();
        var port = Port(listener);
        using var output = Create($"tcp://127.0.0.1:{port}");
        Send(output, 1);
        var client = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        while (output.Only.Delivered < 1)
        {
            // The acknowledgement of a message is noticed with the next one.
            Send(output, 1, 1);
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        client.Client.LingerState = new LingerOption(true, 0);
        client.Client.Close();
        listener.Stop();
        await Task.Delay(100, TestContext.Current.CancellationToken);
        Send(output, 7, 10);
        await output.CompleteAsync(Short);
        // A reset tells nothing of what was read before: all of it is in doubt.
        Assert.Equal((0, output.Only.Offered), (output.Only.Delivered, output.Only.Waiting));
        Assert.EndsWith($" alerts could not be delivered to tcp://127.0.0.1:{port}: connection refused", output.Only.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TlsWithACheckedCertificate()
    {
        using var folder = new TemporaryFolder();
        using var certificates = new Certificates();
        File.WriteAllText(folder["ca.pem"], certificates.AuthorityPem);
        var (own, key, _) = certificates.Issue("sensor");
        File.WriteAllText(folder["own.pem"], own + "\n" + key);
        using var listener = Listen();
        using var output = Create($"tls://localhost:{Port(listener)}?ca={folder["ca.pem"]}&cert={folder["own.pem"]}");
        Send(output, 50);
        using var client = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        await using var secure = new SslStream(client.GetStream());
        await secure.AuthenticateAsServerAsync(
            new SslServerAuthenticationOptions
            {
                ServerCertificate = certificates.Issue("localhost").Pair,
                ClientCertificateRequired = true,
                RemoteCertificateValidationCallback = (_, shown, _, _) => shown?.Subject == "CN=sensor",
            },
            TestContext.Current.CancellationToken);
        Assert.True(secure.SslProtocol is SslProtocols.Tls12 or SslProtocols.Tls13);
        var reading = ReadOctetCounted(secure);
        await output.CompleteAsync();
        AssertNumbered(await reading, 50);
        Assert.Null(output.Only.Problem);
    }

    [Theory]
    [InlineData("localhost", true, true, "the receiver's certificate has expired or is not yet valid")]
    [InlineData("other.example", false, true, "the receiver's certificate is not made out for localhost")]
    [InlineData("localhost", false, false, "the receiver's certificate is not signed by a trusted authority (option ca=FILE names one)")]
    public async Task TlsRefusesTheWrongReceiver(string name, bool expired, bool trusted, string reason)
    {
        using var folder = new TemporaryFolder();
        using var certificates = new Certificates();
        using var others = new Certificates();
        File.WriteAllText(folder["ca.pem"], (trusted ? certificates : others).AuthorityPem);
        using var listener = Listen();
        var port = Port(listener);
        using var output = Create($"tls://localhost:{port}?ca={folder["ca.pem"]}");
        Send(output, 2);
        var serving = Task.Run(async () =>
        {
            using var client = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
            await using var secure = new SslStream(client.GetStream());
            try
            {
                await secure.AuthenticateAsServerAsync(certificates.Issue(name, expired).Pair);
                return await secure.ReadAsync(new byte[10], TestContext.Current.CancellationToken);
            }
            catch (Exception e) when (e is AuthenticationException or IOException)
            {
                return 0;
            }
        });
        Assert.Equal(0, await serving);
        await output.CompleteAsync(Short);
        Assert.Equal($"2 of 2 alerts could not be delivered to tls://localhost:{port}: {reason}", output.Only.Problem);
    }

    [Fact]
    public async Task TlsReceiverThatNeverAnswersIsGivenUp()
    {
        using var listener = Listen();
        using var output = Create($"tls://localhost:{Port(listener)}");
        Send(output, 2);
        await output.CompleteAsync(TimeSpan.FromSeconds(1));
        Assert.StartsWith("2 of 2 alerts could not be delivered", output.Only.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void UnreadableFilesAreRefusedInOneLine()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["junk.pem"], "junk");
        foreach (var (uri, reason) in new[]
        {
            ($"tls://siem?ca={folder["absent.pem"]}", "cannot be read"),
            ($"tls://siem?ca={folder["junk.pem"]}", "holds no PEM certificate"),
            ($"tls://siem?cert={folder["junk.pem"]}", "is no usable PEM file"),
        })
        {
            var error = Assert.Throws<UserException>(() => AlertOutputs.Checked(AlertOutputs.Parse([uri])));
            Assert.Equal(2, error.ExitStatus);
            Assert.StartsWith("output tls://siem:6514: '", error.Message, StringComparison.Ordinal);
            Assert.EndsWith(reason, error.Message, StringComparison.Ordinal);
        }
    }
}
