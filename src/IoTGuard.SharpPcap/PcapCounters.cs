using IoTGuard.Capture.Native;
using SharpPcap.LibPcap;

namespace IoTGuard.SharpPcap;

/// <summary>
/// What pcap_stats(3PCAP) counts. SharpPcap's Statistics read its 32-bit fields as pointers, so that its DroppedPackets are really
/// ps_ifdrop. The fields count since the opening and wrap; any thread may ask.
/// </summary>
internal sealed class PcapCounters(PcapHandle handle) : IDisposable
{
    private readonly Lock _lock = new();
    private uint _lastDrops;
    private uint _lastMissed;
    private long _drops;
    private bool _disposed;

    /// <summary>Frames that the buffer (ps_drop) or the network card and its driver (ps_ifdrop, where the platform knows it) had no room for.</summary>
    public long Drops
    {
        get
        {
            lock (_lock)
            {
                if (!_disposed)
                    Count();
                return _drops;
            }
        }
    }

    /// <summary>Counts a last time; the handle may be closed from here on.</summary>
    public void Dispose()
    {
        _ = Drops;
        lock (_lock)
            _disposed = true;
    }

    private void Count()
    {
        // Windows knows more fields than the three that all have.
        Span<uint> fields = stackalloc uint[8];
        fields.Clear();
        if (LibPcap.Statistics(handle, fields) != 0)
            return;
        _drops += (fields[1] - _lastDrops) + (long)(fields[2] - _lastMissed);
        (_lastDrops, _lastMissed) = (fields[1], fields[2]);
    }
}
