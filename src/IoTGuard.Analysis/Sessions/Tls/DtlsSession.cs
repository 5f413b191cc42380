using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.Tls;

namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// DTLS (RFC 6347, RFC 9147) up to the end of the handshake: puts its messages in the clear together and reads what <see cref="TlsSession"/> reads of them, but for alerts.
/// The handshake is emitted when both sides have sent encrypted records; else at the end, as not complete. Messages above <see cref="QuicCrypto.MaximumBytes"/> are not read.
/// </summary>
public sealed class DtlsSession : DatagramSession
{
    /// <summary>Records of one datagram that are looked at.</summary>
    public const int MaximumRecords = 16;

    /// <summary>Datagrams of a flow that are looked at.</summary>
    public const int MaximumDatagrams = 256;

    private const TlsHandshakeType HelloVerifyRequest = (TlsHandshakeType)3;
    private const byte OverDtls = (byte)'d';

    private readonly Side[] _sides = [new(), new()];
    private FlowDirection _client;
    private TlsFacts _facts;
    private bool _hasHello;
    private bool _emitted;
    private int _datagrams;
    private long _startNs;
    private long _bytes;

    /// <summary>One direction: the message that is being put together, and whether what follows is encrypted.</summary>
    private sealed class Side
    {
        public readonly QuicCrypto Message = new();
        public int Sequence = -1;
        public bool IsEncrypted;

        public void Clear()
        {
            Message.Clear();
            Sequence = -1;
            IsEncrypted = false;
        }
    }

    public override ApplicationProtocol Protocol => ApplicationProtocol.Dtls;

    /// <summary>Records that fill the datagram to its end; the first one is a message of the handshake, or of a connection that is met on its way.</summary>
    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (!DtlsRecordHeader.TryRead(data, out var first))
            return ProbeResult.NotForUs;
        if (first is { Type: TlsContentType.Handshake, Epoch: 0 }
            && !(DtlsFragmentHeader.TryRead(data.Slice(DtlsRecordHeader.Size, first.Length), out var fragment) && new TlsHandshakeHeader(fragment.Type, 0).IsKnown))
            return ProbeResult.NotForUs;
        for (var rest = data; !rest.IsEmpty; rest = rest[(DtlsRecordHeader.Size + first.Length)..])
        {
            if (!DtlsRecordHeader.TryRead(rest, out first))
                return DtlsRecordHeader.IsUnified(rest[0]) ? ProbeResult.Certain : ProbeResult.NotForUs;
        }

        return ProbeResult.Certain;
    }

    public override void OnDatagram(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data, int cut)
    {
        if (_emitted || _datagrams == MaximumDatagrams)
            return;
        _datagrams++;
        if (_startNs == 0)
            _startNs = context.TimeNs;
        var side = _sides[(int)direction];
        for (var i = 0; i < MaximumRecords && !data.IsEmpty; i++)
        {
            if (!DtlsRecordHeader.TryRead(data, out var header))
            {
                side.IsEncrypted |= DtlsRecordHeader.IsUnified(data[0]);
                break;
            }

            _bytes += DtlsRecordHeader.Size + header.Length;
            if (header.Epoch > 0)
                side.IsEncrypted = true;
            else if (header.Type == TlsContentType.Handshake)
                OnFragments(context, direction, side, data.Slice(DtlsRecordHeader.Size, header.Length));
            data = data[(DtlsRecordHeader.Size + header.Length)..];
        }

        if (_hasHello && _facts.Version != 0 && _sides[0].IsEncrypted && _sides[1].IsEncrypted)
            Emit(context, isComplete: true);
    }

    public override void OnEnd(SessionContext context)
    {
        if (_hasHello)
            Emit(context, isComplete: false);
    }

    public override void Reset()
    {
        foreach (var side in _sides)
            side.Clear();
        _client = FlowDirection.FromOriginator;
        _facts = default;
        _hasHello = _emitted = false;
        _datagrams = 0;
        _startNs = _bytes = 0;
    }

    private void OnFragments(SessionContext context, FlowDirection direction, Side side, ReadOnlySpan<byte> data)
    {
        while (DtlsFragmentHeader.TryRead(data, out var header))
        {
            if (header.Sequence != side.Sequence)
            {
                side.Message.Clear();
                side.Sequence = header.Sequence;
            }

            Span<byte> head = [(byte)header.Type, (byte)(header.Length >> 16), (byte)(header.Length >> 8), (byte)header.Length];
            side.Message.Add(0, head);
            side.Message.Add((ulong)(TlsHandshakeHeader.Size + header.Offset), data.Slice(DtlsFragmentHeader.Size, header.FragmentLength));
            data = data[(DtlsFragmentHeader.Size + header.FragmentLength)..];
            if (side.Message.Message is { IsEmpty: false } message)
                OnMessage(context, direction, (TlsHandshakeType)message[0], message[TlsHandshakeHeader.Size..]);
        }
    }

    private void OnMessage(SessionContext context, FlowDirection direction, TlsHandshakeType type, ReadOnlySpan<byte> body)
    {
        if (type == TlsHandshakeType.ClientHello && (!_hasHello || direction == _client) && TlsClientHello.TryRead(body, out var client, hasCookie: true))
        {
            context.Flow.Counters.Requests += _hasHello ? 0 : 1;
            _hasHello = true;
            _client = direction;
            _facts.IsDatagrams = true;
            TlsHandshakeReader.ReadClientHello(context, client, isWhole: true, OverDtls, ref _facts);
            return;
        }

        var byServer = direction != _client;
        switch (type)
        {
            // RFC 6347 4.2.1: the client says hello again with the cookie.
            case HelloVerifyRequest when byServer:
                _facts.IsRetried = true;
                break;
            case TlsHandshakeType.ServerHello when byServer && TlsServerHello.TryRead(body, out var server):
                if (server.IsRetry)
                {
                    _facts.IsRetried = true;
                    break;
                }

                context.Flow.Counters.Responses += _facts.Version == 0 ? 1 : 0;
                TlsHandshakeReader.ReadServerHello(context, server, OverDtls, ref _facts);
                break;
            case TlsHandshakeType.Certificate when !byServer:
                _facts.ClientCertificateSent |= TlsHandshakeReader.ReadCertificates(context, body, ofServer: false, ref _facts);
                break;
            case TlsHandshakeType.Certificate when !_facts.HasCertificate:
                TlsHandshakeReader.ReadCertificates(context, body, ofServer: true, ref _facts);
                break;
            case TlsHandshakeType.CertificateRequest when byServer:
                _facts.ClientCertificateRequested = true;
                break;
        }
    }

    private void Emit(SessionContext context, bool isComplete)
    {
        if (_emitted)
            return;
        _emitted = true;
        var transaction = TlsHandshakeReader.Begin(context, _client, ref _facts, _startNs, _bytes, isComplete);
        transaction.IsAnswered = _facts.Version != 0;
        context.Emit(transaction);
    }
}
