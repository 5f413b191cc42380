using IoTGuard.Wire;
using IoTGuard.Wire.Transport;

namespace IoTGuard.Analysis.Flows;

/// <summary>A datagram of which fragments have come: its bytes, and which of them are there.</summary>
internal sealed class FragmentedDatagram
{
    /// <summary>Bytes at the start of the buffer for the IP header of the tunnel that the fragments came in.</summary>
    public const int CarrierBytes = 40;

    /// <summary>Where the data begins in the buffer; the headers end there.</summary>
    public const int DataStart = CarrierBytes + FragmentLimits.MaximumHeaderBytes;

    private readonly int[] _starts = new int[FragmentLimits.MaximumFragments];
    private readonly int[] _ends = new int[FragmentLimits.MaximumFragments];
    private int _ranges;

    public FlowKey Key;

    /// <summary>The view of the fragment that begins the datagram.</summary>
    public PacketView First;

    /// <summary>Clock at the first fragment; of a datagram that is done, when it was done.</summary>
    public long Since;

    /// <summary>Pooled; empty when the datagram is done.</summary>
    public byte[] Buffer = [];

    public int Fragments;

    /// <summary>Bytes of the headers; 0 until the first fragment came.</summary>
    public int HeaderLength;

    /// <summary>Place, in the headers, of the protocol of what follows.</summary>
    public int ProtocolPlace;

    /// <summary>The protocol of what follows.</summary>
    public byte Protocol;

    public bool HasCarrier;

    /// <summary>Bytes of data of the whole datagram; -1 until the last fragment came.</summary>
    public int Total;

    /// <summary>Where the captured data ends, when a fragment was cut by the capture.</summary>
    public int CutAt;

    /// <summary>True when the datagram was whole, or is given up for good: what comes of it is ignored.</summary>
    public bool IsDone;

    /// <summary>True when it was given up for what its fragments said.</summary>
    public bool IsAbandoned;

    /// <summary>Neighbours in the list of datagrams that are open, or of those that are done.</summary>
    public FragmentedDatagram? Previous;
    public FragmentedDatagram? Next;

    public bool IsWhole => Total >= 0 && _ranges == 1 && _starts[0] == 0 && _ends[0] == Total;

    /// <summary>End of the highest data that is there.</summary>
    public int End => _ranges == 0 ? 0 : _ends[_ranges - 1];

    public void Begin(in FlowKey key, long clock)
    {
        Key = key;
        Since = clock;
        Fragments = 0;
        HeaderLength = 0;
        HasCarrier = false;
        Total = -1;
        CutAt = int.MaxValue;
        IsDone = false;
        IsAbandoned = false;
        _ranges = 0;
    }

    /// <summary>True when all of a range is there.</summary>
    public bool Contains(int start, int end)
    {
        for (var i = 0; i < _ranges; i++)
        {
            if (_starts[i] <= start && end <= _ends[i])
                return true;
        }

        return false;
    }

    /// <summary>True when some of a range is there; then whether it is there with other bytes.</summary>
    public bool Overlaps(int start, int end, ReadOnlySpan<byte> data, out bool differs)
    {
        var overlaps = false;
        differs = false;
        for (var i = 0; i < _ranges; i++)
        {
            var from = Math.Max(start, _starts[i]);
            var to = Math.Min(end, _ends[i]);
            if (from >= to)
                continue;
            overlaps = true;
            to = Math.Min(to, Math.Min(CutAt, start + data.Length));
            if (from < to && !data[(from - start)..(to - start)].SequenceEqual(Buffer.AsSpan(DataStart + from, to - from)))
                differs = true;
        }

        return overlaps;
    }

    /// <summary>
    /// Puts data where none is yet: what came first stays. The buffer is large enough. Never fails: each fragment makes at most one range more, and
    /// fragments are limited.
    /// </summary>
    public void Put(int start, int end, ReadOnlySpan<byte> data)
    {
        var at = start;
        var i = 0;
        while (i < _ranges && _ends[i] < start)
            i++;
        var (mergedStart, mergedEnd, first) = (start, end, i);
        for (; i < _ranges && _starts[i] <= end; i++)
        {
            Copy(start, at, Math.Min(end, _starts[i]), data);
            at = Math.Max(at, _ends[i]);
            mergedStart = Math.Min(mergedStart, _starts[i]);
            mergedEnd = Math.Max(mergedEnd, _ends[i]);
        }

        Copy(start, at, end, data);
        var (removed, moved) = (i - first, _ranges - i);
        Array.Copy(_starts, i, _starts, first + 1, moved);
        Array.Copy(_ends, i, _ends, first + 1, moved);
        _ranges += 1 - removed;
        (_starts[first], _ends[first]) = (mergedStart, mergedEnd);
    }

    private void Copy(int start, int from, int to, ReadOnlySpan<byte> data)
    {
        to = Math.Min(to, start + data.Length);
        if (from < to)
            data[(from - start)..(to - start)].CopyTo(Buffer.AsSpan(DataStart + from));
    }
}

/// <summary>Datagrams in the order that they were appended in.</summary>
internal sealed class DatagramList
{
    private FragmentedDatagram? _last;

    public FragmentedDatagram? First { get; private set; }

    public void Append(FragmentedDatagram datagram)
    {
        datagram.Previous = _last;
        datagram.Next = null;
        if (_last is null)
            First = datagram;
        else
            _last.Next = datagram;
        _last = datagram;
    }

    public void Remove(FragmentedDatagram datagram)
    {
        if (datagram.Previous is null)
            First = datagram.Next;
        else
            datagram.Previous.Next = datagram.Next;
        if (datagram.Next is null)
            _last = datagram.Previous;
        else
            datagram.Next.Previous = datagram.Previous;
    }
}
