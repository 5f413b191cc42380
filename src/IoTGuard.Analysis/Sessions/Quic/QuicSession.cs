using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.Quic;
using IoTGuard.Wire.Application.Tls;

namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// QUIC (RFC 9000, RFC 9369, drafts 22 to 34, Facebook's and Google's versions) up to ServerHello: opens Initial packets and reads the TLS handshake in them. At most
/// <see cref="MaximumPackets"/> packets of a flow are opened. The handshake is emitted at ServerHello, as complete; else at the end. Of Google's own handshake (Q024 to
/// Q050) only the client's hello is read; its outcome cannot be seen.
/// </summary>
public sealed class QuicSession : DatagramSession
{
    /// <summary>Packets of a flow that are opened.</summary>
    public const int MaximumPackets = 24;

    /// <summary>Packets of one datagram that are looked at.</summary>
    public const int MaximumCoalesced = 8;

    private const int SmallestClientDatagram = 1200;
    private const byte OverQuic = (byte)'q';

    private readonly QuicCrypto[] _crypto = [new(), new()];
    private readonly byte[] _connectionId = new byte[QuicPacket.MaximumIdBytes];
    private int _connectionIdLength = -1;
    private FlowDirection _client;
    private TlsFacts _facts;
    private bool _hasHello;
    private bool _emitted;
    private int _opened;
    private long _startNs;
    private long _bytes;

    public override ApplicationProtocol Protocol => ApplicationProtocol.Quic;

    /// <summary>
    /// An Initial packet of a known version in a datagram of the size that a client's must have (RFC 9000 14.1); or one of a version that nobody speaks; or a hello of
    /// Google's QUIC.
    /// </summary>
    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (GoogleQuicPacket.TryRead(data, out var google))
            return google.Hello.IsEmpty ? ProbeResult.Likely : ProbeResult.Certain;
        if (data.Length < SmallestClientDatagram || (data[0] & 0xC0) != 0xC0)
            return ProbeResult.NotForUs;
        if (!QuicPacket.TryRead(data, out var packet))
            return QuicPacket.ForcesNegotiation(data) ? ProbeResult.Certain : ProbeResult.NotForUs;
        return packet.Type == QuicPacketType.Initial && packet.DestinationId.Length >= QuicPacket.MinimumFirstIdBytes ? ProbeResult.Certain : ProbeResult.NotForUs;
    }

    public override void OnDatagram(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data, int cut)
    {
        if (_emitted || _opened == MaximumPackets)
            return;
        if (_startNs == 0)
        {
            _startNs = context.TimeNs;
            _client = direction;
        }

        if (!_hasHello && direction == _client && GoogleQuicPacket.TryRead(data, out var google))
        {
            _opened++;
            OnGoogleHello(context, google.Hello, google.Version);
            return;
        }

        for (var i = 0; i < MaximumCoalesced && QuicPacket.TryRead(data, out var packet); i++)
        {
            data = data[packet.Bytes.Length..];
            switch (packet.Type)
            {
                case QuicPacketType.Initial:
                    OnInitial(context, direction, packet);
                    break;

                // RFC 9001 5.2: after either the client begins anew, with keys of a new connection id.
                case QuicPacketType.Retry or QuicPacketType.VersionNegotiation when direction != _client && !HasServerHello:
                    _facts.IsRetried = true;
                    _connectionIdLength = -1;
                    _crypto[0].Clear();
                    _crypto[1].Clear();
                    break;
            }

            if (_emitted || _opened == MaximumPackets)
                return;
        }
    }

    public override void OnEnd(SessionContext context)
    {
        if (_hasHello)
            Emit(context, isComplete: false);
    }

    public override void Reset()
    {
        foreach (var crypto in _crypto)
            crypto.Clear();
        _connectionIdLength = -1;
        _client = FlowDirection.FromOriginator;
        _facts = default;
        _hasHello = _emitted = false;
        _opened = 0;
        _startNs = _bytes = 0;
    }

    private bool HasServerHello => _facts.Version != 0;

    private void OnInitial(SessionContext context, FlowDirection direction, in QuicPacket packet)
    {
        var byServer = direction != _client;
        if (_connectionIdLength < 0)
        {
            if (byServer)
                return;
            Remember(packet.DestinationId);
        }

        Span<byte> plain = stackalloc byte[QuicInitialKeys.MaximumPacketBytes];
        _opened++;
        _bytes += packet.Bytes.Length;
        var length = QuicInitialKeys.Open(packet, _connectionId.AsSpan(0, _connectionIdLength), byServer, plain);
        if (length < 0 && !byServer && !_hasHello && !packet.DestinationId.SequenceEqual(_connectionId.AsSpan(0, _connectionIdLength)))
        {
            Remember(packet.DestinationId);
            length = QuicInitialKeys.Open(packet, _connectionId.AsSpan(0, _connectionIdLength), byServer, plain);
        }

        if (length < 0)
        {
            context.Flow.Counters.Faults++;
            return;
        }

        _facts.QuicVersion = packet.Version;
        var crypto = _crypto[(int)direction];
        var frames = new QuicFrameReader(plain[..length], QuicVersion.HasGoogleFrames(packet.Version));
        while (frames.ReadCrypto())
            crypto.Add(frames.Offset, frames.Data);
        if (packet.Version != QuicVersion.Google50)
            OnMessage(context, byServer, crypto.Message);
        else if (!byServer && !_hasHello)
            OnGoogleHello(context, crypto.Beginning, packet.Version);
    }

    private void Remember(ReadOnlySpan<byte> connectionId)
    {
        connectionId.CopyTo(_connectionId);
        _connectionIdLength = connectionId.Length;
    }

    private void OnMessage(SessionContext context, bool byServer, ReadOnlySpan<byte> message)
    {
        if (message.IsEmpty)
            return;
        var type = (TlsHandshakeType)message[0];
        var body = message[TlsHandshakeHeader.Size..];
        if (!byServer && !_hasHello && type == TlsHandshakeType.ClientHello && TlsClientHello.TryRead(body, out var client))
        {
            _hasHello = true;
            context.Flow.Counters.Requests++;
            TlsHandshakeReader.ReadClientHello(context, client, isWhole: true, OverQuic, ref _facts);
        }
        else if (byServer && type == TlsHandshakeType.ServerHello && TlsServerHello.TryRead(body, out var server) && !server.IsRetry)
        {
            context.Flow.Counters.Responses++;
            TlsHandshakeReader.ReadServerHello(context, server, OverQuic, ref _facts);
            if (_hasHello)
                Emit(context, isComplete: true);
        }
    }

    private void OnGoogleHello(SessionContext context, ReadOnlySpan<byte> hello, uint version)
    {
        if (!hello.StartsWith(GoogleHello.Tag))
            return;
        _hasHello = true;
        _facts.QuicVersion = version;
        _facts.ServerName = context.Texts.Of(GoogleHello.ServerName(hello));
        context.Flow.Counters.Requests++;
    }

    private void Emit(SessionContext context, bool isComplete)
    {
        if (_emitted)
            return;
        _emitted = true;
        var transaction = TlsHandshakeReader.Begin(context, _client, ref _facts, _startNs, _bytes, isComplete);
        transaction.IsAnswered = isComplete;
        context.Emit(transaction);
    }
}
