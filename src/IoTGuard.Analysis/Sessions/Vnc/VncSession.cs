using System.Buffers.Binary;
using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Sessions;

/// <summary>RFB up to the result of the authentication (RFC 6143 7.1), versions 3.3 to 3.8. Hands over to TLS after the security type that is TLS.</summary>
public sealed class VncSession : StreamSession
{
    private const int VersionSize = 12;
    private const int ChallengeSize = 16;
    private const byte None = 1;
    private const byte VncAuthentication = 2;
    private const byte Tls = 18;

    private readonly VncTransaction _facts = new();
    private Step _server;
    private Step _client;
    private int _minor;
    private bool _emitted;
    private bool _handsOver;
    private long _startNs;

    private enum Step : byte
    {
        Version,
        Types,
        Challenge,
        Result,
        Done,
    }

    public override ApplicationProtocol Protocol => ApplicationProtocol.Vnc;

    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        var known = "RFB 00"u8;
        if (!known.StartsWith(data[..Math.Min(data.Length, known.Length)]))
            return ProbeResult.NotForUs;
        if (data.Length < VersionSize)
            return ProbeResult.Unsure;
        return data[7] == '.' && data[11] == '\n' ? ProbeResult.Certain : ProbeResult.NotForUs;
    }

    public override StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (_startNs == 0)
            _startNs = context.TimeNs;
        var needed = direction == FlowDirection.FromResponder ? OnServer(context, data, out var consumed) : OnClient(context, data, out consumed);
        ref var step = ref direction == FlowDirection.FromResponder ? ref _server : ref _client;
        return step == Step.Done ? new StreamProgress(consumed, 0, _handsOver ? 0 : Everything) : new StreamProgress(consumed, consumed > 0 ? 0 : needed);
    }

    public override void OnGap(SessionContext context, FlowDirection direction, long bytes)
    {
        if (bytes > 0)
            _server = _client = Step.Done;
    }

    public override void OnEnd(SessionContext context)
    {
        if (_startNs != 0)
            Emit(context);
    }

    public override void Reset()
    {
        _facts.Reset();
        _server = _client = Step.Version;
        _minor = 0;
        _emitted = _handsOver = false;
        _startNs = 0;
    }

    private int OnServer(SessionContext context, ReadOnlySpan<byte> data, out int consumed)
    {
        consumed = 0;
        switch (_server)
        {
            case Step.Version:
                if (data.Length < VersionSize)
                    return VersionSize;
                _facts.ServerVersion = VersionOf(context, data);
                consumed = VersionSize;
                _server = Step.Types;
                return 0;

            // The types depend on the client's version, which it says before they are sent.
            case Step.Types when _client != Step.Version:
                return OnTypes(context, data, out consumed);
            case Step.Types:
                _server = Step.Done;
                return 0;
            case Step.Challenge:
                if (data.Length < ChallengeSize)
                    return ChallengeSize;
                consumed = ChallengeSize;
                _server = Step.Result;
                return 0;
            case Step.Result:
                if (data.Length < 4)
                    return 4;
                consumed = 4;
                OnResult(context, BinaryPrimitives.ReadUInt32BigEndian(data));
                _server = _client = Step.Done;
                return 0;
            default:
                return 0;
        }
    }

    private int OnTypes(SessionContext context, ReadOnlySpan<byte> data, out int consumed)
    {
        consumed = 0;
        if (_minor < 7)
        {
            if (data.Length < 4)
                return 4;
            consumed = 4;
            Choose(context, (int)Math.Min(BinaryPrimitives.ReadUInt32BigEndian(data), byte.MaxValue));
            return 0;
        }

        var length = 1 + data[0];
        if (length == 1)
        {
            // RFC 6143 7.1.2: the server refuses, and says why.
            _facts.Login = LoginResult.Failed;
            _facts.FailedLogins = 1;
            context.Flow.Counters.Failures++;
            _server = _client = Step.Done;
            return 0;
        }

        if (data.Length < length)
            return length;
        _facts.OffersNone = data[1..length].Contains(None);
        consumed = length;
        _server = Step.Challenge;
        return 0;
    }

    private int OnClient(SessionContext context, ReadOnlySpan<byte> data, out int consumed)
    {
        consumed = 0;
        switch (_client)
        {
            case Step.Version:
                if (data.Length < VersionSize)
                    return VersionSize;
                _facts.ClientVersion = VersionOf(context, data);
                _minor = data[10] is >= (byte)'0' and <= (byte)'9' ? data[10] - '0' : 0;
                consumed = VersionSize;
                _client = _minor < 7 ? Step.Challenge : Step.Types;
                return 0;
            case Step.Types:
                consumed = 1;
                Choose(context, data[0]);
                return 0;
            case Step.Challenge:
                if (data.Length < ChallengeSize)
                    return ChallengeSize;
                consumed = ChallengeSize;
                _client = Step.Result;
                return 0;
            default:
                _client = Step.Done;
                return 0;
        }
    }

    private void Choose(SessionContext context, int type)
    {
        context.Flow.Counters.Requests++;
        _facts.SecurityType = type;
        switch (type)
        {
            case None:
                _facts.OffersNone = true;

                // RFC 6143 7.1.3: before version 3.8 there is no result without authentication.
                if (_minor < 8)
                {
                    OnResult(context, 0);
                    _server = _client = Step.Done;
                    return;
                }

                _server = Step.Result;
                _client = Step.Result;
                break;
            case VncAuthentication:
                _server = Step.Challenge;
                _client = Step.Challenge;
                break;
            case Tls:
                Emit(context);
                _server = _client = Step.Done;
                _handsOver = true;
                context.HandOver();
                break;
            default:
                Emit(context);
                _server = _client = Step.Done;
                break;
        }
    }

    private void OnResult(SessionContext context, uint result)
    {
        context.Flow.Counters.Responses++;
        _facts.Login = result == 0 ? LoginResult.Succeeded : LoginResult.Failed;
        if (result != 0)
        {
            _facts.FailedLogins = 1;
            context.Flow.Counters.Failures++;
        }

        Emit(context);
    }

    private void Emit(SessionContext context)
    {
        if (_emitted)
            return;
        _emitted = true;
        var transaction = context.Begin<VncTransaction>();
        transaction.CopyFrom(_facts);
        transaction.TimeNs = _startNs;
        transaction.DurationNs = context.TimeNs - _startNs;
        context.Emit(transaction);
    }

    /// <summary>The version as "3.8" out of "RFB 003.008\n".</summary>
    private static string? VersionOf(SessionContext context, ReadOnlySpan<byte> data)
    {
        Span<byte> text = [data[6], (byte)'.', data[10]];
        return context.Texts.Of(text);
    }
}
