using System.Buffers.Text;
using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Sessions;

/// <summary>Redis (RESP): whether commands are answered before the client proved itself.</summary>
public sealed class RedisSession : DatabaseSession
{
    /// <summary>Longest line, bytes.</summary>
    private const int MaximumLine = 512;
    private const int MaximumBulk = 512 * 1024 * 1024;

    private readonly int[] _bulk = [-1, -1];
    private bool _isCommand;
    private bool _isTested;
    private bool _isAnswerAwaited;

    public override ApplicationProtocol Protocol => ApplicationProtocol.Redis;

    /// <summary>An array of bulk strings, the first a word: *1 $4 PING.</summary>
    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (direction == FlowDirection.FromResponder)
            return ProbeResult.NotForUs;
        ReadOnlySpan<byte> form = "*9\r\n$9\r\nA"u8;
        var at = 0;
        foreach (var expected in form)
        {
            if (at >= data.Length)
                return ProbeResult.Unsure;
            switch (expected)
            {
                case (byte)'9':
                    if (!char.IsAsciiDigit((char)data[at]))
                        return ProbeResult.NotForUs;
                    at++;
                    if (at < data.Length && char.IsAsciiDigit((char)data[at]))
                        at++;
                    break;
                case (byte)'A':
                    return char.IsAsciiLetter((char)data[at]) ? ProbeResult.Certain : ProbeResult.NotForUs;
                default:
                    if (data[at++] != expected)
                        return ProbeResult.NotForUs;
                    break;
            }
        }

        return ProbeResult.NotForUs;
    }

    public override void Reset()
    {
        base.Reset();
        Array.Fill(_bulk, -1);
        _isCommand = _isTested = _isAnswerAwaited = false;
    }

    protected override StreamProgress OnMessage(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        ref var bulk = ref _bulk[(int)direction];
        if (bulk >= 0)
        {
            var total = bulk + 2;
            var head = Math.Min(total, MaximumHeadBytes);
            if (data.Length < head)
                return new StreamProgress(0, head);
            var value = data[..Math.Min(bulk, head)];
            bulk = -1;
            if (direction == FlowDirection.FromOriginator && _isCommand)
                OnCommand(value);
            else if (direction == FlowDirection.FromResponder)
                OnValue(context, value);
            _isCommand &= direction != FlowDirection.FromOriginator;
            return new StreamProgress(0, 0, total);
        }

        var end = data.IndexOf("\r\n"u8);
        if (end < 0)
            return data.Length >= MaximumLine ? default : new StreamProgress(0, data.Length + 1);
        var line = data[..end];
        if (line.Length > 1 && line[0] == '$' && Utf8Parser.TryParse(line[1..], out int length, out _) && length is >= 0 and < MaximumBulk)
            bulk = length;
        if (direction == FlowDirection.FromOriginator)
            _isCommand |= line.StartsWith("*"u8);
        else
            OnAnswer(context, line);
        return new StreamProgress(end + 2);
    }

    private void OnCommand(ReadOnlySpan<byte> command)
    {
        _isAnswerAwaited = true;
        if (Is(command, "AUTH"u8) || Is(command, "HELLO"u8))
            Authentication = "password";

        // These are answered, or may be, before anybody proved anything.
        _isTested = Authentication is null && !Is(command, "QUIT"u8) && !Is(command, "RESET"u8) && !Is(command, "COMMAND"u8);
    }

    private void OnAnswer(SessionContext context, ReadOnlySpan<byte> line)
    {
        if (!_isAnswerAwaited)
            return;
        _isAnswerAwaited = false;
        if (line.StartsWith("-NOAUTH"u8) || line.StartsWith("-WRONGPASS"u8) || line.StartsWith("-ERR invalid password"u8))
        {
            IsRefused = true;
            context.Flow.Counters.Failures++;
        }
        else if (_isTested && !line.StartsWith("-"u8))
        {
            Authentication = "none";
            IsAccepted = true;
            if (!line.StartsWith("$"u8))
                Tell(context);
        }
        else if (Authentication == "password" && line.StartsWith("+OK"u8))
        {
            IsAccepted = true;
            Tell(context);
        }
    }

    private void OnValue(SessionContext context, ReadOnlySpan<byte> value)
    {
        var at = value.IndexOf("redis_version:"u8);
        if (at >= 0)
        {
            var version = value[(at + "redis_version:".Length)..];
            var end = version.IndexOf((byte)'\r');
            ServerVersion = context.Texts.Of(version[..(end < 0 ? version.Length : end)]);
        }

        if (IsAccepted)
            Tell(context);
    }

    private static bool Is(ReadOnlySpan<byte> command, ReadOnlySpan<byte> name) => System.Text.Ascii.EqualsIgnoreCase(command, name);
}

/// <summary>MongoDB: whether data commands are answered before the client proved itself.</summary>
public sealed class MongoDbSession : DatabaseSession
{
    private const int HeaderSize = 16;
    private const int OpMessage = 2013;
    private const int OpQuery = 2004;
    private const int OpReply = 1;
    private const int OpCompressed = 2012;
    private const int MaximumMessage = 48_000_000;

    private bool _isTested;

    public override ApplicationProtocol Protocol => ApplicationProtocol.MongoDb;

    /// <summary>OP_MSG or OP_QUERY with a document, in a client's first bytes.</summary>
    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (direction == FlowDirection.FromResponder || (data.Length > 3 && data[3] > 2))
            return ProbeResult.NotForUs;
        if (data.Length < 32)
            return data.Length < HeaderSize || IsOperation(Number(data, 12)) ? ProbeResult.Unsure : ProbeResult.NotForUs;
        var length = Number(data, 0);
        if (length is < 26 or > MaximumMessage || Number(data, 8) != 0)
            return ProbeResult.NotForUs;
        return Number(data, 12) switch
        {
            // Flags, a section of kind 0, a document that fits.
            OpMessage when data[20] == 0 => Number(data, 21) is >= 5 and var size && size <= length - 21 ? ProbeResult.Certain : ProbeResult.NotForUs,

            // Flags, a collection's name.
            OpQuery => char.IsAsciiLetter((char)data[20]) && Number(data, 16) is >= 0 and < 256 && data[20..].Contains((byte)'.') ? ProbeResult.Certain : ProbeResult.NotForUs,
            _ => ProbeResult.NotForUs,
        };
    }

    public override void Reset()
    {
        base.Reset();
        _isTested = false;
    }

    protected override StreamProgress OnMessage(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (data.Length < HeaderSize)
            return new StreamProgress(0, HeaderSize);
        var total = Number(data, 0);
        var operation = Number(data, 12);
        if (total is < HeaderSize or > MaximumMessage || !(IsOperation(operation) || operation is OpReply or OpCompressed))
            return default;
        var head = Math.Min(total, MaximumHeadBytes);
        if (data.Length < head)
            return new StreamProgress(0, head);
        var body = data[HeaderSize..head];
        if (direction == FlowDirection.FromOriginator)
            OnCommand(operation, body);
        else
            OnReply(context, body);
        return new StreamProgress(0, 0, total);
    }

    private static bool IsOperation(int operation) => operation is OpMessage or OpQuery;

    private static int Number(ReadOnlySpan<byte> data, int at) => System.Buffers.Binary.BinaryPrimitives.ReadInt32LittleEndian(data[at..]);

    private void OnCommand(int operation, ReadOnlySpan<byte> body)
    {
        const int NameOfFirstElement = 4 + 1 + 4 + 1;
        if (body.IndexOf("saslStart"u8) >= 0 || body.IndexOf("speculativeAuthenticate"u8) >= 0)
            Authentication = "sasl";
        if (operation != OpMessage || body.Length <= NameOfFirstElement)
            return;
        var name = body[NameOfFirstElement..];
        _isTested = Authentication is null && (name.StartsWith("find\0"u8) || name.StartsWith("listDatabases\0"u8) || name.StartsWith("listCollections\0"u8) || name.StartsWith("insert\0"u8)
            || name.StartsWith("aggregate\0"u8) || name.StartsWith("update\0"u8) || name.StartsWith("delete\0"u8) || name.StartsWith("count\0"u8) || name.StartsWith("dropDatabase\0"u8));
    }

    private void OnReply(SessionContext context, ReadOnlySpan<byte> body)
    {
        var at = body.IndexOf("\u0002version\0"u8);
        if (at >= 0 && body.Length > at + 13)
        {
            var version = body[(at + 13)..];
            var end = version.IndexOf((byte)0);
            ServerVersion = context.Texts.Of(version[..Math.Min(end < 0 ? version.Length : end, 32)]);
        }

        if (!_isTested)
            return;
        IsRefused = body.IndexOf("requires authentication"u8) >= 0 || body.IndexOf("Unauthorized"u8) >= 0;
        IsAccepted = !IsRefused;
        Authentication = IsAccepted ? "none" : Authentication;
        Tell(context);
    }
}
