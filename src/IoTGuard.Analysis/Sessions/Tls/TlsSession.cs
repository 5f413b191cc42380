using System.Buffers.Binary;
using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.Tls;

namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// TLS up to the end of the handshake. Reads records and, out of them, handshake messages in the clear; keeps no bytes: a message that spans records stays in
/// the stream until it is whole or <see cref="MaximumMessageBytes"/> of it are there. After the handshake nothing is looked at.
/// </summary>
/// <remarks>
/// The handshake is emitted when both sides have sent their Finished (TLS 1.2 and before: the first handshake record after ChangeCipherSpec), in TLS 1.3 with the
/// client's first encrypted record after ServerHello, unless that has the size of an alert; otherwise at a fatal alert or at the end, as not complete.
/// </remarks>
public sealed class TlsSession : StreamSession
{
    /// <summary>Bytes of a handshake message that are read; of a longer one the beginning.</summary>
    public const int MaximumMessageBytes = 16 * 1024;

    /// <summary>Records that one message may be spread over.</summary>
    public const int MaximumRecordsPerMessage = 64;

    /// <summary>Alerts told per connection.</summary>
    public const int MaximumAlerts = 4;

    /// <summary>An encrypted alert of TLS 1.3: two bytes, the content type and the tag of an AEAD.</summary>
    private const int EncryptedAlertBytes = 2 + 1 + 16;

    /// <summary>Bytes of an encrypted alert at most: its two with an initialisation vector of 16, a MAC of 48 and padding.</summary>
    private const int LongestEncryptedAlert = 80;

    private const byte OverTcp = (byte)'t';
    private const ushort Tls13 = 0x0304;

    private readonly Side[] _sides = [new(), new()];
    private readonly byte[] _sessionId = new byte[TlsHandshakeReader.MaximumSessionIdBytes];
    private int _sessionIdLength;
    private bool _offeredTicket;
    private bool _isSsl2;
    private TlsFacts _facts;
    private FlowDirection _client;
    private bool _hasHello;
    private bool _emitted;
    private int _alerts;
    private long _startNs;
    private long _bytes;

    private sealed class Side
    {
        /// <summary>Nothing more of this direction is read.</summary>
        public bool IsDone;

        /// <summary>ChangeCipherSpec was seen.</summary>
        public bool IsChanged;
        public bool IsFinished;

        /// <summary>A record of this direction was read; until then a direction picked up in the middle may begin anywhere.</summary>
        public bool HasRead;
        public bool IsPickedUp;

        /// <summary>Bytes of the present record's fragment that are done with.</summary>
        public int InRecord;

        /// <summary>Bytes of the present message that nobody needs.</summary>
        public int Passing;

        public void Clear() => (IsDone, IsChanged, IsFinished, HasRead, IsPickedUp, InRecord, Passing) = (false, false, false, false, false, 0, 0);
    }

    public override ApplicationProtocol Protocol => ApplicationProtocol.Tls;

    /// <summary>Tells from the first bytes of a direction whether it is TLS.</summary>
    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty)
            return ProbeResult.Unsure;
        if ((data[0] & 0x80) != 0)
            return ProbeSsl2(data);
        if (data[0] is < (byte)TlsContentType.ChangeCipherSpec or > (byte)TlsContentType.ApplicationData)
            return ProbeResult.NotForUs;
        if (data.Length > 1 && data[1] != 3)
            return ProbeResult.NotForUs;
        if (data.Length < TlsRecordHeader.Size)
            return ProbeResult.Unsure;
        var header = TlsRecordHeader.Read(data);
        if (!header.IsPlausible || header.Length == 0)
            return ProbeResult.NotForUs;
        if (header.Type == TlsContentType.ApplicationData)
            return ProbeResult.Certain;

        // A connection that is met on its way may begin so (RFC 5246 7.1; RFC 8446 D.4).
        if (header.Type == TlsContentType.ChangeCipherSpec)
            return header.Length != 1 ? ProbeResult.NotForUs : data.Length < 6 ? ProbeResult.Unsure : data[5] == 1 ? ProbeResult.Certain : ProbeResult.NotForUs;
        if (header.Type == TlsContentType.Alert && header.Length is > 2 and <= LongestEncryptedAlert)
            return data.Length < TlsRecordHeader.Size + header.Length ? ProbeResult.Unsure : data.Length == TlsRecordHeader.Size + header.Length ? ProbeResult.Certain : ProbeResult.NotForUs;
        if (header.Type == TlsContentType.Alert)
            return header.Length != 2 ? ProbeResult.NotForUs : data.Length < 7 ? ProbeResult.Unsure : data[5] is 1 or 2 ? ProbeResult.Certain : ProbeResult.NotForUs;
        if (data.Length < TlsRecordHeader.Size + TlsHandshakeHeader.Size)
            return header.Length < TlsHandshakeHeader.Size ? ProbeResult.Certain : ProbeResult.Unsure;
        return TlsHandshakeHeader.Read(data[TlsRecordHeader.Size..]).IsKnown ? ProbeResult.Certain : ProbeResult.NotForUs;
    }

    public override StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        var side = _sides[(int)direction];
        if (_startNs == 0)
            _startNs = context.TimeNs;
        if ((data[0] & 0x80) != 0 && side.InRecord == 0 && !side.IsDone && (!_hasHello || (_isSsl2 && direction != _client)))
            return OnSsl2(context, direction, data);
        var at = 0;
        while (!side.IsDone)
        {
            var rest = data[at..];
            if (rest.Length < TlsRecordHeader.Size)
                return new StreamProgress(at, TlsRecordHeader.Size);
            var header = TlsRecordHeader.Read(rest);
            if (!header.IsPlausible)
            {
                if (side.IsPickedUp && !side.HasRead)
                    side.IsDone = true;
                else
                    Fault(context, direction, "bytes that are no TLS record");
                break;
            }

            var length = TlsRecordHeader.Size + header.Length;
            var isRead = header.Type == TlsContentType.Handshake ? !IsEncrypted(side) : header.Type == TlsContentType.Alert && header.Length == 2 && !IsEncrypted(side);
            if (isRead)
            {
                if (rest.Length < length)
                    return new StreamProgress(at, length);
                var needed = header.Type == TlsContentType.Handshake ? ReadHandshake(context, direction, rest, length) : 0;
                if (needed > 0)
                    return new StreamProgress(at, needed);
                if (header.Type == TlsContentType.Alert)
                    OnAlert(context, direction, rest[TlsRecordHeader.Size], rest[TlsRecordHeader.Size + 1]);
            }
            else
            {
                OnOpaque(context, direction, header);
            }

            side.HasRead = true;
            _bytes += length;
            if (rest.Length < length)
                return new StreamProgress(at + TlsRecordHeader.Size, 0, side.IsDone ? Everything : header.Length);
            at += length;
            if (at == data.Length && !side.IsDone)
                return new StreamProgress(at);
        }

        return new StreamProgress(data.Length, 0, Everything);
    }

    public override void OnGap(SessionContext context, FlowDirection direction, long bytes)
    {
        // Picked up in the middle, the direction may begin at a record; after a gap nobody knows where the next one begins.
        var side = _sides[(int)direction];
        if (bytes > 0 || side.HasRead)
            side.IsDone = true;
        else
            side.IsPickedUp = true;
    }

    public override void OnEnd(SessionContext context)
    {
        if (_hasHello)
            EmitHandshake(context, isComplete: false);
    }

    public override void Reset()
    {
        foreach (var side in _sides)
            side.Clear();
        _sessionIdLength = 0;
        _offeredTicket = _isSsl2 = _hasHello = _emitted = false;
        _facts = default;
        _client = FlowDirection.FromOriginator;
        _alerts = 0;
        _startNs = _bytes = 0;
    }

    private static ProbeResult ProbeSsl2(ReadOnlySpan<byte> data)
    {
        if (data.Length > 2 && data[2] != 1)
            return ProbeResult.NotForUs;
        if (data.Length < TlsClientHello.Ssl2HeaderSize)
            return data.Length > 3 && data[3] is not (0 or 3) ? ProbeResult.NotForUs : ProbeResult.Unsure;
        return TlsClientHello.Ssl2Length(data) > 0 ? ProbeResult.Certain : ProbeResult.NotForUs;
    }

    /// <summary>True when the records of a direction are encrypted: ChangeCipherSpec means that up to TLS 1.2 only.</summary>
    private bool IsEncrypted(Side side) => side.IsChanged && _facts.Version is > 0 and < Tls13;

    /// <summary>Reads the messages that begin in a whole record. Returns 0, or how many bytes it needs to read one that goes on in the next records.</summary>
    private int ReadHandshake(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> records, int length)
    {
        var side = _sides[(int)direction];
        while (TlsRecordHeader.Size + side.InRecord < length && !side.IsDone)
        {
            var fragment = records[(TlsRecordHeader.Size + side.InRecord)..length];
            var passed = Math.Min(side.Passing, fragment.Length);
            side.Passing -= passed;
            side.InRecord += passed;
            fragment = fragment[passed..];
            if (fragment.IsEmpty)
                break;
            if (fragment.Length >= TlsHandshakeHeader.Size)
            {
                var header = TlsHandshakeHeader.Read(fragment);
                if (!header.IsKnown)
                {
                    OnUnknownMessage(context, direction);
                    break;
                }

                var wanted = Math.Min(TlsHandshakeHeader.Size + header.Length, MaximumMessageBytes);
                if (wanted <= fragment.Length)
                {
                    side.Passing = TlsHandshakeHeader.Size + header.Length;
                    OnMessage(context, direction, header, fragment[TlsHandshakeHeader.Size..wanted]);
                    continue;
                }
            }

            var needed = Gather(context, direction, records, length, fragment);
            if (needed > 0)
                return needed;
        }

        side.InRecord = 0;
        return 0;
    }

    /// <summary>Puts a message together that is spread over records. Returns 0 when it was read or given up, else how many bytes it needs.</summary>
    private int Gather(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> records, int at, ReadOnlySpan<byte> fragment)
    {
        Span<byte> message = stackalloc byte[MaximumMessageBytes];
        var side = _sides[(int)direction];
        var count = fragment.Length;
        fragment.CopyTo(message);
        for (var spread = 1; ; spread++)
        {
            var wanted = TlsHandshakeHeader.Size;
            if (count >= TlsHandshakeHeader.Size)
            {
                var header = TlsHandshakeHeader.Read(message);
                if (!header.IsKnown)
                {
                    OnUnknownMessage(context, direction);
                    return 0;
                }

                wanted = Math.Min(TlsHandshakeHeader.Size + header.Length, MaximumMessageBytes);
                if (count >= wanted)
                {
                    side.Passing = TlsHandshakeHeader.Size + header.Length;
                    OnMessage(context, direction, header, message[TlsHandshakeHeader.Size..wanted]);
                    return 0;
                }
            }

            var rest = records[at..];
            if (rest.Length < TlsRecordHeader.Size)
                return at + TlsRecordHeader.Size;
            var record = TlsRecordHeader.Read(rest);
            if (record.Type != TlsContentType.Handshake || !record.IsPlausible || spread == MaximumRecordsPerMessage)
            {
                Fault(context, direction, spread == MaximumRecordsPerMessage ? "a handshake message spread over very many records" : "a handshake message that another record interrupts");
                return 0;
            }

            at += TlsRecordHeader.Size + record.Length;
            if (records.Length < at)
                return at;
            var body = rest.Slice(TlsRecordHeader.Size, record.Length);
            body = body[..Math.Min(body.Length, MaximumMessageBytes - count)];
            body.CopyTo(message[count..]);
            count += body.Length;
        }
    }

    private void OnMessage(SessionContext context, FlowDirection direction, TlsHandshakeHeader header, ReadOnlySpan<byte> body)
    {
        var isWhole = body.Length == header.Length;
        switch (header.Type)
        {
            case TlsHandshakeType.ClientHello when !_hasHello || (_facts.IsRetried && direction == _client):
                if (TlsClientHello.TryRead(body, out var client))
                    OnClientHello(context, direction, client, isWhole);
                else
                    Fault(context, direction, "a ClientHello that is not as the standard says");
                break;
            case TlsHandshakeType.ServerHello when (!_hasHello || direction != _client) && _facts.Version == 0:
                if (TlsServerHello.TryRead(body, out var server))
                    OnServerHello(context, direction, server);
                else
                    Fault(context, direction, "a ServerHello that is not as the standard says");
                break;
            case TlsHandshakeType.Certificate when _hasHello:
                if (TlsHandshakeReader.ReadCertificates(context, body, ofServer: direction != _client, ref _facts) && direction == _client)
                    _facts.ClientCertificateSent = true;
                break;
            case TlsHandshakeType.CertificateRequest when _hasHello && direction != _client:
                _facts.ClientCertificateRequested = true;
                break;
            case TlsHandshakeType.ServerKeyExchange when _hasHello && direction != _client && TlsCipherSuite.HasFiniteFieldExchange(_facts.Suite):
                _facts.ExchangeBits = TlsHandshakeReader.ExchangeBits(body);
                break;
        }
    }

    private void OnClientHello(SessionContext context, FlowDirection direction, in TlsClientHello hello, bool isWhole)
    {
        var isRetried = _facts.IsRetried;
        _client = direction;
        _hasHello = true;
        _isSsl2 = hello.IsSsl2;
        _facts = new TlsFacts { IsRetried = isRetried };
        _sessionIdLength = hello.SessionId.Length;
        hello.SessionId.CopyTo(_sessionId);
        _offeredTicket = TlsHandshakeReader.OffersTicket(hello);
        TlsHandshakeReader.ReadClientHello(context, hello, isWhole, OverTcp, ref _facts);
        context.Flow.Counters.Requests++;
    }

    private void OnServerHello(SessionContext context, FlowDirection direction, in TlsServerHello hello)
    {
        if (!_hasHello)
            _client = (FlowDirection)(1 - (int)direction);
        _hasHello = true;
        if (hello.IsRetry)
        {
            _facts.IsRetried = true;
            return;
        }

        context.Flow.Counters.Responses++;
        TlsHandshakeReader.ReadServerHello(context, hello, OverTcp, ref _facts);
        if (hello.Version < Tls13 && !hello.SessionId.IsEmpty && hello.SessionId.SequenceEqual(_sessionId.AsSpan(0, _sessionIdLength)))
            _facts.Resumed = _offeredTicket ? "ticket" : "session_id";

        // RFC 8446 2: everything that follows from the server is encrypted, the certificate too.
        if (hello.Version >= Tls13)
            _sides[(int)direction].IsDone = true;
    }

    /// <summary>The first bytes of a message that is none: after ChangeCipherSpec they are encrypted, although nobody saw the version.</summary>
    private void OnUnknownMessage(SessionContext context, FlowDirection direction)
    {
        var side = _sides[(int)direction];
        if (side.IsChanged)
            side.IsDone = true;
        else
            Fault(context, direction, "a handshake message of an unknown type");
    }

    /// <summary>A record whose contents are not read.</summary>
    private void OnOpaque(SessionContext context, FlowDirection direction, TlsRecordHeader header)
    {
        var side = _sides[(int)direction];
        switch (header.Type)
        {
            case TlsContentType.ChangeCipherSpec:
                side.IsChanged = true;
                break;
            case TlsContentType.Handshake:
                side.IsFinished = true;
                if (_sides[0].IsFinished && _sides[1].IsFinished)
                    EmitHandshake(context, isComplete: true);
                break;
            case TlsContentType.ApplicationData:
                OnApplicationData(context, direction, header);
                break;
        }
    }

    private void OnApplicationData(SessionContext context, FlowDirection direction, TlsRecordHeader header)
    {
        if (!_hasHello)
        {
            Finish();
            return;
        }

        // Before ServerHello this is early data (RFC 8446 4.2.10).
        if (_facts.Version >= Tls13 && direction == _client)
            EmitHandshake(context, isComplete: header.Length != EncryptedAlertBytes);
        else if (_facts.Version is > 0 and < Tls13 && (_sides[0].IsChanged || _sides[1].IsChanged))
            EmitHandshake(context, isComplete: true);
    }

    private void OnAlert(SessionContext context, FlowDirection direction, byte level, byte description)
    {
        const byte fatal = 2;
        const byte closeNotify = 0;
        if (description == closeNotify || _alerts == MaximumAlerts)
            return;
        _alerts++;
        if (level == fatal)
        {
            context.Flow.Counters.Failures++;
            if (_hasHello)
                EmitHandshake(context, isComplete: false);
        }

        var transaction = Begin(context, TlsEvent.Alert);
        transaction.Alert = description;
        transaction.IsFatal = level == fatal;
        transaction.SentByServer = direction != _client;
        transaction.Bytes = TlsRecordHeader.Size + 2;
        context.Emit(transaction);
    }

    private StreamProgress OnSsl2(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        const byte serverHello = 4;
        if (data.Length < TlsClientHello.Ssl2HeaderSize)
            return new StreamProgress(0, TlsClientHello.Ssl2HeaderSize);
        if (_hasHello && direction != _client)
        {
            if (data[2] == serverHello && BinaryPrimitives.ReadUInt16BigEndian(data[5..]) == 2)
            {
                _facts.Version = 2;
                EmitHandshake(context, isComplete: true);
            }
            else
            {
                Fault(context, direction, "bytes that are no TLS record");
            }

            return new StreamProgress(data.Length, 0, Everything);
        }

        var length = TlsClientHello.Ssl2Length(data);
        if (length == 0)
        {
            Fault(context, direction, "bytes that are no TLS record");
            return new StreamProgress(data.Length, 0, Everything);
        }

        if (data.Length < length)
            return new StreamProgress(0, length);
        OnClientHello(context, direction, TlsClientHello.ReadSsl2(data[..length]), isWhole: true);
        _bytes += length;
        return new StreamProgress(length);
    }

    private void EmitHandshake(SessionContext context, bool isComplete)
    {
        if (_emitted)
            return;
        _emitted = true;
        context.Emit(TlsHandshakeReader.Begin(context, _client, ref _facts, _startNs, _bytes, isComplete));
        if (isComplete)
            Finish();
    }

    private void Fault(SessionContext context, FlowDirection direction, string text)
    {
        _sides[(int)direction].IsDone = true;
        context.Flow.Counters.Faults++;
        var transaction = Begin(context, TlsEvent.Fault);
        transaction.FaultText = text;
        transaction.SentByServer = direction != _client;
        context.Emit(transaction);
    }

    private TlsTransaction Begin(SessionContext context, TlsEvent kind)
    {
        var transaction = context.Begin<TlsTransaction>(_client);
        transaction.Event = kind;
        transaction.Facts = _facts;
        return transaction;
    }

    private void Finish()
    {
        foreach (var side in _sides)
            side.IsDone = true;
    }
}
