using System.Buffers.Binary;
using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Sessions;

/// <summary>PostgreSQL: start-up, kind of authentication, version. The change to TLS hands the connection over.</summary>
public sealed class PostgreSqlSession : DatabaseSession
{
    private const uint Version3 = 0x0003_0000;
    private const uint SslRequest = 80_877_103;
    private const uint GssRequest = 80_877_104;
    private const uint CancelRequest = 80_877_102;
    private const int MaximumMessage = 1 << 24;

    private bool _asksForTls;
    private bool _isStarted;

    public override ApplicationProtocol Protocol => ApplicationProtocol.PostgreSql;

    /// <summary>A start-up message of version 3 with its first parameter, or the request for TLS.</summary>
    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (direction == FlowDirection.FromResponder || (data.Length >= 2 && (data[0] | data[1]) != 0))
            return ProbeResult.NotForUs;
        if (data.Length < 8)
            return ProbeResult.Unsure;
        var length = BinaryPrimitives.ReadUInt32BigEndian(data);
        return BinaryPrimitives.ReadUInt32BigEndian(data[4..]) switch
        {
            SslRequest or GssRequest when length == 8 => ProbeResult.Certain,
            CancelRequest when length == 16 => ProbeResult.Certain,
            Version3 when length is > 12 and < 10_000 && data.Length > 8 => char.IsAsciiLetterLower((char)data[8]) || data[8] == '_' ? ProbeResult.Certain : ProbeResult.NotForUs,
            Version3 when data.Length == 8 => ProbeResult.Unsure,
            _ => ProbeResult.NotForUs,
        };
    }

    public override void Reset()
    {
        base.Reset();
        _asksForTls = _isStarted = false;
    }

    protected override StreamProgress OnMessage(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (direction == FlowDirection.FromOriginator)
            return OnClient(context, data);
        if (_asksForTls)
        {
            // One byte: S goes on in TLS, N in the clear.
            _asksForTls = false;
            if (data[0] is (byte)'S' or (byte)'G')
            {
                IsEncrypted = true;
                Tell(context);
                context.HandOver();
            }

            return new StreamProgress(1);
        }

        const int HeaderSize = 5;
        if (data.Length < HeaderSize)
            return new StreamProgress(0, HeaderSize);
        var length = BinaryPrimitives.ReadUInt32BigEndian(data[1..]);
        if (length is < 4 or > MaximumMessage)
            return default;
        var total = 1 + (int)length;
        var head = Math.Min(total, MaximumHeadBytes);
        if (data.Length < head)
            return new StreamProgress(0, head);
        OnServer(context, data[0], data[HeaderSize..head]);
        return new StreamProgress(0, 0, total);
    }

    private StreamProgress OnClient(SessionContext context, ReadOnlySpan<byte> data)
    {
        // Before the start-up messages have no type in front of their length.
        var header = _isStarted ? 5 : 8;
        if (data.Length < header)
            return new StreamProgress(0, header);
        var length = BinaryPrimitives.ReadUInt32BigEndian(_isStarted ? data[1..] : data);
        if (length is < 4 or > MaximumMessage)
            return default;
        if (_isStarted)
            return new StreamProgress(0, 0, 1 + (int)length);
        switch (BinaryPrimitives.ReadUInt32BigEndian(data[4..]))
        {
            case SslRequest or GssRequest:
                _asksForTls = true;
                break;
            case Version3:
                _isStarted = true;
                break;
            default:
                Tell(context);
                break;
        }

        return new StreamProgress(0, 0, length);
    }

    private void OnServer(SessionContext context, byte type, ReadOnlySpan<byte> body)
    {
        switch (type)
        {
            case (byte)'R' when body.Length >= 4:
                switch (BinaryPrimitives.ReadUInt32BigEndian(body))
                {
                    case 0:
                        Authentication ??= "none";
                        IsAccepted = true;
                        break;
                    case 3:
                        Authentication = "cleartext";
                        break;
                    case 5:
                        Authentication = "md5";
                        break;
                    case 7 or 9:
                        Authentication = "gss";
                        break;
                    case 10:
                        Authentication = "sasl";
                        break;
                }

                break;
            case (byte)'S' when body.StartsWith("server_version\0"u8):
                var version = body["server_version\0".Length..];
                var end = version.IndexOf((byte)0);
                ServerVersion = context.Texts.Of(version[..(end < 0 ? version.Length : end)]);
                break;
            case (byte)'E':
                IsRefused = !IsAccepted;
                context.Flow.Counters.Failures++;
                Tell(context);
                break;
            case (byte)'Z':
                Tell(context);
                break;
        }
    }
}
