using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.Ssh;

namespace IoTGuard.Analysis.Sessions;

/// <summary>SSH 2 (RFC 4253): identification, what both sides can do, and after SSH_MSG_NEWKEYS sizes only. HASSH as its authors (Salesforce) define it.</summary>
public sealed class SshSession : StreamSession
{
    /// <summary>Longest identification line, bytes (RFC 4253 4.2).</summary>
    public const int MaximumIdentificationBytes = 255;

    /// <summary>Lines that a server may send before its identification.</summary>
    public const int MaximumLinesBefore = 50;

    /// <summary>Longest KEXINIT that is compared with that of the other side, bytes.</summary>
    public const int MaximumKexInitBytes = 8 * 1024;

    private readonly Phase[] _phases = new Phase[2];
    private readonly int[] _lines = new int[2];
    private readonly SshTransaction _facts = new();
    private byte[] _firstKexInit = [];
    private int _firstKexInitLength;
    private FlowDirection _firstKexInitBy;
    private bool _hasIdentification;
    private bool _emitted;
    private SshLoginJudge _judge;

    private enum Phase : byte
    {
        Identification,
        Packets,
        Encrypted,
        Lost,
    }

    public override ApplicationProtocol Protocol => ApplicationProtocol.Ssh;

    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        var known = "SSH-"u8;
        if (!known.StartsWith(data[..Math.Min(data.Length, known.Length)]))
            return ProbeResult.NotForUs;
        if (data.Length <= known.Length)
            return ProbeResult.Unsure;
        return data[known.Length] is (byte)'1' or (byte)'2' ? ProbeResult.Certain : ProbeResult.NotForUs;
    }

    public override StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        var at = 0;
        ref var phase = ref _phases[(int)direction];
        while (at < data.Length)
        {
            var rest = data[at..];
            switch (phase)
            {
                case Phase.Identification:
                    var end = rest[..Math.Min(rest.Length, MaximumIdentificationBytes + 2)].IndexOf((byte)'\n');
                    if (end < 0 && rest.Length <= MaximumIdentificationBytes + 1)
                        return new StreamProgress(at, rest.Length + 1);
                    if (end < 0 || !OnLine(context, direction, rest[..end]))
                    {
                        phase = Phase.Lost;
                        break;
                    }

                    at += end + 1;
                    break;
                case Phase.Packets:
                    if (rest.Length < SshPacket.HeaderSize)
                        return new StreamProgress(at, SshPacket.HeaderSize);
                    var length = SshPacket.LengthOf(rest);
                    if (length == 0)
                    {
                        context.Flow.Counters.Faults++;
                        phase = Phase.Lost;
                        break;
                    }

                    if (rest.Length < length)
                        return new StreamProgress(at, length);
                    OnPacket(context, direction, rest[..length], ref phase);
                    at += length;
                    break;
                case Phase.Encrypted:
                    if (_judge.IsDone)
                        return new StreamProgress(data.Length, 0, Everything);
                    _judge.Add(direction == FlowDirection.FromResponder, rest.Length);
                    at = data.Length;
                    break;
                default:
                    return new StreamProgress(data.Length, 0, Everything);
            }
        }

        return new StreamProgress(at);
    }

    public override void OnGap(SessionContext context, FlowDirection direction, long bytes)
    {
        ref var phase = ref _phases[(int)direction];
        if (phase == Phase.Encrypted)
            _judge.Add(direction == FlowDirection.FromResponder, bytes);
        else if (bytes > 0)
            phase = Phase.Lost;
    }

    public override void OnEnd(SessionContext context)
    {
        if (!_hasIdentification)
            return;
        EmitHandshake(context);
        _judge.End();
        ref var flow = ref context.Flow;
        flow.Counters.Failures += _judge.Refusals;
        var transaction = context.Begin<SshTransaction>();
        transaction.CopyFrom(_facts);
        transaction.Event = SshEvent.Session;
        transaction.TimeNs = flow.FirstNs;
        transaction.DurationNs = flow.LastNs - flow.FirstNs;
        transaction.Bytes = flow.FromOriginator.PayloadBytes + flow.FromResponder.PayloadBytes;
        transaction.Login = _judge.Result;
        transaction.FailedLogins = _judge.Refusals;
        transaction.ClientBytes = flow.FromOriginator.PayloadBytes;
        transaction.ServerBytes = flow.FromResponder.PayloadBytes;
        context.Emit(transaction);
    }

    public override void Reset()
    {
        Array.Clear(_phases);
        Array.Clear(_lines);
        _facts.Reset();
        _firstKexInitLength = 0;
        _hasIdentification = _emitted = false;
        _judge = default;
    }

    /// <summary>False when there are too many lines that are none.</summary>
    private bool OnLine(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> line)
    {
        var prefix = "SSH-"u8;
        if (!line.StartsWith(prefix))
            return ++_lines[(int)direction] < MaximumLinesBefore;
        var version = context.Texts.Of(line[prefix.Length..].TrimEnd((byte)'\r'));
        if (direction == FlowDirection.FromOriginator)
            _facts.ClientVersion = version;
        else
            _facts.ServerVersion = version;
        _hasIdentification = true;
        _phases[(int)direction] = line[prefix.Length..].StartsWith("2"u8) || line[prefix.Length..].StartsWith("1.99"u8) ? Phase.Packets : Phase.Lost;
        return true;
    }

    private void OnPacket(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> packet, ref Phase phase)
    {
        var payload = packet[SshPacket.HeaderSize..];
        switch ((SshMessage)packet[SshPacket.HeaderSize - 1])
        {
            case SshMessage.KexInit:
                if (SshKexInit.TryRead(payload, out var offer))
                    OnKexInit(context, direction, offer, payload);
                else
                    context.Flow.Counters.Faults++;
                break;
            case SshMessage.NewKeys:
                phase = Phase.Encrypted;
                EmitHandshake(context);
                break;
        }
    }

    private void OnKexInit(SessionContext context, FlowDirection direction, in SshKexInit offer, ReadOnlySpan<byte> payload)
    {
        var fromClient = direction == FlowDirection.FromOriginator;
        var text = new AsciiText(stackalloc byte[MaximumKexInitBytes]);
        text.Add(offer[SshKexInit.KeyExchange]);
        text.Add((byte)';');
        text.Add(offer[fromClient ? SshKexInit.EncryptionToServer : SshKexInit.EncryptionToClient]);
        text.Add((byte)';');
        text.Add(offer[fromClient ? SshKexInit.MacToServer : SshKexInit.MacToClient]);
        text.Add((byte)';');
        text.Add(offer[fromClient ? SshKexInit.CompressionToServer : SshKexInit.CompressionToClient]);
        var fingerprint = TlsFingerprint.Md5(context.Texts, text);
        if (fromClient)
        {
            context.Flow.Counters.Requests++;
            _facts.Hassh = fingerprint;
        }
        else
        {
            context.Flow.Counters.Responses++;
            _facts.HasshServer = fingerprint;
        }

        if (_firstKexInitLength == 0)
        {
            if (payload.Length > MaximumKexInitBytes)
                return;
            if (_firstKexInit.Length < payload.Length)
                _firstKexInit = new byte[MaximumKexInitBytes];
            payload.CopyTo(_firstKexInit);
            _firstKexInitLength = payload.Length;
            _firstKexInitBy = direction;
        }
        else if (direction != _firstKexInitBy && SshKexInit.TryRead(_firstKexInit.AsSpan(0, _firstKexInitLength), out var first))
        {
            if (fromClient)
                Choose(context, offer, first);
            else
                Choose(context, first, offer);
        }
    }

    private void Choose(SessionContext context, in SshKexInit client, in SshKexInit server)
    {
        _facts.KeyExchange = Chosen(context, client, server, SshKexInit.KeyExchange);
        _facts.HostKey = Chosen(context, client, server, SshKexInit.HostKey);
        _facts.Cipher = Chosen(context, client, server, SshKexInit.EncryptionToServer);

        // Ciphers that authenticate themselves need none (RFC 5647, OpenSSH).
        if (_facts.Cipher is { } cipher && !cipher.Contains("gcm", StringComparison.Ordinal) && !cipher.Contains("poly1305", StringComparison.Ordinal))
            _facts.Mac = Chosen(context, client, server, SshKexInit.MacToServer);
    }

    private static string? Chosen(SessionContext context, in SshKexInit client, in SshKexInit server, int place) =>
        context.Texts.Of(SshKexInit.Chosen(client[place], server[place]));

    private void EmitHandshake(SessionContext context)
    {
        if (_emitted || _facts.Hassh is null && _facts.HasshServer is null)
            return;
        _emitted = true;
        var transaction = context.Begin<SshTransaction>();
        transaction.CopyFrom(_facts);
        transaction.Event = SshEvent.Handshake;
        transaction.Claim(transaction.Client, ClaimKind.Software, _facts.ClientVersion);
        transaction.Claim(transaction.Server, ClaimKind.Software, _facts.ServerVersion);
        transaction.Claim(transaction.Client, ClaimKind.Fingerprint, TlsHandshakeReader.Prefixed(context, "hassh "u8, _facts.Hassh));
        transaction.Claim(transaction.Server, ClaimKind.Fingerprint, TlsHandshakeReader.Prefixed(context, "hassh-server "u8, _facts.HasshServer));
        context.Emit(transaction);
    }
}
