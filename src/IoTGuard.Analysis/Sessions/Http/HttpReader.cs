using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.Http;

namespace IoTGuard.Analysis.Sessions;

/// <summary>One direction of an HTTP/1 connection: heads line by line, bodies by length, chunks or until the connection closes (RFC 9112 section 6).</summary>
internal sealed partial class HttpReader(HttpSession session, FlowDirection direction)
{
    private enum Place : byte
    {
        Start,
        Head,
        Body,
        ChunkSize,
        Chunk,
        ChunkEnd,
        Trailer,
        UntilClose,

        /// <summary>In a line that is too long, of which nothing is wanted.</summary>
        LongLine,

        /// <summary>Nobody knows where a message begins: looking for a line that begins one.</summary>
        Lost,
    }

    private readonly HttpBodyReader _body = new(session, direction);
    private readonly byte[] _boundary = new byte[HttpMultipart.MaximumBoundaryBytes];
    private byte[] _target = [];
    private int _targetLength;
    private int _boundaryLength;
    private Place _place;
    private Place _afterLine;
    private int _scanned;

    private HttpExchange? _exchange;
    private int _use;
    private HttpHints _hints;
    private bool _isRequest;
    private bool _isInterim;
    private long _headNs;
    private long _headBytes;
    private bool _isSlow;
    private bool _hasLength;
    private bool _hasEncoding;
    private bool _isChunked;
    private bool _badLineEnd;
    private long _length;
    private long _remaining;
    private long _counted;

    /// <summary>True once the session wants nothing more of this direction.</summary>
    public bool IsDone { get; set; }

    /// <summary>The exchange that is being read, unless it was told already.</summary>
    private HttpExchange? Exchange => _exchange is not null && _exchange.Use == _use ? _exchange : null;

    public StreamProgress OnData(SessionContext context, ReadOnlySpan<byte> data)
    {
        var at = 0;
        while (at < data.Length)
        {
            if (IsDone)
                return new StreamProgress(at, 0, StreamSession.Everything);
            var rest = data[at..];
            switch (_place)
            {
                case Place.Body or Place.Chunk when !_body.Wants:
                    var skip = _remaining;
                    EndBodyOrChunk(context);
                    return new StreamProgress(at, 0, skip);
                case Place.Body or Place.Chunk:
                    var take = (int)Math.Min(rest.Length, _remaining);
                    _body.OnBytes(context, rest[..take]);
                    _remaining -= take;
                    at += take;
                    if (_remaining == 0)
                        EndBodyOrChunk(context);
                    continue;
                case Place.UntilClose:
                    if (_body.Wants)
                        _body.OnBytes(context, rest);
                    _counted += rest.Length;
                    return new StreamProgress(data.Length);
            }

            if (_place == Place.Start && _scanned == 0)
                _headNs = context.TimeNs;
            var end = rest[_scanned..].IndexOf((byte)'\n');
            var length = end < 0 ? rest.Length : _scanned + end;
            if (_place == Place.LongLine)
            {
                at += end < 0 ? length : length + 1;
                if (end >= 0)
                    _place = _afterLine;
                continue;
            }

            if (length >= HttpSession.MaximumLineBytes)
            {
                OnLongLine(context);
                _scanned = 0;
                continue;
            }

            if (end < 0)
            {
                _scanned = rest.Length;
                CheckSlow(context);
                return new StreamProgress(at);
            }

            _scanned = 0;
            at += length + 1;
            OnLine(context, rest[..length]);
            if (session.IsHandedOver)
                return new StreamProgress(at);
        }

        return new StreamProgress(at);
    }

    public void OnGap(SessionContext context, long bytes)
    {
        _scanned = 0;
        switch (_place)
        {
            case Place.Body or Place.Chunk when bytes > 0 && bytes <= _remaining:
                _body.Gap(context);
                _remaining -= bytes;
                if (_remaining == 0)
                    EndBodyOrChunk(context);
                return;
            case Place.UntilClose:
                _body.Gap(context);
                _counted += bytes;
                return;
        }

        _body.Reset();
        if (Exchange is { } exchange)
        {
            exchange.Facts.IsPartial = true;
            if (!_isRequest)
                session.EndResponse(context, exchange);
        }

        _exchange = null;
        session.OnLost();
        _place = Place.Lost;
    }

    /// <summary>The direction ended.</summary>
    public void OnEnd(SessionContext context)
    {
        if (_place is Place.Start or Place.Head && (_place == Place.Head || _scanned > 0))
            CheckSlow(context);
        if (_place is Place.Body or Place.Chunk or Place.ChunkSize or Place.ChunkEnd or Place.Trailer or Place.UntilClose)
        {
            if (Exchange is { } exchange && _place != Place.UntilClose)
                exchange.Facts.IsPartial = true;
            EndMessage(context);
        }

        _place = Place.Start;
        _scanned = 0;
    }

    public void Reset()
    {
        _place = Place.Start;
        _scanned = _targetLength = _boundaryLength = 0;
        _exchange = null;
        IsDone = _isSlow = false;
        _body.Reset();
    }

    private void OnLongLine(SessionContext context)
    {
        if (_place != Place.Lost)
            session.OnFault(context, direction, HttpFault.LineTooLong, Exchange);
        _afterLine = _place switch { Place.Head => Place.Head, Place.Trailer => Place.Trailer, _ => Place.Lost };
        _place = Place.LongLine;
    }

    private void OnLine(SessionContext context, ReadOnlySpan<byte> line)
    {
        var hasReturn = line is [.., (byte)'\r'];
        if (hasReturn)
            line = line[..^1];
        switch (_place)
        {
            case Place.Start:
                if (!line.IsEmpty)
                    OnStartLine(context, line, hasReturn, isLost: false);
                break;
            case Place.Lost:
                OnStartLine(context, line, hasReturn, isLost: true);
                break;
            case Place.Head:
                OnHeadLine(context, line, hasReturn);
                break;
            case Place.ChunkSize:
                OnChunkSize(context, line);
                break;
            case Place.ChunkEnd:
                if (line.IsEmpty)
                {
                    _place = Place.ChunkSize;
                }
                else
                {
                    session.OnFault(context, direction, HttpFault.BadChunk, Exchange);
                    EndMessage(context);
                    _place = Place.Lost;
                }

                break;
            case Place.Trailer:
                if (line.IsEmpty)
                    EndMessage(context);
                break;
        }
    }

    private void OnStartLine(SessionContext context, ReadOnlySpan<byte> line, bool hasReturn, bool isLost)
    {
        if (isLost)
            _headNs = context.TimeNs;
        if (HttpStatusLine.TryRead(line, out var status))
        {
            _isRequest = false;
            _isInterim = status.Status is < 200 and not 101;
            _exchange = session.BeginResponse(context, direction, (short)status.Status, (byte)(10 + Math.Min(status.MinorVersion, 1)), _headNs, _isInterim);
        }
        else if (HttpRequestLine.TryRead(line, out var request))
        {
            _isRequest = true;
            _isInterim = false;
            _exchange = session.BeginRequest(context, direction, (byte)(10 + Math.Min(request.MinorVersion, 1)), _headNs);
            _exchange.Facts.Method = context.Texts.Of(request.Method);
            if (_target.Length < request.Target.Length)
                _target = new byte[Math.Max(request.Target.Length, 256)];
            request.Target.CopyTo(_target);
            _targetLength = request.Target.Length;
        }
        else
        {
            if (!isLost)
                session.OnFault(context, direction, HttpFault.BadStart, null);
            _place = Place.Lost;
            return;
        }

        _use = _exchange?.Use ?? 0;
        _place = Place.Head;
        _headBytes = line.Length;
        _hints = default;
        _hasLength = _hasEncoding = _isChunked = _isSlow = _badLineEnd = false;
        _length = 0;
        _boundaryLength = 0;
        CheckLine(context, line, hasReturn);
    }

    private void CheckLine(SessionContext context, ReadOnlySpan<byte> line, bool hasReturn)
    {
        if (!hasReturn && !_badLineEnd)
        {
            _badLineEnd = true;
            session.OnFault(context, direction, HttpFault.BareLineFeed, Exchange);
        }

        if (line.IndexOfAny((byte)0, (byte)'\r') >= 0)
            session.OnFault(context, direction, HttpFault.ControlCharacter, Exchange);
        CheckSlow(context);
    }

    /// <summary>A head that takes long: a client that holds connections open, or a lost path.</summary>
    private void CheckSlow(SessionContext context)
    {
        if (_isSlow || _place is not (Place.Start or Place.Head) || context.TimeNs - _headNs < HttpSession.SlowHeadNs)
            return;
        _isSlow = true;
        session.OnFault(context, direction, HttpFault.SlowHead, Exchange);
    }

    private void EndBodyOrChunk(SessionContext context)
    {
        _remaining = 0;
        if (_place == Place.Chunk)
            _place = Place.ChunkEnd;
        else
            EndMessage(context);
    }

    private void OnChunkSize(SessionContext context, ReadOnlySpan<byte> line)
    {
        if (!HttpLine.TryReadChunkSize(line, out var size))
        {
            session.OnFault(context, direction, HttpFault.BadChunk, Exchange);
            EndMessage(context);
            _place = Place.Lost;
            return;
        }

        _counted += size;
        _remaining = size;
        _place = size == 0 ? Place.Trailer : Place.Chunk;
    }

    /// <summary>The message is complete, or nothing more of it will be seen.</summary>
    private void EndMessage(SessionContext context)
    {
        _body.End(context);
        if (Exchange is { } exchange)
        {
            ref var bytes = ref _isRequest ? ref exchange.Facts.RequestBytes : ref exchange.Facts.ResponseBytes;
            if (_isChunked || _place == Place.UntilClose)
                bytes = _counted;
            if (_isRequest)
                exchange.RequestEnded = true;
            else if (!_isInterim)
                session.EndResponse(context, exchange);
        }

        _exchange = null;
        _place = Place.Start;
    }
}
