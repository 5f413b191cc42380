using System.Buffers.Binary;
using IoTGuard.Wire;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Tests.Flows;

/// <summary>A packet to be built: the fields that the tests play with, all with usual values.</summary>
internal sealed record Packet
{
    public string Source { get; init; } = "10.0.0.1";

    public string Destination { get; init; } = "10.0.0.2";

    public int SourcePort { get; init; } = 40000;

    public int DestinationPort { get; init; } = 104;

    public byte Protocol { get; init; } = 6;

    public uint Sequence { get; init; }

    public uint Acknowledgment { get; init; }

    public TcpFlags Flags { get; init; } = TcpFlags.Ack;

    public ushort Window { get; init; } = 501;

    public byte[] Payload { get; init; } = [];

    public ushort Identification { get; init; }

    public byte TimeToLive { get; init; } = 64;

    /// <summary>0 = untagged.</summary>
    public ushort Vlan { get; init; }

    public ulong SourceMac { get; init; } = 0x02_00_00_00_00_01;

    public ulong DestinationMac { get; init; } = 0x02_00_00_00_00_02;

    /// <summary>ICMP type and code.</summary>
    public ushort IcmpTypeCode { get; init; } = 0x0800;

    /// <summary>Payload bytes left away at the end, as a short snap length does.</summary>
    public int Cut { get; init; }

    public byte[] Build()
    {
        var transport = Transport();
        var ipv6 = Source.Contains(':', StringComparison.Ordinal);
        var link = Vlan == 0 ? 14 : 18;
        var network = ipv6 ? 40 : 20;
        var frame = new byte[link + network + transport.Length];
        WriteMac(frame, DestinationMac);
        WriteMac(frame.AsSpan(6), SourceMac);
        if (Vlan != 0)
        {
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), 0x8100);
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(14), Vlan);
        }

        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(link - 2), (ushort)(ipv6 ? 0x86DD : 0x0800));
        var ip = frame.AsSpan(link);
        Assert.True(IpAddress.TryParse(Source, out var source) & IpAddress.TryParse(Destination, out var destination));
        if (ipv6)
        {
            ip[0] = 0x60;
            BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)transport.Length);
            ip[6] = Protocol;
            ip[7] = TimeToLive;
            source.Write(ip[8..]);
            destination.Write(ip[24..]);
        }
        else
        {
            ip[0] = 0x45;
            BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)(20 + transport.Length));
            BinaryPrimitives.WriteUInt16BigEndian(ip[4..], Identification);
            ip[8] = TimeToLive;
            ip[9] = Protocol;
            source.Write(ip[12..]);
            destination.Write(ip[16..]);
        }

        transport.CopyTo(ip[network..]);
        return Cut == 0 ? frame : frame[..^Cut];
    }

    private byte[] Transport()
    {
        switch (Protocol)
        {
            case 6:
                var tcp = new byte[20 + Payload.Length];
                BinaryPrimitives.WriteUInt16BigEndian(tcp, (ushort)SourcePort);
                BinaryPrimitives.WriteUInt16BigEndian(tcp.AsSpan(2), (ushort)DestinationPort);
                BinaryPrimitives.WriteUInt32BigEndian(tcp.AsSpan(4), Sequence);
                BinaryPrimitives.WriteUInt32BigEndian(tcp.AsSpan(8), Acknowledgment);
                tcp[12] = 0x50;
                tcp[13] = (byte)Flags;
                BinaryPrimitives.WriteUInt16BigEndian(tcp.AsSpan(14), Window);
                Payload.CopyTo(tcp, 20);
                return tcp;
            case 17:
                var udp = new byte[8 + Payload.Length];
                BinaryPrimitives.WriteUInt16BigEndian(udp, (ushort)SourcePort);
                BinaryPrimitives.WriteUInt16BigEndian(udp.AsSpan(2), (ushort)DestinationPort);
                BinaryPrimitives.WriteUInt16BigEndian(udp.AsSpan(4), (ushort)udp.Length);
                Payload.CopyTo(udp, 8);
                return udp;
            default:
                var icmp = new byte[8 + Payload.Length];
                BinaryPrimitives.WriteUInt16BigEndian(icmp, IcmpTypeCode);
                Payload.CopyTo(icmp, 8);
                return icmp;
        }
    }

    private static void WriteMac(Span<byte> destination, ulong mac)
    {
        for (var i = 0; i < 6; i++)
            destination[i] = (byte)(mac >> (40 - (8 * i)));
    }
}

/// <summary>Frames with times, in the order of a capture.</summary>
internal sealed class Capture
{
    public const long Second = 1_000_000_000;
    public const long Millisecond = 1_000_000;

    public const long Start = 1_700_000_000 * Second;

    public List<(long TimeNs, byte[] Frame, int WireLength)> Frames { get; } = [];

    /// <summary>Time of the next frame, ns from <see cref="Start"/>.</summary>
    public long Now { get; set; }

    public Capture Add(Packet packet, long afterNs = Millisecond)
    {
        Now += afterNs;
        var frame = packet.Build();
        Frames.Add((Start + Now, frame, frame.Length + packet.Cut));
        return this;
    }

    public Capture AddFrame(byte[] frame, long afterNs = Millisecond)
    {
        Now += afterNs;
        Frames.Add((Start + Now, frame, frame.Length));
        return this;
    }
}

/// <summary>One TCP connection whose numbers are kept for the test.</summary>
internal sealed class Connection(Capture capture, uint clientStart = 1000, uint serverStart = 5000)
{
    private ushort _identification = 1;

    public Packet Template { get; set; } = new();

    public uint Client { get; set; } = clientStart;

    public uint Server { get; set; } = serverStart;

    public Connection Handshake()
    {
        Send(true, TcpFlags.Syn, []);
        Send(false, TcpFlags.Syn | TcpFlags.Ack, []);
        Send(true, TcpFlags.Ack, []);
        return this;
    }

    public Connection FromClient(ReadOnlySpan<byte> payload) => Send(true, TcpFlags.Ack | TcpFlags.Psh, payload);

    public Connection FromServer(ReadOnlySpan<byte> payload) => Send(false, TcpFlags.Ack | TcpFlags.Psh, payload);

    public Connection Close()
    {
        Send(true, TcpFlags.Fin | TcpFlags.Ack, []);
        Send(false, TcpFlags.Fin | TcpFlags.Ack, []);
        return Send(true, TcpFlags.Ack, []);
    }

    public Connection Send(bool client, TcpFlags flags, ReadOnlySpan<byte> payload)
    {
        capture.Add(Make(client, flags, client ? Client : Server, payload));
        var length = (uint)payload.Length + ((flags & (TcpFlags.Syn | TcpFlags.Fin)) != 0 ? 1u : 0);
        if (client)
            Client += length;
        else
            Server += length;
        return this;
    }

    /// <summary>A segment at any sequence number, which does not move the connection's own.</summary>
    public Packet Make(bool client, TcpFlags flags, uint sequence, ReadOnlySpan<byte> payload) => client
        ? Template with
        {
            Flags = flags,
            Sequence = sequence,
            Acknowledgment = (flags & TcpFlags.Ack) != 0 ? Server : 0,
            Payload = payload.ToArray(),
            Identification = _identification++,
        }
        : Template with
        {
            Source = Template.Destination,
            Destination = Template.Source,
            SourcePort = Template.DestinationPort,
            DestinationPort = Template.SourcePort,
            SourceMac = Template.DestinationMac,
            DestinationMac = Template.SourceMac,
            Flags = flags,
            Sequence = sequence,
            Acknowledgment = Client,
            Payload = payload.ToArray(),
            Identification = _identification++,
        };
}
