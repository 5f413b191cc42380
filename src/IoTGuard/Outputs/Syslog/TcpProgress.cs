using System.Buffers.Binary;
using System.Net.Sockets;

namespace IoTGuard.Outputs.Syslog;

/// <summary>A TCP connection that counts what was written and knows how much of it the other side's TCP has acknowledged. It owns the socket.</summary>
internal sealed class TcpProgress : Stream
{
    // <netinet/tcp.h> and struct tcp_info of Linux.
    private const int Tcp = 6;
    private const int TcpUserTimeout = 18;
    private const int TcpInfo = 11;
    private const int StateClosed = 7;
    private const int BytesAckedOffset = 120;
    private const int BytesAckedEnd = 128;

    private readonly Socket _socket;
    private NetworkStream? _network;
    private long _acknowledged;

    /// <param name="socket">Not connected yet.</param>
    /// <param name="silence">A receiver that acknowledges nothing for this long, or has no room, is given up by the system.</param>
    public TcpProgress(Socket socket, TimeSpan silence)
    {
        _socket = socket;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, (int)silence.TotalSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 10);
        if (OperatingSystem.IsLinux())
            socket.SetRawSocketOption(Tcp, TcpUserTimeout, BitConverter.GetBytes((int)silence.TotalMilliseconds));
    }

    /// <summary>Bytes written since the connection began.</summary>
    public long Written { get; private set; }

    private NetworkStream Network => _network ??= new NetworkStream(_socket);

    /// <summary>Bytes that the other side's TCP has acknowledged; all that were written where the system does not tell.</summary>
    public long Acknowledged()
    {
        if (!OperatingSystem.IsLinux())
            return Written;
        Span<byte> info = stackalloc byte[256];
        try
        {
            if (_socket.GetRawSocketOption(Tcp, TcpInfo, info) < BytesAckedEnd)
                return Written;
            // tcpi_bytes_acked counts the SYN as one. Of a closed connection nothing new is told.
            if (info[0] != StateClosed)
                _acknowledged = Math.Max(_acknowledged, (long)BinaryPrimitives.ReadUInt64LittleEndian(info[BytesAckedOffset..]) - 1);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // What is known is known.
        }

        return _acknowledged;
    }

    /// <summary>True once our direction was ended.</summary>
    public bool HasEndedSending { get; private set; }

    /// <summary>Ends our direction of the connection.</summary>
    public void EndSending()
    {
        HasEndedSending = true;
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // The other side was first.
        }
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(byte[] buffer, int offset, int count) => Network.Read(buffer, offset, count);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => Network.ReadAsync(buffer, cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count)
    {
        Network.Write(buffer, offset, count);
        Written += count;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await Network.WriteAsync(buffer, cancellationToken);
        Written += buffer.Length;
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _network?.Dispose();
            _socket.Dispose();
        }

        base.Dispose(disposing);
    }
}
