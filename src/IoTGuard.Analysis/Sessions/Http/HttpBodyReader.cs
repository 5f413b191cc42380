using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.Files;

namespace IoTGuard.Analysis.Sessions;

/// <summary>Looks at one body: at its first bytes, at the beginnings of its parts when it is multipart, at all of it when it is HL7.</summary>
internal sealed class HttpBodyReader(HttpSession session, FlowDirection direction)
{
    /// <summary>Bytes after which HL7 is recognised.</summary>
    private const int Hl7Bytes = 5;

    private enum Mode : byte
    {
        /// <summary>Nothing more to learn.</summary>
        Done,
        Sniff,
        Multipart,
        Hl7,
    }

    private byte[] _head = [];
    private int _length;
    private Mode _mode;
    private HttpMultipart? _multipart;
    private HttpExchange? _exchange;
    private int _use;
    private bool _isRequest;

    /// <summary>True while bytes are worth showing.</summary>
    public bool Wants => _mode != Mode.Done;

    public void Begin(HttpExchange? exchange, bool isRequest, ReadOnlySpan<byte> boundary)
    {
        _exchange = exchange;
        _use = exchange?.Use ?? 0;
        _isRequest = isRequest;
        _length = 0;
        _mode = exchange is null ? Mode.Done : Mode.Sniff;
        if (_mode != Mode.Done && !boundary.IsEmpty && (_multipart ??= new HttpMultipart()).Begin(boundary))
            _mode = Mode.Multipart;
    }

    public void OnBytes(SessionContext context, ReadOnlySpan<byte> bytes)
    {
        if (_exchange is null || _exchange.Use != _use)
            _mode = Mode.Done;
        switch (_mode)
        {
            case Mode.Multipart:
                _multipart!.OnBytes(context, _isRequest, bytes, ref _exchange!.Facts);
                break;
            case Mode.Hl7:
                session.OnHl7(context, direction, bytes);
                break;
            case Mode.Sniff:
                Sniff(context, bytes);
                break;
        }
    }

    public void End(SessionContext context)
    {
        if (_exchange is not null && _exchange.Use == _use)
        {
            switch (_mode)
            {
                case Mode.Sniff when _length > 0:
                    Tell(context);
                    break;
                case Mode.Multipart:
                    _multipart!.End(context, _isRequest, ref _exchange.Facts);
                    break;
                case Mode.Hl7:
                    session.OnHl7End(context, direction);
                    break;
            }
        }

        Reset();
    }

    public void Gap(SessionContext context)
    {
        switch (_mode)
        {
            case Mode.Multipart:
                _multipart!.Gap();
                break;
            case Mode.Hl7:
                session.OnHl7End(context, direction);
                _mode = Mode.Done;
                break;
            default:
                _mode = Mode.Done;
                break;
        }
    }

    public void Reset()
    {
        _exchange = null;
        _length = 0;
        _mode = Mode.Done;
    }

    private void Sniff(SessionContext context, ReadOnlySpan<byte> bytes)
    {
        if (_head.Length == 0)
            _head = new byte[HttpContent.SniffBytes];
        var take = Math.Min(bytes.Length, _head.Length - _length);
        var before = _length;
        bytes[..take].CopyTo(_head.AsSpan(_length));
        _length += take;
        if (before < Hl7Bytes && _length >= Hl7Bytes && FileKinds.OfMagic(_head.AsSpan(0, Hl7Bytes)) == FileKind.Hl7)
        {
            Tell(context);
            _mode = Mode.Hl7;
            session.OnHl7(context, direction, _head.AsSpan(0, _length));
            if (take < bytes.Length)
                session.OnHl7(context, direction, bytes[take..]);
            return;
        }

        if (_length < _head.Length)
            return;
        Tell(context);
        _mode = Mode.Done;
    }

    private void Tell(SessionContext context) => HttpContent.OfBody(context, _isRequest, _head.AsSpan(0, _length), ref _exchange!.Facts);
}
