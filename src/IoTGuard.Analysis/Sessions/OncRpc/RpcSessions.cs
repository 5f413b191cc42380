using System.Buffers.Binary;
using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.OncRpc;

namespace IoTGuard.Analysis.Sessions;

/// <summary>ONC RPC over TCP: records of fragments with a mark in front (RFC 5531 11). Of each record the head is read, the rest passed over.</summary>
public sealed class RpcStreamSession : StreamSession
{
    /// <summary>First bytes of a record that are read: fixed part, credentials and verifier.</summary>
    public const int MaximumHeadBytes = 512;

    private const int MarkSize = 4;
    private const uint LastFragment = 0x8000_0000;

    /// <summary>Largest fragment that is believed, bytes.</summary>
    private const uint MaximumFragment = 1 << 24;

    private readonly RpcCalls _calls = new();
    private readonly bool[] _isLost = new bool[2];
    private readonly bool[] _isWithin = new bool[2];

    public override ApplicationProtocol Protocol => ApplicationProtocol.Nfs;

    /// <summary>A call of RPC version 2 to a program of the assigned range, behind its record mark.</summary>
    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty)
            return ProbeResult.Unsure;
        if (data[0] != 0x80)
            return ProbeResult.NotForUs;
        if (data.Length < MarkSize)
            return ProbeResult.Unsure;
        var length = BinaryPrimitives.ReadUInt32BigEndian(data) & ~LastFragment;
        if (length is < 24 or > MaximumFragment)
            return ProbeResult.NotForUs;
        return RpcProbe.Probe(data[MarkSize..]);
    }

    public override StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (_isLost[(int)direction])
        {
            // After a gap the next segment that begins with a message is where it goes on.
            if (Probe(direction, data) != ProbeResult.Certain)
                return new StreamProgress(data.Length);
            _isLost[(int)direction] = false;
        }

        var at = 0;
        while (at < data.Length)
        {
            var rest = data[at..];
            if (rest.Length < MarkSize)
                return new StreamProgress(at, MarkSize);
            var mark = BinaryPrimitives.ReadUInt32BigEndian(rest);
            var length = mark & ~LastFragment;
            if (length is 0 or > MaximumFragment)
            {
                context.Flow.Counters.Faults++;
                _isLost[(int)direction] = true;
                return new StreamProgress(data.Length, 0, Everything);
            }

            var total = MarkSize + (long)length;
            if (!_isWithin[(int)direction])
            {
                var head = (int)Math.Min(total, MaximumHeadBytes);
                if (rest.Length < head)
                    return new StreamProgress(at, head);
                if (RpcMessage.TryRead(rest[MarkSize..head], out var message))
                {
                    if (!message.IsReply)
                        context.Flow.Application = RpcProbe.ApplicationOf(message.Program);
                    _calls.OnMessage(context, direction, message, total);
                }
            }

            _isWithin[(int)direction] = (mark & LastFragment) == 0;
            var here = (int)Math.Min(total, rest.Length);
            at += here;
            if (here < total)
                return new StreamProgress(at, 0, total - here);
        }

        return new StreamProgress(at);
    }

    public override void OnGap(SessionContext context, FlowDirection direction, long bytes) => _isLost[(int)direction] = true;

    public override void OnEnd(SessionContext context) => _calls.Finish(context);

    public override void Reset()
    {
        _calls.Clear();
        Array.Clear(_isLost);
        Array.Clear(_isWithin);
    }
}

/// <summary>ONC RPC over UDP: one message a datagram.</summary>
public sealed class RpcDatagramSession : DatagramSession
{
    private readonly RpcCalls _calls = new();

    public override ApplicationProtocol Protocol => ApplicationProtocol.Nfs;

    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        var result = RpcProbe.Probe(data);
        return result == ProbeResult.Unsure ? ProbeResult.NotForUs : result;
    }

    public override void OnDatagram(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data, int cut)
    {
        if (!RpcMessage.TryRead(data, out var message))
            return;
        if (!message.IsReply)
            context.Flow.Application = RpcProbe.ApplicationOf(message.Program);
        _calls.OnMessage(context, direction, message, data.Length + cut);
    }

    public override void OnEnd(SessionContext context) => _calls.Finish(context);

    public override void Reset() => _calls.Clear();
}

/// <summary>Recognises a call.</summary>
internal static class RpcProbe
{
    // Programs that Sun's administrator assigned (RFC 5531 8.1: 0 to 1fffffff); those that are met lie here.
    private const uint FirstProgram = 100_000;
    private const uint LastProgram = 400_200;

    public static ProbeResult Probe(ReadOnlySpan<byte> data)
    {
        if (data.Length >= 8 && BinaryPrimitives.ReadUInt32BigEndian(data[4..]) != 0)
            return ProbeResult.NotForUs;
        if (data.Length >= 12 && BinaryPrimitives.ReadUInt32BigEndian(data[8..]) != 2)
            return ProbeResult.NotForUs;
        if (data.Length < RpcMessage.CallSize)
            return ProbeResult.Unsure;
        return BinaryPrimitives.ReadUInt32BigEndian(data[12..]) is >= FirstProgram and <= LastProgram && BinaryPrimitives.ReadUInt32BigEndian(data[16..]) is < 64
            && BinaryPrimitives.ReadUInt32BigEndian(data[20..]) is < 256
            ? ProbeResult.Certain
            : ProbeResult.NotForUs;
    }

    /// <summary>NFS and its helpers have a name of their own.</summary>
    public static ApplicationProtocol ApplicationOf(uint program) =>
        program is 100_003 or 100_005 or 100_021 or 100_024 or 100_227 ? ApplicationProtocol.Nfs : ApplicationProtocol.OncRpc;
}
