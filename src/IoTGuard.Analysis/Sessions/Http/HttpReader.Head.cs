using System.Text;
using IoTGuard.Wire.Application.Http;

namespace IoTGuard.Analysis.Sessions;

/// <summary>Header fields, and what they say about the length of the body.</summary>
internal sealed partial class HttpReader
{
    private void OnHeadLine(SessionContext context, ReadOnlySpan<byte> line, bool hasReturn)
    {
        CheckLine(context, line, hasReturn);
        if (line.IsEmpty)
        {
            EndHead(context);
            return;
        }

        _headBytes += line.Length;
        if (_headBytes > HttpSession.MaximumHeadBytes)
        {
            if (_headBytes - line.Length <= HttpSession.MaximumHeadBytes)
                session.OnFault(context, direction, HttpFault.HeadTooLarge, Exchange);
            return;
        }

        if (line[0] is (byte)' ' or (byte)'\t')
        {
            session.OnFault(context, direction, HttpFault.FoldedField, Exchange);
            return;
        }

        if (!HttpFieldLine.TryRead(line, out var field))
        {
            session.OnFault(context, direction, HttpFault.BadField, Exchange);
            return;
        }

        if (field.HasSpaceBeforeColon)
            session.OnFault(context, direction, HttpFault.SpaceBeforeColon, Exchange);
        switch (field.Name.Length)
        {
            case 14 when Ascii.EqualsIgnoreCase(field.Name, "content-length"u8):
                OnContentLength(context, field.Value);
                return;
            case 17 when Ascii.EqualsIgnoreCase(field.Name, "transfer-encoding"u8):
                OnTransferEncoding(context, field.Value);
                return;
            case 12 when Ascii.EqualsIgnoreCase(field.Name, "content-type"u8):
                NoteBoundary(field.Value);
                break;
        }

        if (Exchange is not { } exchange || _isInterim)
            return;
        if (_isRequest)
            HttpHeaders.OfRequest(context, field.Name, field.Value, ref exchange.Facts, ref _hints);
        else
            HttpHeaders.OfResponse(context, field.Name, field.Value, ref exchange.Facts);
    }

    private void OnContentLength(SessionContext context, ReadOnlySpan<byte> value)
    {
        if (!HttpLine.TryReadLength(value, out var length))
        {
            // A list of the same number is one number (RFC 9110 8.6).
            var comma = value.IndexOf((byte)',');
            if (comma < 0 || !HttpLine.TryReadLength(value[..comma].Trim((byte)' '), out length) || !value[(comma + 1)..].Trim((byte)' ').SequenceEqual(value[..comma].Trim((byte)' ')))
            {
                session.OnFault(context, direction, HttpFault.BadLength, Exchange);
                return;
            }
        }

        if (_hasLength && length != _length)
            session.OnFault(context, direction, HttpFault.DifferentLengths, Exchange);
        _hasLength = true;
        _length = length;
    }

    private void OnTransferEncoding(SessionContext context, ReadOnlySpan<byte> value)
    {
        _hasEncoding = true;
        var comma = value.LastIndexOf((byte)',');
        var last = value[(comma + 1)..].Trim(" \t"u8);
        _isChunked = Ascii.EqualsIgnoreCase(last, "chunked"u8);
        var isKnown = _isChunked || (!_isRequest && (Ascii.EqualsIgnoreCase(last, "gzip"u8) || Ascii.EqualsIgnoreCase(last, "deflate"u8) || Ascii.EqualsIgnoreCase(last, "identity"u8)));
        if (!isKnown)
            session.OnFault(context, direction, HttpFault.BadEncoding, Exchange);
    }

    private void NoteBoundary(ReadOnlySpan<byte> type)
    {
        if (!type.StartsWith("multipart/"u8))
            return;
        var boundary = HttpLine.Parameter(type, "boundary"u8);
        if (boundary.Length > _boundary.Length)
            return;
        boundary.CopyTo(_boundary);
        _boundaryLength = boundary.Length;
    }

    private void EndHead(SessionContext context)
    {
        if (_isInterim)
        {
            _exchange = null;
            _place = Place.Start;
            return;
        }

        if (_hasLength && _hasEncoding)
            session.OnFault(context, direction, HttpFault.LengthAndEncoding, Exchange);
        var exchange = Exchange;
        var hasBody = _isRequest
            ? session.EndRequestHead(context, exchange, _target.AsSpan(0, _targetLength), ref _hints)
            : session.EndResponseHead(context, exchange);
        _remaining = _counted = 0;
        if (session.IsHandedOver || !hasBody)
        {
            EndMessage(context);
            return;
        }

        // RFC 9112 6.3: Transfer-Encoding goes before Content-Length; a request without either has no body, a response lasts until the end.
        if (_isChunked)
        {
            _place = Place.ChunkSize;
        }
        else if (_hasLength && !_hasEncoding)
        {
            if (exchange is not null && _isRequest)
                exchange.Facts.RequestBytes = _length;
            else if (exchange is not null)
                exchange.Facts.ResponseBytes = _length;
            if (_length == 0)
            {
                EndMessage(context);
                return;
            }

            _remaining = _length;
            _place = Place.Body;
        }
        else if (_isRequest)
        {
            EndMessage(context);
            return;
        }
        else
        {
            _place = Place.UntilClose;
        }

        _body.Begin(exchange, _isRequest, _boundary.AsSpan(0, _boundaryLength));
    }
}
