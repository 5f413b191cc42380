using System.Buffers.Binary;
using System.Numerics;
using IoTGuard.Wire.Network;
using IoTGuard.Wire.Transport;
using static IoTGuard.Wire.Tests.FrameBytes;

namespace IoTGuard.Wire.Tests.Transport;

public sealed class FlowKeyTests
{
    private const ulong Key0 = 0x0706050403020100;
    private const ulong Key1 = 0x0F0E0D0C0B0A0908;

    [Fact]
    public void BothDirectionsHaveOneKeyAndTheSenderIsTold()
    {
        var request = Decode(Join(Ethernet(0x8100), Vlan(7, 0x0800), Ipv4(6, 20), Tcp(sourcePort: 40000, destinationPort: 104)));
        var answer = request;
        (answer.Source, answer.Destination) = (request.Destination, request.Source);
        (answer.SourcePort, answer.DestinationPort) = (request.DestinationPort, request.SourcePort);

        var key = FlowKey.From(request, vlanAware: true, out var client);
        Assert.Equal(key, FlowKey.From(answer, vlanAware: true, out var server));
        Assert.Equal((Endpoint.A, Endpoint.B), (client, server));
        Assert.Equal(("192.0.2.1", 40000, "192.0.2.2", 104), (key.A.ToString(), key.PortA, key.B.ToString(), key.PortB));
        Assert.Equal((6, 7), (key.Protocol, key.Vlan));
        Assert.Equal(0, FlowKey.From(request, vlanAware: false, out _).Vlan);
    }

    [Fact]
    public void OneAddressWithTwoPortsIsOrderedByPort()
    {
        var address = IpAddress.FromIpv4(0x7F000001);
        var key = FlowKey.Of(address, address, 9, 5, 6, 0, out var sender);
        Assert.Equal((5, 9, Endpoint.B), (key.PortA, key.PortB, sender));
    }

    [Fact]
    public void PingAndItsAnswerAreOneFlow()
    {
        var request = Decode(Join(Ethernet(0x0800), Ipv4(1, 8), Hex("0800 0000 00010001")));
        var answer = Decode(Join(Ethernet(0x0800), Ipv4(1, 8), Hex("0000 0000 00010001")));
        (answer.Source, answer.Destination) = (answer.Destination, answer.Source);
        Assert.Equal(FlowKey.From(request, false, out _), FlowKey.From(answer, false, out _));
    }

    /// <summary>The hash is SipHash-1-3 of the key's bytes, seen by an implementation that the published SipHash-2-4 vector checks.</summary>
    [Theory]
    [InlineData("192.0.2.1", "203.0.113.9")]
    [InlineData("2001:db8::1", "2001:db8::ffff:2")]
    public void TheHashIsSipHash(string a, string b)
    {
        Assert.Equal(0xA129CA6149BE45E5UL, SipHash(2, 4, [.. Enumerable.Range(0, 15).Select(i => (byte)i)]));

        Assert.True(IpAddress.TryParse(a, out var first));
        Assert.True(IpAddress.TryParse(b, out var second));
        var key = FlowKey.Of(first, second, 0x1234, 0x5678, 17, 0x0ABC, out _);
        ulong[] words = key.A.IsIpv4
            ? [((ulong)key.A.Ipv4 << 32) | key.B.Ipv4]
            : [key.A.High, key.A.Low, key.B.High, key.B.Low];
        var message = new byte[(8 * words.Length) + 7];
        for (var i = 0; i < words.Length; i++)
            BinaryPrimitives.WriteUInt64LittleEndian(message.AsSpan(8 * i), words[i]);
        byte[] rest = [0x78, 0x56, 0x34, 0x12, 17, 0xBC, 0x0A];
        rest.CopyTo(message, 8 * words.Length);
        Assert.Equal(SipHash(1, 3, message), key.GetHash(Key0, Key1));
        Assert.NotEqual(key.GetHash(Key0, Key1), key.GetHash(Key0, Key1 + 1));
    }

    [Fact]
    public void HashesOfNeighboursSpreadOverWorkers()
    {
        const int Workers = 8;
        const int Flows = 8000;
        var perWorker = new int[Workers];
        for (ushort port = 0; port < Flows; port++)
        {
            var key = FlowKey.Of(IpAddress.FromIpv4(0x0A000001), IpAddress.FromIpv4(0x0A000002), port, 104, 6, 0, out _);
            perWorker[key.GetHash(Key0, Key1) % Workers]++;
        }

        Assert.All(perWorker, count => Assert.InRange(count, 850, 1150));
    }

    private static ulong SipHash(int compression, int finalisation, byte[] message)
    {
        var v = new[] { Key0 ^ 0x736F6D6570736575, Key1 ^ 0x646F72616E646F6D, Key0 ^ 0x6C7967656E657261, Key1 ^ 0x7465646279746573 };
        var padded = new byte[(message.Length / 8 * 8) + 8];
        message.CopyTo(padded, 0);
        padded[^1] = (byte)message.Length;
        for (var at = 0; at < padded.Length; at += 8)
        {
            var word = BinaryPrimitives.ReadUInt64LittleEndian(padded.AsSpan(at));
            v[3] ^= word;
            Rounds(v, compression);
            v[0] ^= word;
        }

        v[2] ^= 0xFF;
        Rounds(v, finalisation);
        return v[0] ^ v[1] ^ v[2] ^ v[3];
    }

    private static void Rounds(ulong[] v, int count)
    {
        for (; count > 0; count--)
        {
            v[0] += v[1];
            v[1] = BitOperations.RotateLeft(v[1], 13);
            v[1] ^= v[0];
            v[0] = BitOperations.RotateLeft(v[0], 32);
            v[2] += v[3];
            v[3] = BitOperations.RotateLeft(v[3], 16);
            v[3] ^= v[2];
            v[0] += v[3];
            v[3] = BitOperations.RotateLeft(v[3], 21);
            v[3] ^= v[0];
            v[2] += v[1];
            v[1] = BitOperations.RotateLeft(v[1], 17);
            v[1] ^= v[2];
            v[2] = BitOperations.RotateLeft(v[2], 32);
        }
    }
}
