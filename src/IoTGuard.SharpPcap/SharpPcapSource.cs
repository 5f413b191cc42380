using System.Diagnostics;
using System.Runtime.InteropServices;
using IoTGuard.Capture;
using IoTGuard.Capture.Files;
using IoTGuard.Wire;
using SharpPcap.LibPcap;

namespace IoTGuard.SharpPcap;

/// <summary>
/// Frames through SharpPcap and the pcap library of the machine (libpcap, Npcap): of an interface on any platform, or of a capture file. Each frame is
/// copied once, into buffers that are used again; nothing is allocated per frame. It listens only. One thread reads; batches may be released on any.
/// </summary>
public sealed class SharpPcapSource : ILiveSource
{
    private static readonly Action<FrameBatch> ReleaseWindow = static batch => ((Window)batch.OwnerState!).Release();

    private readonly string _name;
    private readonly PcapDevice _device;
    private readonly LinkType _link;
    private readonly PacketRecord.Reader _record;
    private readonly PcapCounters? _counters;
    private readonly TimeSpan _pollInterval;
    private readonly TimeSpan _lastWait;
    private readonly ProblemLog _problems;
    private long _frames;
    private long _bytes;
    private bool _ended;
    private long _stopNs = long.MaxValue;
    private long _waited;

    private SharpPcapSource(string name, PcapDevice device, PcapCounters? counters, TimeSpan pollInterval, TimeSpan lastWait)
    {
        _name = name;
        _device = device;
        _counters = counters;
        _pollInterval = pollInterval;
        _lastWait = lastWait;
        _problems = new ProblemLog(name);
        _link = Devices.LinkTypeOf((int)device.LinkType);
        _record = new PacketRecord.Reader(Devices.HasNanoseconds(device));
    }

    /// <summary>Opens an interface by the name that pcap or the operating system gives it.</summary>
    /// <param name="options">
    /// Size of the buffer is that of the ring. What this machine sends is always taken, and a flow always comes here, so that nothing can roll over.
    /// </param>
    /// <exception cref="CaptureException">It cannot be opened.</exception>
    public static SharpPcapSource OpenInterface(PacketRingOptions options)
    {
        var device = Devices.OpenInterface(options);
        return new SharpPcapSource(options.Interface, device, new PcapCounters(device.Handle), options.PollInterval, (options.BlockTimeout * 2) + TimeSpan.FromMilliseconds(10));
    }

    /// <summary>Opens a capture file as the pcap library reads it: pcap or pcapng, not packed; <c>-</c> is standard input.</summary>
    /// <param name="path">The file.</param>
    /// <param name="filter">A filter in the language of tcpdump; null for all frames.</param>
    /// <exception cref="CaptureException">It cannot be opened, or the filter is not understood.</exception>
    public static SharpPcapSource OpenFile(string path, string? filter = null) =>
        new(path, Devices.OpenFile(path, filter), counters: null, TimeSpan.Zero, TimeSpan.Zero);

    /// <inheritdoc/>
    public CaptureStatistics Statistics => new(Interlocked.Read(ref _frames), Interlocked.Read(ref _bytes), _counters?.Drops ?? 0, UnreadBytes: 0);

    /// <inheritdoc/>
    public TimeSpan Waited => Stopwatch.GetElapsedTime(0, Interlocked.Read(ref _waited));

    /// <inheritdoc/>
    public IReadOnlyList<CaptureProblem> Problems => _problems.Items;

    /// <inheritdoc/>
    public double? Progress => null;

    private bool IsLive => _counters is not null;

    /// <inheritdoc/>
    public void Stop() =>
        Interlocked.CompareExchange(ref _stopNs, (DateTime.UtcNow - DateTime.UnixEpoch).Ticks * 100, long.MaxValue);

    /// <inheritdoc/>
    public bool Read(FrameBatch batch)
    {
        batch.Reset(default, null);
        if (_ended)
            return false;
        var window = BufferPool.Rent(0);
        batch.Reset(window.Memory, ReleaseWindow);
        batch.OwnerState = window;
        batch.FirstFrame = _frames;
        Fill(batch, window);
        Interlocked.Add(ref _frames, batch.Count);
        Interlocked.Add(ref _bytes, window.Length);
        if (batch.Count > 0)
            return true;
        batch.Release();
        return !_ended;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ended = true;
        _counters?.Dispose();
        _device.Dispose();
    }

    private void Fill(FrameBatch batch, BufferWindow window)
    {
        var waiting = Stopwatch.GetTimestamp();
        while (!batch.IsFull && window.Buffer.Length - window.Length >= CaptureLimits.MaxFrameLength)
        {
            nint header = 0, data = 0;
            switch (_device.GetNextPacketPointers(ref header, ref data))
            {
                case Packet when !Take(batch, window, header, data):
                    _ended = true;
                    return;
                case Packet:
                    continue;
                case NothingYet when IsLive:
                    if (batch.Count > 0 || HasWaited(waiting))
                        return;
                    // The ways to wait for a packet differ by platform; a buffer outlasts a millisecond on all.
                    var began = Stopwatch.GetTimestamp();
                    Thread.Sleep(1);
                    Interlocked.Add(ref _waited, Stopwatch.GetTimestamp() - began);
                    continue;
                case EndOfFile:
                    _ended = true;
                    return;
                default:
                    _problems.Add(_bytes + window.Length, $"cannot be read further ({_device.LastError})");
                    _ended = true;
                    return;
            }
        }
    }

    /// <summary>True when it is time to answer without a frame; after <see cref="Stop"/> also the end.</summary>
    private bool HasWaited(long since)
    {
        var stopping = Interlocked.Read(ref _stopNs) != long.MaxValue;
        if (Stopwatch.GetElapsedTime(since) < (stopping ? _lastWait : _pollInterval))
            return false;
        _ended = stopping;
        return true;
    }

    /// <summary>Copies a frame; false when it came after <see cref="Stop"/>, or cannot be.</summary>
    private bool Take(FrameBatch batch, BufferWindow window, nint header, nint data)
    {
        var record = _record.Read(header);
        if (IsLive && record.TimeNs > Interlocked.Read(ref _stopNs))
            return false;
        if (record.Length > CaptureLimits.MaxFrameLength)
        {
            _problems.Add(_bytes + window.Length, $"a frame of {record.Length} bytes, the limit is {CaptureLimits.MaxFrameLength}");
            return false;
        }

        Marshal.Copy(data, window.Buffer, window.Length, record.Length);
        batch.Add(new FrameHeader(record.TimeNs, window.Length, record.Length, Math.Max(record.Length, record.WireLength), _link));
        window.Length += record.Length;
        return true;
    }

    // What pcap_next_ex(3PCAP) returns.
    private const int Packet = 1;
    private const int NothingYet = 0;
    private const int EndOfFile = -2;
}
