using System.Buffers.Binary;
using IoTGuard.Analysis.Streams;
using IoTGuard.Wire;
using IoTGuard.Wire.Network;
using IoTGuard.Wire.Transport;

namespace IoTGuard.Analysis.Flows;

/// <summary>A datagram that is whole. The bytes are valid until <see cref="FragmentReassembler.Release"/>.</summary>
internal readonly ref struct WholeDatagram(ReadOnlySpan<byte> bytes, int offset, int carrierOffset, ref readonly PacketView first)
{
    public readonly ReadOnlySpan<byte> Bytes = bytes;
    public readonly int Offset = offset;
    public readonly int CarrierOffset = carrierOffset;
    public readonly ref readonly PacketView First = ref first;
}

/// <summary>
/// IP datagrams from their fragments. Of bytes that come twice the first copy is kept; IPv6 datagrams whose fragments overlap are given up
/// (RFC 5722), unless a fragment only repeats what is there. What came in does not depend on the number of workers, nor does what comes out.
/// </summary>
internal sealed class FragmentReassembler(FlowHasher hasher)
{
    private readonly Dictionary<FlowKey, FragmentedDatagram> _datagrams = new(FragmentLimits.MaximumDatagrams, new KeyComparer(hasher));
    private readonly Stack<FragmentedDatagram> _free = [];
    private readonly DatagramList _open = new();
    private readonly DatagramList _done = new();
    private readonly BufferPool _pool = new();
    private readonly Stack<byte[]> _lent = [];
    private long _bytes;

    /// <summary>What was counted of fragments: the same in every worker.</summary>
    public SensorCounters Counters;

    /// <summary>Counts the frame of a fragment.</summary>
    public void Count(in FrameHeader header, in PacketView view)
    {
        Counters.Frames++;
        Counters.Bytes += header.WireLength;
        Counters.Fragments++;
        Counters.Faults.Count(view.Fault);
    }

    /// <summary>A fragment that is not followed.</summary>
    public void GiveUp(FaultKind kind, long required, long available)
    {
        Counters.Faults.Count(new Fault(kind, Layer.Network, 0, required, available));
        Counters.FragmentsUnused++;
    }

    /// <summary>Adds the fragment that a view shows; true when its datagram is whole.</summary>
    public bool Add(ReadOnlySpan<byte> frame, in PacketView view, long clock, out WholeDatagram whole)
    {
        whole = default;
        Expire(clock);
        if (!FragmentView.TryRead(frame, view, out var fragment) || fragment.DataWireLength == 0)
        {
            Counters.FragmentsUnused++;
            return false;
        }

        var start = fragment.FragmentOffset;
        var end = start + fragment.DataWireLength;
        if (fragment.HasMore && fragment.DataWireLength % 8 != 0)
        {
            GiveUp(FaultKind.BadLength, fragment.DataWireLength, 8);
            return false;
        }

        if (IsTiny(fragment))
            Counters.Faults.Count(new Fault(FaultKind.TinyFragment, Layer.Network, fragment.DataOffset, fragment.DataWireLength));

        var isIpv6 = view.EtherType == Wire.Link.EtherType.Ipv6;
        var datagram = Find(view, fragment, isIpv6, clock);
        if (datagram.IsDone)
        {
            if (datagram.IsAbandoned)
                Counters.FragmentsUnused++;
            else
                Counters.FragmentCopies++;
            return false;
        }

        datagram.Fragments++;
        if (end > FragmentLimits.MaximumDataBytes || fragment.HeaderLength > FragmentLimits.MaximumHeaderBytes)
            return Abandon(datagram, FaultKind.TooLarge, clock);
        if (datagram.Fragments > FragmentLimits.MaximumFragments)
            return Abandon(datagram, FaultKind.Overflow, clock);
        if (Contradicts(datagram, fragment, end))
            return Abandon(datagram, FaultKind.BadLength, clock);

        var data = frame.Slice(fragment.DataOffset, fragment.DataLength);
        if (datagram.Overlaps(start, end, data, out var differs))
        {
            if (!differs && datagram.Contains(start, end))
            {
                datagram.Fragments--;
                Counters.FragmentCopies++;
                return false;
            }

            if (isIpv6)
                return Abandon(datagram, FaultKind.FragmentOverlap, clock);
            Counters.Faults.Count(new Fault(FaultKind.FragmentOverlap, Layer.Network, fragment.DataOffset, start, end));
        }

        Reserve(datagram, end);
        datagram.Put(start, end, data);
        if (fragment.DataLength < fragment.DataWireLength)
            datagram.CutAt = Math.Min(datagram.CutAt, start + fragment.DataLength);
        if (!fragment.HasMore)
            datagram.Total = end;
        if (start == 0 && datagram.HeaderLength == 0)
            KeepHeaders(datagram, frame, view, fragment);
        if (!datagram.IsWhole)
            return false;
        whole = Finish(datagram, isIpv6, clock);
        return true;
    }

    /// <summary>Takes back the bytes of datagrams that were whole.</summary>
    public void Release()
    {
        while (_lent.TryPop(out var buffer))
            _pool.Return(buffer);
    }

    /// <summary>The input ended: what is not whole will not be.</summary>
    public void Complete()
    {
        while (_open.First is { } datagram)
            Drop(datagram, ref Counters.FragmentsUnused);
    }

    /// <summary>True for a fragment that splits the header of what the datagram carries: nobody sends one without intent.</summary>
    private static bool IsTiny(in FragmentView fragment) => fragment.Protocol switch
    {
        IpProtocol.Tcp => fragment.FragmentOffset == 8 || (fragment.FragmentOffset == 0 && fragment.DataWireLength < TcpHeader.Size),
        IpProtocol.Udp => fragment.FragmentOffset == 0 && fragment.DataWireLength < UdpHeader.Size,
        _ => false,
    };

    /// <summary>True when fragments say differently where the datagram ends.</summary>
    private static bool Contradicts(FragmentedDatagram datagram, in FragmentView fragment, int end) =>
        (datagram.Total >= 0 && (end > datagram.Total || (!fragment.HasMore && end != datagram.Total))) || (!fragment.HasMore && end < datagram.End);

    private FragmentedDatagram Find(in PacketView view, in FragmentView fragment, bool isIpv6, long clock)
    {
        // The protocol belongs to the identity in IPv4 only (RFC 791, 3.2; RFC 8200, 4.5).
        var protocol = isIpv6 ? (byte)0 : fragment.Protocol;
        var id = fragment.Identification;
        var network = hasher.IsVlanAware ? FlowKey.From(view, vlanAware: true, out _).Vlan : (ushort)0;
        var key = new FlowKey(view.Source, view.Destination, (ushort)(id >> 16), (ushort)id, protocol, network);
        if (_datagrams.TryGetValue(key, out var datagram))
            return datagram;
        if (_datagrams.Count == FragmentLimits.MaximumDatagrams)
            DropOldest();
        if (!_free.TryPop(out datagram))
            datagram = new FragmentedDatagram();
        datagram.Begin(key, clock);
        _datagrams.Add(key, datagram);
        _open.Append(datagram);
        return datagram;
    }

    /// <summary>Makes the buffer large enough for data up to <paramref name="end"/>.</summary>
    private void Reserve(FragmentedDatagram datagram, int end)
    {
        var needed = FragmentedDatagram.DataStart + end;
        if (datagram.Buffer.Length >= needed)
            return;
        var larger = _pool.Rent(needed);
        datagram.Buffer.CopyTo(larger, 0);
        _bytes += larger.Length - datagram.Buffer.Length;
        if (datagram.Buffer.Length > 0)
            _pool.Return(datagram.Buffer);
        datagram.Buffer = larger;
        while (_bytes > FragmentLimits.MaximumBytes && _open.First is { } oldest && oldest != datagram)
            Drop(oldest, ref Counters.FragmentsDropped);
    }

    private static void KeepHeaders(FragmentedDatagram datagram, ReadOnlySpan<byte> frame, in PacketView view, in FragmentView fragment)
    {
        datagram.First = view;
        datagram.HeaderLength = fragment.HeaderLength;
        datagram.Protocol = fragment.Protocol;
        datagram.ProtocolPlace = FragmentedDatagram.DataStart - fragment.HeaderLength + (fragment.ProtocolOffset - fragment.HeaderOffset);
        frame.Slice(fragment.HeaderOffset, fragment.HeaderLength).CopyTo(datagram.Buffer.AsSpan(FragmentedDatagram.DataStart - fragment.HeaderLength));
        datagram.HasCarrier = view.CarrierOffset >= 0;
        if (!datagram.HasCarrier)
            return;
        var carrier = frame[view.CarrierOffset..];
        carrier[..Math.Min(carrier.Length, FragmentedDatagram.CarrierBytes)].CopyTo(datagram.Buffer);
    }

    private WholeDatagram Finish(FragmentedDatagram datagram, bool isIpv6, long clock)
    {
        const int TotalLengthField = 2;
        const int PayloadLengthField = 4;
        const int FragmentField = 6;
        var offset = FragmentedDatagram.DataStart - datagram.HeaderLength;
        var header = datagram.Buffer.AsSpan(offset);
        datagram.Buffer[datagram.ProtocolPlace] = datagram.Protocol;
        var length = datagram.HeaderLength + datagram.Total - (isIpv6 ? Ipv6Header.Size : 0);
        if (isIpv6)
        {
            BinaryPrimitives.WriteUInt16BigEndian(header[PayloadLengthField..], (ushort)Math.Min(ushort.MaxValue, length));
        }
        else
        {
            BinaryPrimitives.WriteUInt16BigEndian(header[TotalLengthField..], (ushort)Math.Min(ushort.MaxValue, length));
            BinaryPrimitives.WriteUInt16BigEndian(header[FragmentField..], 0);
        }

        Counters.Datagrams++;
        var buffer = datagram.Buffer;
        datagram.Buffer = [];
        _bytes -= buffer.Length;
        _lent.Push(buffer);
        Close(datagram, clock);
        var end = FragmentedDatagram.DataStart + Math.Min(datagram.Total, datagram.CutAt);
        return new WholeDatagram(buffer.AsSpan(0, end), offset, datagram.HasCarrier ? 0 : -1, ref datagram.First);
    }

    /// <summary>Gives a datagram up because of what its fragments say; later ones are ignored. Always false.</summary>
    private bool Abandon(FragmentedDatagram datagram, FaultKind kind, long clock)
    {
        Counters.Faults.Count(new Fault(kind, Layer.Network, 0, datagram.Fragments));
        if (kind == FaultKind.Overflow)
            Counters.FragmentsDropped += datagram.Fragments;
        else
            Counters.FragmentsUnused += datagram.Fragments;
        Free(datagram);
        Close(datagram, clock);
        datagram.IsAbandoned = true;
        return false;
    }

    private void Close(FragmentedDatagram datagram, long clock)
    {
        _open.Remove(datagram);
        datagram.IsDone = true;
        datagram.Since = clock;
        _done.Append(datagram);
    }

    private void Expire(long clock)
    {
        while (_done.First is { } done && clock - done.Since > FragmentLimits.CopyWindowNs)
            Forget(done, _done);
        while (_open.First is { } open && clock - open.Since > FragmentLimits.TimeoutNs)
        {
            Counters.Faults.Count(new Fault(FaultKind.Gap, Layer.Network, 0, open.Fragments));
            Drop(open, ref Counters.FragmentsUnused);
        }
    }

    private void DropOldest()
    {
        if (_done.First is { } done)
            Forget(done, _done);
        else if (_open.First is { } open)
            Drop(open, ref Counters.FragmentsDropped);
    }

    private void Drop(FragmentedDatagram datagram, ref long counter)
    {
        counter += datagram.Fragments;
        Free(datagram);
        Forget(datagram, _open);
    }

    private void Free(FragmentedDatagram datagram)
    {
        if (datagram.Buffer.Length == 0)
            return;
        _bytes -= datagram.Buffer.Length;
        _pool.Return(datagram.Buffer);
        datagram.Buffer = [];
    }

    private void Forget(FragmentedDatagram datagram, DatagramList list)
    {
        list.Remove(datagram);
        _datagrams.Remove(datagram.Key);
        _free.Push(datagram);
    }

    /// <summary>Keyed, so that nobody can choose identifications that collide.</summary>
    private sealed class KeyComparer(FlowHasher hasher) : IEqualityComparer<FlowKey>
    {
        public bool Equals(FlowKey x, FlowKey y) => x == y;

        public int GetHashCode(FlowKey key) => (int)hasher.HashOf(key);
    }
}
