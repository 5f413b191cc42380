using System.Buffers.Binary;
using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Sessions;

/// <summary>MySQL and MariaDB: the server's greeting, and whether it lets the client in. The change to TLS hands the connection over.</summary>
public sealed class MySqlSession : DatabaseSession
{
    private const int HeaderSize = 4;
    private const byte ProtocolVersion10 = 10;

    private int _fromServer;

    public override ApplicationProtocol Protocol => ApplicationProtocol.MySql;

    /// <summary>The greeting: packet number 0, protocol version 10, a version that begins with a digit.</summary>
    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (direction == FlowDirection.FromOriginator)
            return ProbeResult.NotForUs;
        if (data.Length >= HeaderSize && (data[2] != 0 || data[3] != 0))
            return ProbeResult.NotForUs;
        if (data.Length < HeaderSize + 5)
            return ProbeResult.Unsure;
        var length = data[0] | (data[1] << 8);
        if (length is < 32 or > 512 || data[4] != ProtocolVersion10 || !char.IsAsciiDigit((char)data[5]))
            return ProbeResult.NotForUs;
        var end = data[5..].IndexOf((byte)0);
        if (end < 0)
            return data.Length < 64 ? ProbeResult.Unsure : ProbeResult.NotForUs;
        return data.Slice(5, end).Contains((byte)'.') ? ProbeResult.Certain : ProbeResult.NotForUs;
    }

    public override void Reset()
    {
        base.Reset();
        _fromServer = 0;
    }

    protected override StreamProgress OnMessage(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (data.Length < HeaderSize)
            return new StreamProgress(0, HeaderSize);
        var total = HeaderSize + (data[0] | (data[1] << 8) | (data[2] << 16));
        var head = Math.Min(total, MaximumHeadBytes);
        if (data.Length < head)
            return new StreamProgress(0, head);
        var body = data[HeaderSize..head];
        if (direction == FlowDirection.FromResponder)
            OnServer(context, body);
        else if (body.Length >= 4 && _fromServer == 1)
            OnClient(context, body);
        return new StreamProgress(0, 0, total);
    }

    private void OnServer(SessionContext context, ReadOnlySpan<byte> body)
    {
        if (body.IsEmpty)
            return;
        if (_fromServer++ == 0)
        {
            var end = body.IndexOf((byte)0);
            if (end > 1)
                ServerVersion = context.Texts.Of(body[1..end]);
            return;
        }

        // OK, ERR; anything else (switch of method, more data) goes on.
        if (body[0] is 0x00 or 0xFF)
        {
            IsAccepted = body[0] == 0;
            IsRefused = !IsAccepted;
            if (IsRefused)
                context.Flow.Counters.Failures++;
            Tell(context);
        }
    }

    private void OnClient(SessionContext context, ReadOnlySpan<byte> body)
    {
        const uint ClientSsl = 0x800;
        const int SslRequestSize = 32;
        var capabilities = BinaryPrimitives.ReadUInt32LittleEndian(body);
        if (body.Length == SslRequestSize && (capabilities & ClientSsl) != 0)
        {
            IsEncrypted = true;
            Tell(context);
            context.HandOver();
            return;
        }

        // After 32 bytes: the user's name, then the proof with its length in front.
        var user = body.Length > SslRequestSize ? body[SslRequestSize..].IndexOf((byte)0) : -1;
        if (user >= 0 && body.Length > SslRequestSize + user + 1)
            Authentication = body[SslRequestSize + user + 1] == 0 ? "none" : "password";
    }
}
