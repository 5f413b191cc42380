using System.Runtime.InteropServices;

namespace IoTGuard.SharpPcap;

/// <summary>What struct pcap_pkthdr says of a frame. SharpPcap's own reading makes objects and decimals of it, three for each frame.</summary>
/// <param name="TimeNs">Packet time, nanoseconds since 1970-01-01 UTC.</param>
/// <param name="Length">Captured length, bytes.</param>
/// <param name="WireLength">Length on the wire, bytes.</param>
internal readonly record struct PacketRecord(long TimeNs, int Length, int WireLength)
{
    /// <summary>Reads records whose fractions of a second are nano- or microseconds.</summary>
    public readonly struct Reader(bool hasNanoseconds)
    {
        private readonly long _unitNs = hasNanoseconds ? 1 : 1000;

        public PacketRecord Read(nint header)
        {
            // struct timeval: two longs, which Windows has 4 bytes for; macOS has 4 bytes for the fraction and pads them.
            var hasSmallLongs = nint.Size == 4 || OperatingSystem.IsWindows();
            var seconds = hasSmallLongs ? Marshal.ReadInt32(header) : Marshal.ReadInt64(header);
            var fraction = hasSmallLongs ? Marshal.ReadInt32(header, 4)
                : OperatingSystem.IsMacOS() ? Marshal.ReadInt32(header, 8)
                : Marshal.ReadInt64(header, 8);
            var lengths = hasSmallLongs ? 8 : 16;
            return new PacketRecord(
                // Files and rings have 32 bits without a sign; pcap gives them one.
                ((seconds < 0 ? seconds + (1L << 32) : seconds) * 1_000_000_000) + (fraction * _unitNs),
                (int)Math.Min((uint)Marshal.ReadInt32(header, lengths), int.MaxValue),
                (int)Math.Min((uint)Marshal.ReadInt32(header, lengths + 4), int.MaxValue));
        }
    }
}
