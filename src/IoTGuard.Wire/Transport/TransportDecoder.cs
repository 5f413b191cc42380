using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using IoTGuard.Wire.Network;
using IoTGuard.Wire.Tunnels;

namespace IoTGuard.Wire.Transport;

/// <summary>The transport header of an IP datagram or of its first fragment.</summary>
internal static class TransportDecoder
{
    /// <summary>Decodes from <see cref="PacketView.PayloadOffset"/>, where the network layer left it.</summary>
    /// <param name="datagram">The frame up to the captured end of the IP datagram.</param>
    /// <param name="wireEnd">Offset in the frame where the datagram ends on the wire.</param>
    /// <param name="view">Has the network layer filled; receives the transport layer.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Decode(ReadOnlySpan<byte> datagram, int wireEnd, ref PacketView view)
    {
        switch (view.IpProtocol)
        {
            case IpProtocol.Tcp:
                DecodeTcp(datagram, wireEnd, ref view);
                break;
            case IpProtocol.Udp:
                DecodeUdp(datagram, wireEnd, ref view);
                break;
            case IpProtocol.Icmp:
                DecodeIcmp(datagram, wireEnd, PacketKind.Icmp, ref view);
                break;
            case IpProtocol.Icmpv6:
                DecodeIcmp(datagram, wireEnd, PacketKind.Icmpv6, ref view);
                break;
            case IpProtocol.Sctp:
                DecodeSctp(datagram, wireEnd, ref view);
                break;
            default:
                view.SetPayload(view.PayloadOffset, datagram.Length, wireEnd);
                if (IpProtocol.IsTunnel(view.IpProtocol))
                    view.Tunnel |= TunnelDecoder.Unresolved;
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void DecodeTcp(ReadOnlySpan<byte> datagram, int wireEnd, ref PacketView view)
    {
        var offset = view.PayloadOffset;
        var bytes = datagram[offset..];
        if (bytes.Length < TcpHeader.Size)
        {
            EndTooShort(datagram, wireEnd, TcpHeader.Size, ref view);
            return;
        }

        ref readonly var tcp = ref MemoryMarshal.AsRef<TcpHeader>(bytes);
        view.Kind = PacketKind.Tcp;
        view.SourcePort = tcp.SourcePort;
        view.DestinationPort = tcp.DestinationPort;
        view.TcpSequence = tcp.Sequence;
        view.TcpAcknowledgment = tcp.Acknowledgment;
        view.TcpFlags = tcp.Flags;
        view.TcpWindow = tcp.Window;
        view.TransportChecksum = tcp.Checksum;

        var headerLength = tcp.HeaderLength;
        if (headerLength != TcpHeader.Size)
        {
            if (headerLength < TcpHeader.Size)
            {
                view.End(FaultKind.BadLength, Layer.Transport, offset, TcpHeader.Size, headerLength);
                return;
            }

            if (bytes.Length < headerLength)
            {
                EndTooShort(datagram, wireEnd, headerLength, ref view);
                return;
            }

            view.TcpOptionsLength = (byte)(headerLength - TcpHeader.Size);
        }

        view.SetPayload(offset + headerLength, datagram.Length, wireEnd);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void DecodeUdp(ReadOnlySpan<byte> datagram, int wireEnd, ref PacketView view)
    {
        var offset = view.PayloadOffset;
        var bytes = datagram[offset..];
        if (bytes.Length < UdpHeader.Size)
        {
            EndTooShort(datagram, wireEnd, UdpHeader.Size, ref view);
            return;
        }

        ref readonly var udp = ref MemoryMarshal.AsRef<UdpHeader>(bytes);
        view.Kind = PacketKind.Udp;
        view.SourcePort = udp.SourcePort;
        view.DestinationPort = udp.DestinationPort;
        view.TransportChecksum = udp.Checksum;

        int length = udp.Length;
        var available = wireEnd - offset;
        if (length != available && length != 0)
        {
            if (length < UdpHeader.Size)
            {
                view.End(FaultKind.BadLength, Layer.Transport, offset, UdpHeader.Size, length);
                return;
            }

            // A first fragment naturally holds less than the datagram's length.
            if (length < available)
                wireEnd = offset + length;
            else if (!view.IsFragment)
                view.Note(FaultKind.BadLength, Layer.Transport, offset, length, available);
        }

        view.SetPayload(offset + UdpHeader.Size, Math.Min(datagram.Length, wireEnd), wireEnd);
        if (UdpTunnel.IsTunnel(view.SourcePort, view.DestinationPort))
            view.Tunnel |= TunnelDecoder.Unresolved;
    }

    private static void DecodeIcmp(ReadOnlySpan<byte> datagram, int wireEnd, PacketKind kind, ref PacketView view)
    {
        var bytes = datagram[view.PayloadOffset..];
        if (bytes.Length < IcmpHeader.Size)
        {
            EndTooShort(datagram, wireEnd, IcmpHeader.Size, ref view);
            return;
        }

        ref readonly var icmp = ref MemoryMarshal.AsRef<IcmpHeader>(bytes);
        view.Kind = kind;
        view.IcmpTypeCode = icmp.TypeAndCode;
        view.TransportChecksum = icmp.Checksum;
        view.SetPayload(view.PayloadOffset + IcmpHeader.Size, datagram.Length, wireEnd);
    }

    private static void DecodeSctp(ReadOnlySpan<byte> datagram, int wireEnd, ref PacketView view)
    {
        var bytes = datagram[view.PayloadOffset..];
        if (bytes.Length < SctpHeader.Size)
        {
            EndTooShort(datagram, wireEnd, SctpHeader.Size, ref view);
            return;
        }

        ref readonly var sctp = ref MemoryMarshal.AsRef<SctpHeader>(bytes);
        view.Kind = PacketKind.Sctp;
        view.SourcePort = sctp.SourcePort;
        view.DestinationPort = sctp.DestinationPort;
        view.SetPayload(view.PayloadOffset + SctpHeader.Size, datagram.Length, wireEnd);
    }

    /// <summary>The header does not fit: the capture was cut, or the datagram itself is too short for it.</summary>
    private static void EndTooShort(ReadOnlySpan<byte> datagram, int wireEnd, int required, ref PacketView view)
    {
        var onWire = wireEnd - view.PayloadOffset;
        var kind = onWire < required ? FaultKind.BadLength : FaultKind.Truncated;
        view.End(kind, Layer.Transport, view.PayloadOffset, required, datagram.Length - view.PayloadOffset);
        view.SetNoPayload(datagram.Length, wireEnd - view.PayloadOffset - required);
    }
}
