using System.Buffers.Binary;
using System.Text.RegularExpressions;
using IoTGuard.TestSupport;
using IoTGuard.Wire;
using CaptureFile = IoTGuard.Capture.CaptureFile;

namespace IoTGuard.Tests.Captures;

/// <summary>
/// The lab hospital's traffic put in tunnels, in fragments and in both gives the DICOM and HL7 transactions of the plain traffic. Other protocols are not
/// compared: the carriers here change what tells a second copy of a datagram from one sent twice (VLAN tag, MAC addresses, IP identification).
/// </summary>
public sealed partial class EncapsulatedCaptureTests
{
    /// <summary>Frames of the capture that are taken.</summary>
    private const int Frames = 6000;

    /// <summary>Bytes of data in a fragment.</summary>
    private const int FragmentBytes = 1024;

    private static readonly Lazy<string[]> Plain = new(static () => TransactionsOf(static frame => [frame], workers: 1));

    public static TheoryData<string> Encapsulations => ["VXLAN", "GRE", "ERSPAN II", "MPLS pseudowire", "GTP-U", "ERSPAN of VXLAN"];

    [Theory]
    [MemberData(nameof(Encapsulations))]
    public void Tunnels_give_the_same_transactions(string name)
    {
        var wrap = Wrap.All[name];
        AssertSame(frame => [wrap(frame)]);
    }

    [Fact]
    public void Fragments_give_the_same_transactions()
    {
        uint id = 0;
        AssertSame(frame => Fragments.Of(Wrap.Untagged(frame), FragmentBytes, ++id));
    }

    [Fact]
    public void Fragments_in_tunnels_and_tunnels_in_fragments_give_the_same_transactions()
    {
        uint id = 0;
        AssertSame(frame => Fragments.Of(Wrap.Untagged(frame), FragmentBytes, ++id).Select(f => Wrap.Vxlan(f)));
        AssertSame(frame => Fragments.Of(Wrap.Erspan(frame), FragmentBytes, ++id).AsEnumerable().Reverse());
    }

    private static void AssertSame(Func<byte[], IEnumerable<byte[]>> carry)
    {
        Assert.Contains(Plain.Value, line => line.Contains("\"c_store\"", StringComparison.Ordinal));
        Assert.Contains(Plain.Value, line => line.Contains("\"hl7\"", StringComparison.Ordinal));
        var carried = TransactionsOf(frame => Wrap.TypeOf(frame) is 0x0800 or 0x86DD ? carry(frame) : [frame], workers: 3);
        Assert.Equal(Plain.Value.Where(IsMedical), carried.Where(IsMedical).Select(line => EncapsulationField().Replace(line, "")));
    }

    private static bool IsMedical(string line) =>
        line.Contains("\"protocol\":\"dicom\"", StringComparison.Ordinal) || line.Contains("\"protocol\":\"hl7\"", StringComparison.Ordinal);

    private static string[] TransactionsOf(Func<byte[], IEnumerable<byte[]>> carry, int workers)
    {
        using var folder = new TemporaryFolder();
        Write(folder["capture.pcap"], carry);
        var run = ProgramRun.Of("analyze", folder["capture.pcap"], "--workers", $"{workers}", "--transactions", folder["transactions"]);
        Assert.Equal(0, run.Status);
        return File.ReadAllLines(folder["transactions"]);
    }

    /// <summary>The capture's first frames as pcap with nanoseconds, each as what it is carried in.</summary>
    private static void Write(string path, Func<byte[], IEnumerable<byte[]>> carry)
    {
        using var output = new BinaryWriter(File.Create(path));
        output.Write(Words(0xA1B23C4D, 0x0004_0002, 0, 0, 1 << 18, 1));
        using var source = CaptureFile.Open(Repository.PathOf("captures", "hospital-benign.pcapng"));
        var batch = new FrameBatch();
        for (var count = 0; count < Frames && source.Read(batch); batch.Release())
        {
            foreach (ref readonly var header in batch.Frames)
            {
                count++;
                foreach (var frame in carry(batch.Memory.Span.Slice(header.Offset, header.Length).ToArray()))
                {
                    var (seconds, rest) = Math.DivRem(header.TimeNs, 1_000_000_000);
                    output.Write(Words((uint)seconds, (uint)rest, (uint)frame.Length, (uint)frame.Length));
                    output.Write(frame);
                }
            }
        }
    }

    private static byte[] Words(params uint[] words)
    {
        var bytes = new byte[4 * words.Length];
        for (var i = 0; i < words.Length; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4 * i), words[i]);
        return bytes;
    }

    [GeneratedRegex(""","encapsulation":\{[^}]*\}""", RegexOptions.None, 1000)]
    private static partial Regex EncapsulationField();
}
