using System.Net;
using System.Net.Sockets;
using IoTGuard.Tests.Syslog;

namespace IoTGuard.Tests.Outputs;

/// <summary>A receiver whose connections are played by the test.</summary>
internal sealed class Receiver(int port) : IDisposable
{
    private readonly List<string> _ids = [];
    private readonly TcpListener _listener = Listen(port);

    public Receiver()
        : this(0)
    {
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Ids of the messages read, in order.</summary>
    public List<string> Ids
    {
        get
        {
            lock (_ids)
                return [.. _ids];
        }
    }

    public async Task<Socket> Accept()
    {
        using var late = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        late.CancelAfter(TimeSpan.FromSeconds(60));
        return await _listener.AcceptSocketAsync(late.Token);
    }

    /// <summary>Reads to the end of a connection, and then ends it too.</summary>
    public async Task ReadToEnd(Socket socket)
    {
        await using var stream = new NetworkStream(socket, ownsSocket: true);
        await Read(stream);
    }

    /// <summary>Reads octet-counted messages until the connection ends, or so many were read.</summary>
    public async Task Read(Stream stream, int most = int.MaxValue)
    {
        var buffer = new byte[1 << 16];
        for (var read = 0; read < most; read++)
        {
            var length = 0;
            int digit;
            while ((digit = await Byte()) != ' ')
            {
                if (digit < 0)
                    return;
                length = (length * 10) + digit - '0';
            }

            await stream.ReadExactlyAsync(buffer.AsMemory(0, length), TestContext.Current.CancellationToken);
            lock (_ids)
                _ids.Add(Samples.Parse(buffer.AsSpan(0, length)).Parameters["id"]);
        }

        async Task<int> Byte() => await stream.ReadAsync(buffer.AsMemory(0, 1), TestContext.Current.CancellationToken) == 0 ? -1 : buffer[0];
    }

    public void Dispose() => _listener.Dispose();

    private static TcpListener Listen(int port)
    {
        var listener = new TcpListener(IPAddress.Loopback, port);
        listener.Server.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Start();
        return listener;
    }
}
