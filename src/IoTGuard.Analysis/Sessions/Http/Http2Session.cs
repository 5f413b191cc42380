using System.Numerics;
using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.Http;

namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// HTTP/2 in the clear (RFC 9113): by prior knowledge, or after an upgrade. A request is emitted with its response when both are complete, reset, pushed out by
/// <see cref="MaximumStreams"/> others, or when the connection ends. Of bodies the first bytes of the first frame are looked at. After lost bytes, header compression cannot be
/// undone any more: that direction is not read on.
/// </summary>
public sealed class Http2Session : StreamSession
{
    /// <summary>Streams that are open at once; the oldest is told as it is for one more.</summary>
    public const int MaximumStreams = HttpSession.MaximumOutstanding;

    /// <summary>Largest header block in bytes, and largest frame that is part of one.</summary>
    public const int MaximumBlockBytes = 65_536;

    /// <summary>Faults of one kind and connection that are all emitted; of later ones only the 2ⁿth.</summary>
    public const int FaultsInFull = 4;

    private readonly Side[] _sides = [new(), new()];
    private readonly HttpExchanges _exchanges = new();
    private readonly HttpSession.Claims _claims = new();
    private readonly int[] _faults = new int[(int)HttpFault.BadCompression + 1];
    private byte[] _target = [];
    private FlowDirection _client;

    private sealed class Side
    {
        public readonly HpackDecoder Decoder = new();
        public byte[] Block = [];
        public int BlockLength;
        public int BlockStream;
        public bool BlockEndsStream;
        public bool BlockIsPush;
        public bool Started;
        public bool Lost;
    }

    public override ApplicationProtocol Protocol => ApplicationProtocol.Http2;

    /// <summary>Certain for the preface of a client, and for the SETTINGS with which a server answers it.</summary>
    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty)
            return ProbeResult.Unsure;
        if (data[0] == 'P')
        {
            var length = Math.Min(data.Length, Http2Frame.Preface.Length);
            if (!data[..length].SequenceEqual(Http2Frame.Preface[..length]))
                return ProbeResult.NotForUs;
            return length == Http2Frame.Preface.Length ? ProbeResult.Certain : ProbeResult.Unsure;
        }

        if (data.Length < Http2Frame.HeaderBytes)
            return ProbeResult.NotForUs;
        var frame = Http2Frame.Read(data);
        if (frame is not { Type: Http2FrameType.Settings, Flags: 0, Stream: 0, Length: > 0 and <= 60 } || frame.Length % 6 != 0 || data.Length < Http2Frame.HeaderBytes + frame.Length)
            return ProbeResult.NotForUs;
        for (var at = Http2Frame.HeaderBytes; at < Http2Frame.HeaderBytes + frame.Length; at += 6)
        {
            if (data[at] != 0 || data[at + 1] is 0 or > 0x10)
                return ProbeResult.NotForUs;
        }

        return ProbeResult.Certain;
    }

    public override StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        var side = _sides[(int)direction];
        var at = 0;
        while (at < data.Length)
        {
            if (side.Lost)
                return new StreamProgress(at, 0, Everything);
            var rest = data[at..];
            if (!side.Started)
            {
                var preface = Http2Frame.Preface;
                if (rest.Length < preface.Length && preface.StartsWith(rest))
                    return new StreamProgress(at, preface.Length);
                side.Started = true;
                if (rest.StartsWith(preface))
                {
                    _client = direction;
                    at += preface.Length;
                }

                continue;
            }

            if (rest.Length < Http2Frame.HeaderBytes)
                return new StreamProgress(at, Http2Frame.HeaderBytes);
            var frame = Http2Frame.Read(rest);
            var wanted = WantedOf(direction, frame);
            if (wanted > MaximumBlockBytes)
            {
                Fault(context, direction, HttpFault.BadFrame);
                side.Lost = true;
                continue;
            }

            var needed = Http2Frame.HeaderBytes + wanted;
            if (rest.Length < needed)
                return new StreamProgress(at, needed);
            OnFrame(context, direction, side, frame, rest[Http2Frame.HeaderBytes..needed]);
            at += needed;
            var skip = frame.Length - wanted;
            if (skip > 0)
                return new StreamProgress(at, 0, skip);
        }

        return new StreamProgress(at);
    }

    public override void OnGap(SessionContext context, FlowDirection direction, long bytes)
    {
        _sides[(int)direction].Lost = true;
        for (var i = 0; i < _exchanges.Count; i++)
            _exchanges[i].Facts.IsPartial = true;
    }

    public override void OnEnd(SessionContext context)
    {
        while (_exchanges.Count > 0)
            Emit(context, _exchanges[0]);
    }

    public override void Reset()
    {
        foreach (var side in _sides)
        {
            side.Decoder.Reset();
            side.Started = side.Lost = false;
            side.BlockLength = side.BlockStream = 0;
        }

        _exchanges.Clear();
        _claims.Reset();
        Array.Clear(_faults);
        _client = FlowDirection.FromOriginator;
    }

    /// <summary>Bytes of a frame's payload that must be there: all of what carries headers, the first ones of a body, none of the others.</summary>
    private int WantedOf(FlowDirection direction, Http2Frame frame)
    {
        switch (frame.Type)
        {
            case Http2FrameType.Headers or Http2FrameType.Continuation or Http2FrameType.PushPromise:
                return frame.Length;
            case Http2FrameType.Data when Find(frame.Stream) is { } exchange:
                var bytes = direction == _client ? exchange.Facts.RequestBytes : exchange.Facts.ResponseBytes;
                return bytes <= 0 ? Math.Min(frame.Length, HttpContent.SniffBytes) : frame.Has(Http2Frame.Padded) ? Math.Min(frame.Length, 1) : 0;
            default:
                return 0;
        }
    }

    private void OnFrame(SessionContext context, FlowDirection direction, Side side, Http2Frame frame, ReadOnlySpan<byte> payload)
    {
        switch (frame.Type)
        {
            case Http2FrameType.Headers or Http2FrameType.PushPromise:
                if (side.BlockStream != 0 || frame.Stream == 0)
                {
                    Lose(context, direction, side, HttpFault.BadFrame);
                    return;
                }

                (side.BlockStream, side.BlockLength) = (frame.Stream, 0);
                (side.BlockEndsStream, side.BlockIsPush) = (frame.Type == Http2FrameType.Headers && frame.Has(Http2Frame.EndStream), frame.Type == Http2FrameType.PushPromise);
                OnBlock(context, direction, side, frame, payload);
                break;
            case Http2FrameType.Continuation:
                if (side.BlockStream == 0 || side.BlockStream != frame.Stream)
                    Lose(context, direction, side, HttpFault.BadFrame);
                else
                    OnBlock(context, direction, side, frame, payload);
                break;
            case Http2FrameType.Data when Find(frame.Stream) is { } exchange:
                OnBody(context, direction, exchange, frame, payload);
                break;
            case Http2FrameType.ResetStream when Find(frame.Stream) is { } exchange:
                exchange.Facts.IsPartial = true;
                Emit(context, exchange);
                break;
        }
    }

    private void OnBlock(SessionContext context, FlowDirection direction, Side side, Http2Frame frame, ReadOnlySpan<byte> payload)
    {
        if (!frame.TryGetContent(payload, out var content) || side.BlockLength + content.Length > MaximumBlockBytes)
        {
            Lose(context, direction, side, HttpFault.BadFrame);
            return;
        }

        if (side.Block.Length < side.BlockLength + content.Length)
            Array.Resize(ref side.Block, Math.Max(1024, 2 * (side.BlockLength + content.Length)));
        content.CopyTo(side.Block.AsSpan(side.BlockLength));
        side.BlockLength += content.Length;
        if (!frame.Has(Http2Frame.EndHeaders))
            return;
        var stream = side.BlockStream;
        side.BlockStream = 0;
        OnHead(context, direction, side, stream);
    }

    /// <summary>A header block is complete. All of it must be decoded, whether it is wanted or not: the next ones build on it.</summary>
    private void OnHead(SessionContext context, FlowDirection direction, Side side, int stream)
    {
        ReadOnlySpan<byte> block = side.Block.AsSpan(0, side.BlockLength);
        var exchange = side.BlockIsPush ? null : Find(stream);
        HttpHints hints = default;
        var targetLength = -1;
        bool failed;
        while (side.Decoder.TryReadNext(ref block, out failed))
        {
            if (side.BlockIsPush)
                continue;
            var name = side.Decoder.Name;
            var value = side.Decoder.Value;
            if (name.SequenceEqual(":method"u8))
            {
                _client = direction;
                exchange ??= Begin(context, stream);
                exchange.Facts.Method = context.Texts.Of(value);
                context.Flow.Counters.Requests++;
            }
            else if (name.SequenceEqual(":status"u8))
            {
                exchange = OnStatus(context, exchange, stream, value);
            }
            else if (name.SequenceEqual(":path"u8))
            {
                if (_target.Length < value.Length)
                    _target = new byte[Math.Max(256, value.Length)];
                value.CopyTo(_target);
                targetLength = value.Length;
            }
            else if (exchange is not null && name.SequenceEqual(":authority"u8))
            {
                exchange.Facts.Host = context.Texts.Of(value);
            }
            else if (exchange is not null && !name.IsEmpty && name[0] != ':')
            {
                if (direction == _client)
                    HttpHeaders.OfRequest(context, name, value, ref exchange.Facts, ref hints);
                else
                    HttpHeaders.OfResponse(context, name, value, ref exchange.Facts);
            }
        }

        if (failed)
        {
            Lose(context, direction, side, HttpFault.BadCompression);
            return;
        }

        if (exchange is null)
            return;
        if (targetLength >= 0)
        {
            hints.Orthanc = PortOf(context) == HttpServices.OrthancPort;
            HttpHeaders.OfTarget(context, _target.AsSpan(0, targetLength), in hints, ref exchange.Facts);
        }

        if (side.BlockEndsStream)
            EndSide(context, direction, exchange);
    }

    private HttpExchange OnStatus(SessionContext context, HttpExchange? exchange, int stream, ReadOnlySpan<byte> value)
    {
        if (exchange is null)
        {
            exchange = Begin(context, stream);
            exchange.Facts.IsPartial = true;
        }

        if (!HttpLine.TryReadLength(value, out var status) || status is < 200 or > 999)
        {
            context.Flow.Counters.Interim++;
            return exchange;
        }

        exchange.Facts.Status = (short)status;
        if (exchange.Facts.Method is not null)
            exchange.DurationNs = context.TimeNs - exchange.TimeNs;
        context.Flow.Counters.Responses++;
        if (status >= 400)
            context.Flow.Counters.Failures++;
        return exchange;
    }

    private void OnBody(SessionContext context, FlowDirection direction, HttpExchange exchange, Http2Frame frame, ReadOnlySpan<byte> payload)
    {
        var isRequest = direction == _client;
        ref var bytes = ref isRequest ? ref exchange.Facts.RequestBytes : ref exchange.Facts.ResponseBytes;
        var padding = frame.Has(Http2Frame.Padded) && !payload.IsEmpty ? 1 + payload[0] : 0;
        var isFirst = bytes <= 0;
        bytes = Math.Max(bytes, 0) + Math.Max(0, frame.Length - padding);
        var start = Math.Min(payload.Length, padding > 0 ? 1 : 0);
        var end = Math.Max(start, Math.Min(payload.Length, start + frame.Length - padding));
        if (isFirst && end > start)
            HttpContent.OfBody(context, isRequest, payload[start..end], ref exchange.Facts);
        if (frame.Has(Http2Frame.EndStream))
            EndSide(context, direction, exchange);
    }

    private void EndSide(SessionContext context, FlowDirection direction, HttpExchange exchange)
    {
        if (direction == _client)
            exchange.RequestEnded = true;
        else
            exchange.ResponseEnded = true;
        if (exchange.ResponseEnded)
            Emit(context, exchange);
    }

    private HttpExchange? Find(int stream)
    {
        for (var i = 0; i < _exchanges.Count; i++)
        {
            if (_exchanges[i].Stream == stream)
                return _exchanges[i];
        }

        return null;
    }

    private HttpExchange Begin(SessionContext context, int stream)
    {
        if (_exchanges.IsFull)
            Emit(context, _exchanges[0]);
        var exchange = _exchanges.Add(context.TimeNs, version: 20);
        exchange.Stream = stream;
        return exchange;
    }

    private void Lose(SessionContext context, FlowDirection direction, Side side, HttpFault fault)
    {
        Fault(context, direction, fault);
        side.Lost = true;
    }

    private void Fault(SessionContext context, FlowDirection direction, HttpFault fault)
    {
        context.Flow.Counters.Faults++;
        var occurrence = ++_faults[(int)fault];
        if (occurrence > FaultsInFull && !BitOperations.IsPow2(occurrence))
            return;
        var transaction = context.Begin<HttpTransaction>(_client);
        transaction.Event = HttpEvent.Fault;
        transaction.Facts.Version = 20;
        transaction.Facts.Fault = fault;
        transaction.Facts.SentByServer = direction != _client;
        context.Emit(transaction);
    }

    private void Emit(SessionContext context, HttpExchange exchange)
    {
        var transaction = context.Begin<HttpTransaction>(_client);
        (transaction.TimeNs, transaction.DurationNs, transaction.Facts) = (exchange.TimeNs, exchange.DurationNs, exchange.Facts);
        transaction.Bytes = Math.Max(0, exchange.Facts.RequestBytes) + Math.Max(0, exchange.Facts.ResponseBytes);
        context.Flow.Counters.ObjectBytes += transaction.Bytes;
        _claims.Add(context, transaction);
        _exchanges.RemoveAt(_exchanges.IndexOf(exchange));
        context.Emit(transaction);
    }

    private ushort PortOf(SessionContext context) => _client == FlowDirection.FromOriginator ? context.Flow.ResponderPort : context.Flow.OriginatorPort;
}
