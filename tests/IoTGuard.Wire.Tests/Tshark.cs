using System.Buffers.Binary;
using System.Diagnostics;
using IoTGuard.TestSupport;

namespace IoTGuard.Wire.Tests;

/// <summary>tshark as oracle for the lower layers: one run over all frames.</summary>
internal static class Tshark
{
    private static readonly HashSet<string> Kept = new(StringComparer.Ordinal)
    {
        "frame", "eth", "ethertype", "vlan", "ieee8021ad", "llc", "sll", "null", "raw", "arp", "ip", "ipv6", "ipv6.hopopts", "ipv6.routing",
        "ipv6.fraghdr", "ipv6.dstopts", "ah", "mipv6", "hip", "shim6", "tcp", "udp", "icmp", "icmpv6", "sctp", "data", "communityid",
        "mpls", "pwethheuristic", "pwethcw", "pwethnocw", "pppoe", "pppoes", "ppp", "ieee8021ah", "macsec", "gre", "erspan", "vxlan", "vxlan_gpe",
        "geneve", "gtp", "teredo", "l2tp", "l2tpv3", "tzsp", "etherip", "capwap", "capwap.data", "wlan", "wlan_noqos", "nvgre",
    };

    private static readonly string[] Options =
    [
        "-n", "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", "-o", "ip.tso_support:TRUE", "-o", "ipv6.tso_support:TRUE",
        "-o", "tcp.analyze_sequence_numbers:FALSE", "-o", "tcp.desegment_tcp_streams:FALSE", "-d", "udp.port==8472,vxlan", "-T", "fields", "-E", "occurrence=a",
    ];

    public static bool IsInstalled =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, "tshark")));

    /// <summary>Runs tshark over <paramref name="frames"/>; each row holds the <paramref name="fields"/> of one frame.</summary>
    public static List<string[]> Run(IReadOnlyList<CapturedFrame> frames, IReadOnlyList<string> fields)
    {
        var folder = Directory.CreateTempSubdirectory("iotguard-tshark-").FullName;
        try
        {
            // Without its other protocols tshark is quick.
            var others = Lines(folder, "-G", "protocols").Select(line => line.Split('\t')[2]).Where(name => !Kept.Contains(name));
            File.WriteAllLines(Path.Combine(folder, "disabled_protos"), others.ToList());
            File.WriteAllText(Path.Combine(folder, "enabled_protos"), "communityid\n");
            var capture = Path.Combine(folder, "frames.pcapng");
            WritePcapng(capture, frames);
            return [.. Lines(folder, ["-r", capture, .. Options, .. fields.SelectMany(field => new[] { "-e", field })]).Select(line => line.Split('\t'))];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static IEnumerable<string> Lines(string configuration, params string[] arguments)
    {
        var start = new ProcessStartInfo("tshark", arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["WIRESHARK_CONFIG_DIR"] = configuration;
        using var process = Process.Start(start)!;
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginErrorReadLine();
        while (process.StandardOutput.ReadLine() is { } line)
            yield return line;
        process.WaitForExit();
    }

    private static void WritePcapng(string path, IReadOnlyList<CapturedFrame> frames)
    {
        using var output = new BinaryWriter(File.Create(path));
        var links = frames.Select(frame => frame.LinkType).Distinct().ToList();
        WriteBlock(output, 0x0A0D0D0A, [0x1A2B3C4D, 1, 0xFFFFFFFF, 0xFFFFFFFF], []);
        foreach (var link in links)
            WriteBlock(output, 1, [link, 0], []);
        foreach (var frame in frames)
            WriteBlock(output, 6, [(uint)links.IndexOf(frame.LinkType), 0, 0, (uint)frame.Bytes.Length, (uint)frame.WireLength], frame.Bytes);
    }

    private static void WriteBlock(BinaryWriter output, uint type, ReadOnlySpan<uint> words, byte[] bytes)
    {
        var padded = (bytes.Length + 3) & ~3;
        var length = 12 + (4 * words.Length) + padded;
        output.Write(type);
        output.Write(length);
        foreach (var word in words)
            output.Write(word);
        output.Write(bytes);
        output.Write(new byte[padded - bytes.Length]);
        output.Write(length);
    }
}
