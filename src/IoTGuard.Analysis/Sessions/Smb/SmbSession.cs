using System.Buffers.Binary;
using IoTGuard.Analysis.Flows;
using IoTGuard.Wire;
using IoTGuard.Wire.Application.Smb;

namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// SMB 1, 2 and 3 over TCP, on port 445 or in a NetBIOS session. Of every message the head is read; file contents are passed over but for the first
/// <see cref="SampleBytes"/> of a write. Encrypted messages are counted. What is done with files is told per share, once per
/// <see cref="FilesIntervalNs"/> or <see cref="MaximumOperationsPerReport"/> requests. After a gap, or bytes that are no SMB, the session looks for the next
/// message that begins where it should.
/// </summary>
public sealed partial class SmbSession : StreamSession
{
    /// <summary>Longest head of a message that is read, bytes; the rest is skipped.</summary>
    public const int MaximumHeadBytes = 4096;

    /// <summary>First bytes of a write that are looked at.</summary>
    public const int SampleBytes = 256;

    /// <summary>Packet time after which what was done in a share is told, ns.</summary>
    public const long FilesIntervalNs = 10_000_000_000;

    /// <summary>Requests after which it is told earlier.</summary>
    public const int MaximumOperationsPerReport = 500;

    /// <summary>Faults of a connection that are all emitted; of later ones only the 2ⁿth.</summary>
    public const int FaultsInFull = 16;

    private const int HeadOfWrite = Smb2Header.Size + 48 + SampleBytes;
    private const int HeadOfData = Smb2Header.Size + 32;
    private const int ResyncBytes = NetBiosSessionHeader.Size + 4;

    private readonly SmbTables _tables = new();
    private readonly Side[] _sides = [new(), new()];
    private FlowDirection _client;
    private int _faults;
    private long _encrypted;
    private long _encryptedBytes;
    private long _encryptedSinceNs;

    private sealed class Side
    {
        /// <summary>Bytes of the present message that were not yet dealt with.</summary>
        public int Left;

        /// <summary>True when the next message must be searched for.</summary>
        public bool IsLost;

        /// <summary>What related messages of a compound refer to.</summary>
        public uint PreviousTree;
        public Smb2FileId PreviousFile;
    }

    public override ApplicationProtocol Protocol => ApplicationProtocol.Smb;

    /// <summary>Tells from the first bytes of a direction whether it is SMB.</summary>
    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data) => SmbProbe.Probe(data);

    public override StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        var side = _sides[(int)direction];
        var at = 0;
        while (at < data.Length)
        {
            var rest = data[at..];
            if (side.IsLost)
            {
                var found = FindMessage(rest);
                if (found < 0)
                    return new StreamProgress(at + Math.Max(0, rest.Length - ResyncBytes + 1), ResyncBytes);
                side.IsLost = false;
                at += found;
                continue;
            }

            if (side.Left == 0)
            {
                if (rest.Length < NetBiosSessionHeader.Size)
                    return new StreamProgress(at, NetBiosSessionHeader.Size);
                var frame = NetBiosSessionHeader.Read(rest);
                if (!frame.IsKnown)
                {
                    Fail(context, direction, FaultKind.Garbage, "not_a_session_packet");
                    side.IsLost = true;
                    at++;
                    continue;
                }

                at += NetBiosSessionHeader.Size;
                if (frame.Type != NetBiosSessionType.Message)
                {
                    var skipped = Math.Min(frame.Length, data.Length - at);
                    at += skipped;
                    if (skipped < frame.Length)
                        return new StreamProgress(at, 0, frame.Length - skipped);
                    continue;
                }

                side.Left = frame.Length;
                continue;
            }

            var progress = OnMessage(context, direction, side, rest);
            if (progress.Needed > 0)
                return new StreamProgress(at, progress.Needed);
            at += progress.Consumed;
            if (progress.Skip > 0)
            {
                var here = (int)Math.Min(progress.Skip, data.Length - at);
                at += here;
                if (here < progress.Skip)
                    return new StreamProgress(at, 0, progress.Skip - here);
            }
        }

        return new StreamProgress(at);
    }

    public override void OnGap(SessionContext context, FlowDirection direction, long bytes)
    {
        var side = _sides[(int)direction];
        side.Left = 0;
        side.IsLost = true;
    }

    public override void OnEnd(SessionContext context)
    {
        EndLogOn(context);
        foreach (ref var tree in _tables.Trees)
            Report(context, ref tree);
        ReportEncrypted(context);
    }

    public override void Reset()
    {
        _tables.Clear();
        foreach (var side in _sides)
        {
            side.Left = 0;
            side.IsLost = false;
            side.PreviousTree = 0;
            side.PreviousFile = default;
        }

        _client = FlowDirection.FromOriginator;
        _faults = 0;
        _encrypted = _encryptedBytes = _encryptedSinceNs = 0;
        ForgetLogOn();
        ForgetPipes();
        ForgetSmb1();
    }

    /// <summary>One message, or one of a compound: asks for its head, reads it, and skips the rest.</summary>
    private StreamProgress OnMessage(SessionContext context, FlowDirection direction, Side side, ReadOnlySpan<byte> data)
    {
        if (side.Left < 4)
            return Leave(side, side.Left);
        if (data.Length < 4)
            return new StreamProgress(0, 4);
        switch (BinaryPrimitives.ReadUInt32LittleEndian(data))
        {
            case Smb2Header.ProtocolId:
                return OnSmb2(context, direction, side, data);
            case Smb1Header.ProtocolId:
                var head = Math.Min(side.Left, MaximumHeadBytes);
                if (data.Length < head)
                    return new StreamProgress(0, head);
                OnSmb1(context, direction, data[..head], side.Left);
                return Leave(side, side.Left);
            case Smb2Header.TransformId:
                OnEncrypted(context, side.Left);
                return Leave(side, side.Left);
            case Smb2Header.CompressionId:
                return Leave(side, side.Left);
            default:
                Fail(context, direction, FaultKind.Garbage, "not_smb");
                return Leave(side, side.Left);
        }
    }

    private static StreamProgress Leave(Side side, int bytes)
    {
        side.Left -= bytes;
        return new StreamProgress(0, 0, bytes);
    }

    private StreamProgress OnSmb2(SessionContext context, FlowDirection direction, Side side, ReadOnlySpan<byte> data)
    {
        if (side.Left < Smb2Header.Size)
        {
            Fail(context, direction, FaultKind.Truncated, "short_message");
            return Leave(side, side.Left);
        }

        if (data.Length < Smb2Header.Size)
            return new StreamProgress(0, Smb2Header.Size);
        if (!Smb2Header.TryRead(data, out var header) || !header.IsKnown)
        {
            Fail(context, direction, FaultKind.BadValue, "bad_header");
            return Leave(side, side.Left);
        }

        var unit = side.Left;
        if (header.NextCommand != 0)
        {
            // 3.3.5.2.7: a multiple of eight, within the message.
            if (header.NextCommand < Smb2Header.Size || header.NextCommand > side.Left)
            {
                Fail(context, direction, FaultKind.BadLength, "bad_compound");
                return Leave(side, side.Left);
            }

            unit = (int)header.NextCommand;
        }

        var head = Math.Min(unit, HeadOf(header));
        if (data.Length < head)
            return new StreamProgress(0, head);
        OnSmb2Message(context, direction, side, header, data[..head], unit);
        return Leave(side, unit);
    }

    private static int HeadOf(in Smb2Header header) => header.Command switch
    {
        Smb2Command.Write when !header.IsResponse => HeadOfWrite,
        Smb2Command.Negotiate or Smb2Command.SessionSetup or Smb2Command.TreeConnect or Smb2Command.Create => MaximumHeadBytes,
        Smb2Command.SetInfo or Smb2Command.Ioctl when !header.IsResponse => 1024,
        _ => HeadOfData,
    };

    private static int FindMessage(ReadOnlySpan<byte> data)
    {
        for (var at = 0; ; at++)
        {
            var next = data[at..].IndexOf("SMB"u8);
            if (next < 0)
                return -1;
            at += next;
            var start = at - NetBiosSessionHeader.Size - 1;
            if (start >= 0 && data[start] == 0 && SmbProbe.IsSmb(BinaryPrimitives.ReadUInt32LittleEndian(data[(start + 4)..])))
                return start;
        }
    }

    private void Fail(SessionContext context, FlowDirection client, FaultKind kind, string text)
    {
        context.Flow.Counters.Faults++;
        if (++_faults > FaultsInFull && !int.IsPow2(_faults))
            return;
        var fault = context.Begin<SmbTransaction>(client);
        fault.Event = SmbEvent.Fault;
        fault.Version = _version;
        fault.Fault = kind;
        fault.FaultText = text;
        context.Emit(fault);
    }

    private void OnEncrypted(SessionContext context, int bytes)
    {
        if (_encrypted > 0 && (context.TimeNs - _encryptedSinceNs >= FilesIntervalNs || _encrypted >= MaximumOperationsPerReport))
            ReportEncrypted(context);
        if (_encrypted++ == 0)
            _encryptedSinceNs = context.TimeNs;
        _encryptedBytes += bytes;
    }

    private void ReportEncrypted(SessionContext context)
    {
        if (_encrypted == 0)
            return;
        var report = context.Begin<SmbTransaction>(_client);
        report.Event = SmbEvent.Files;
        report.Version = 2;
        report.TimeNs = _encryptedSinceNs;
        report.EncryptedMessages = _encrypted;
        report.Bytes = _encryptedBytes;
        report.Files = new SmbFileCounts { IntervalNs = context.TimeNs - _encryptedSinceNs };
        context.Emit(report);
        _encrypted = _encryptedBytes = 0;
    }
}
