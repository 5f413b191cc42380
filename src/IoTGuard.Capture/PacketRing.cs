using System.Diagnostics;
using System.Numerics;
using System.Runtime.InteropServices;
using IoTGuard.Capture.Files;
using IoTGuard.Capture.Live;
using IoTGuard.Capture.Native;
using IoTGuard.Wire;
using static IoTGuard.Capture.Native.IfPacket;

namespace IoTGuard.Capture;

/// <summary>
/// Live frames of an interface through a ring that the kernel fills (packet(7), TPACKET_V3), on Linux. Nothing is copied: a batch lies in a block of the
/// ring, and the block goes back to the kernel when its batches are released. It listens only; there is no code here that sends.
/// One thread reads; batches may be released on any. An interface that goes down is waited for.
/// </summary>
public sealed class PacketRing : ILiveSource
{
    private static readonly Action<FrameBatch> ReleaseBlock = static batch => ((Window)batch.OwnerState!).Release();

    private readonly PacketRingOptions _options;
    private readonly PacketSocket _socket;
    private readonly ProblemLog _problems;
    private readonly LinkType _link;
    private readonly RingMapping _mapping;
    private readonly RingBlock[] _blocks;
    private readonly Lock _statisticsLock = new();
    private int _next;
    private RingBlock? _current;
    private int _at;
    private uint _left;
    private long _frames;
    private long _bytes;
    private long _drops;
    private long _freezes;
    private long _waited;
    private bool _ended;
    private volatile bool _stopping;
    private volatile bool _disposed;

    private PacketRing(PacketRingOptions options, int? inherited = null)
    {
        _options = options;
        _problems = new ProblemLog(options.Interface);
        _socket = inherited is { } descriptor ? PacketSocket.Inherit(options.Interface, descriptor) : PacketSocket.Open(options.Interface);
        try
        {
            var hardware = _socket.HardwareType;
            _link = PacketSocket.LinkTypeOf(hardware)
                ?? throw new CaptureException(options.Interface, $"has a hardware type that is not decoded (ARPHRD {hardware})", "give an Ethernet interface");
            if (inherited is null)
            {
                _socket.TakeNone();
                if (!options.Outgoing || hardware == ARPHRD_LOOPBACK)
                    _socket.IgnoreOutgoing();
                _socket.MakeRing(options);
            }

            _mapping = new RingMapping(_socket.MapRing(options), (long)options.BlockBytes * options.BlockCount);
            _blocks = _mapping.Split(options.BlockBytes);
        }
        catch
        {
            _socket.Dispose();
            throw;
        }
    }

    /// <summary>Opens one ring that gets all frames.</summary>
    /// <exception cref="CaptureException">It cannot be opened.</exception>
    public static PacketRing Open(PacketRingOptions options) => OpenGroup(options, 1)[0];

    /// <summary>
    /// Opens rings that share the frames: all frames of a flow, in both directions, come to the same ring. Fragments of IP datagrams
    /// have no ports for the kernel to see, and go by their addresses.
    /// </summary>
    /// <exception cref="CaptureException">They cannot be opened.</exception>
    public static IReadOnlyList<PacketRing> OpenGroup(PacketRingOptions options, int rings)
    {
        Validate(options, rings);
        var group = new List<PacketRing>(rings);
        try
        {
            int? fanout = null;
            for (var i = 0; i < rings; i++)
            {
                var ring = new PacketRing(options);
                group.Add(ring);
                ring._socket.Bind();
                if (rings > 1)
                    fanout = ring._socket.JoinFanout(fanout, options.Rollover);
                if (options.Promiscuous)
                    ring._socket.BecomePromiscuous();
            }

            // Only now, or the first ring would see what belongs to the others.
            using var filter = options.Filter is null ? null : CaptureFilter.Compile(options.Interface, options.Filter, group[0]._link);
            foreach (var ring in group)
            {
                if (filter is null)
                    ring._socket.TakeAll();
                else
                    ring._socket.Filter(filter.Program);
            }

            return group;
        }
        catch
        {
            foreach (var ring in group)
                ring.Dispose();
            throw;
        }
    }

    /// <summary>Takes over rings that this program opened before it started itself anew, see <see cref="Privileges.StartAnew"/>.</summary>
    /// <param name="options">The options that they were opened with.</param>
    /// <param name="descriptors">Their <see cref="Descriptor"/>s.</param>
    /// <exception cref="CaptureException">They are no such rings.</exception>
    public static IReadOnlyList<PacketRing> Inherit(PacketRingOptions options, IReadOnlyList<int> descriptors)
    {
        Validate(options, descriptors.Count);
        return [.. descriptors.Select(d => new PacketRing(options, d))];
    }

    /// <summary>File descriptor of the ring's socket.</summary>
    public int Descriptor => (int)_socket.Handle.DangerousGetHandle();

    /// <summary>Share of the ring's blocks that wait for us or are in use, 0 to 1. Any thread may ask.</summary>
    public double Use => _disposed ? 0 : (double)_blocks.Count(static b => b.IsReady) / _blocks.Length;

    /// <inheritdoc/>
    public CaptureStatistics Statistics
    {
        get
        {
            lock (_statisticsLock)
            {
                CountDrops();
                return new(Interlocked.Read(ref _frames), Interlocked.Read(ref _bytes), _drops, UnreadBytes: 0);
            }
        }
    }

    /// <summary>How often the ring was full, so that the kernel had to stop filling it.</summary>
    public long Freezes
    {
        get
        {
            lock (_statisticsLock)
            {
                CountDrops();
                return _freezes;
            }
        }
    }

    /// <inheritdoc/>
    public TimeSpan Waited => Stopwatch.GetElapsedTime(0, Interlocked.Read(ref _waited));

    /// <inheritdoc/>
    public IReadOnlyList<CaptureProblem> Problems => _problems.Items;

    /// <inheritdoc/>
    public double? Progress => null;

    /// <inheritdoc/>
    public void Stop()
    {
        if (_stopping || _disposed)
            return;
        _socket.TakeNone();
        _stopping = true;
    }

    /// <inheritdoc/>
    public bool Read(FrameBatch batch)
    {
        batch.Reset(default, null);
        if (_ended)
            return false;
        if (_current is null && !TryTakeBlock())
            return !_ended;

        var block = _current!;
        batch.Reset(block.Memory, ReleaseBlock);
        batch.FirstFrame = _frames;
        block.Retain();
        batch.OwnerState = block;
        Fill(batch, block);
        if (_left == 0)
        {
            _current = null;
            block.Release();
        }

        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed)
            return;
        _ = Statistics;
        _disposed = true;
        _ended = true;
        _current?.Release();
        _current = null;
        _mapping.Release();
        _socket.Dispose();
    }

    /// <summary>Makes the next block the current one, waiting for it; false when there is none within the poll interval.</summary>
    private bool TryTakeBlock()
    {
        var block = _blocks[_next];
        if (!block.IsReady)
        {
            var began = Stopwatch.GetTimestamp();
            var isReady = Wait(block);
            Interlocked.Add(ref _waited, Stopwatch.GetTimestamp() - began);
            if (!isReady)
                return false;
        }

        block.Take();
        _next = (_next + 1) % _blocks.Length;
        var header = block.Header;
        if (header.PacketCount == 0)
        {
            block.Release();
            return false;
        }

        _current = block;
        _at = (int)header.OffsetToFirstPacket;
        _left = header.PacketCount;
        return true;
    }

    private bool Wait(RingBlock block)
    {
        // Looked at before waiting: what came before the stop is handed over by the kernel within the block timeout.
        var stopping = _stopping;
        var patience = stopping ? (_options.BlockTimeout * 2) + TimeSpan.FromMilliseconds(10) : _options.PollInterval;
        if (_socket.Wait(patience, out var isError))
        {
            if (isError)
                NoteError();
            else if (!block.IsReady)
                // poll(2) reports the ring readable as long as the block before is still in use.
                Thread.Sleep(1);
            return block.IsReady;
        }

        _ended = stopping && !block.IsReady;
        return block.IsReady;
    }

    private void NoteError()
    {
        var error = _socket.TakeError();
        if (error == 0)
            return;
        if (_socket.InterfaceExists)
        {
            _problems.Add(_bytes, error == Libc.ENETDOWN ? "the interface is down; waiting for it to come up" : $"cannot listen: {Marshal.GetPInvokeErrorMessage(error)}");
            return;
        }

        _problems.Add(_bytes, "the interface was removed");
        _ended = true;
    }

    private void Fill(FrameBatch batch, RingBlock block)
    {
        var bytes = block.Memory.Span;
        var at = _at;
        var left = _left;
        var taken = 0L;
        while (left > 0 && !batch.IsFull)
        {
            var packet = MemoryMarshal.Read<PacketHeader>(bytes[at..]);
            var time = (packet.Seconds * 1_000_000_000L) + packet.Nanoseconds;
            var length = (int)packet.SnapLength;
            batch.Add(new FrameHeader(time, at + packet.MacOffset, length, Math.Max(length, (int)packet.Length), _link, VlanOf(packet)));
            taken += length;
            at += (int)packet.NextOffset;
            left--;
        }

        _at = at;
        _left = left;
        Interlocked.Add(ref _frames, batch.Count);
        Interlocked.Add(ref _bytes, taken);
    }

    private static uint VlanOf(in PacketHeader packet)
    {
        if ((packet.Status & TP_STATUS_VLAN_VALID) == 0)
            return 0;
        uint tpid = (packet.Status & TP_STATUS_VLAN_TPID_VALID) != 0 ? packet.VlanTpid : ETH_P_8021Q;
        return (tpid << 16) | (packet.VlanTci & 0xFFFF);
    }

    /// <summary>Adds what the kernel dropped since the last time.</summary>
    private void CountDrops()
    {
        if (_disposed)
            return;
        var since = _socket.TakeStatistics();
        _drops += since.Drops;
        _freezes += since.Freezes;
    }

    private static void Validate(PacketRingOptions options, int rings)
    {
        if (!OperatingSystem.IsLinux())
            throw new CaptureException(options.Interface, "this way of live capture exists on Linux only", "use the SharpPcap adapter");
        if (options.BlockBytes is < PacketRingOptions.MinBlockBytes or > PacketRingOptions.MaxBlockBytes || !BitOperations.IsPow2(options.BlockBytes))
            throw new CaptureException(options.Interface, $"ring blocks of {options.BlockBytes} bytes are not possible", $"give a power of 2 from {PacketRingOptions.MinBlockBytes} to {PacketRingOptions.MaxBlockBytes}");
        if (options.BlockCount is < 2 or > 1 << 16)
            throw new CaptureException(options.Interface, $"a ring of {options.BlockCount} blocks is not possible", "give 2 to 65536");
        if (rings is < 1 or > 256)
            throw new CaptureException(options.Interface, $"{rings} rings are not possible", "give 1 to 256");
        // The kernel would try, and others would pay for it.
        var total = (long)rings * options.BlockBytes * options.BlockCount;
        if (total > GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2)
            throw new CaptureException(options.Interface, $"rings of {total >> 20} MiB in all are more than half of the memory there is", "ask for smaller rings");
    }
}
