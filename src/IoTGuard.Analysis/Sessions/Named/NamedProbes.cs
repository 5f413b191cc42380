using System.Buffers.Binary;
using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Sessions;

/// <summary>Tests of content that say more than a <see cref="Signature"/> can.</summary>
internal static class NamedProbes
{
    private const int StunHeader = 20;

    /// <summary>STUN (RFC 8489, 5): two zero bits, the magic cookie, and a length in whole words that is the datagram's.</summary>
    public static ProbeResult StunDatagram(FlowDirection direction, ReadOnlySpan<byte> data) =>
        data.Length >= StunHeader && IsStun(data) && BinaryPrimitives.ReadUInt16BigEndian(data[2..]) + StunHeader == data.Length ? ProbeResult.Certain : ProbeResult.NotForUs;

    /// <summary>The same over TCP (6.2.2).</summary>
    public static ProbeResult StunStream(FlowDirection direction, ReadOnlySpan<byte> data) =>
        data.IsEmpty ? ProbeResult.Unsure
        : data[0] >> 6 != 0 ? ProbeResult.NotForUs
        : data.Length < 8 ? data.Length > 4 && !Cookie[..(data.Length - 4)].SequenceEqual(data[4..]) ? ProbeResult.NotForUs : ProbeResult.Unsure
        : IsStun(data) ? ProbeResult.Certain : ProbeResult.NotForUs;

    /// <summary>RTP (RFC 3550, 5.1) with a type of payload that RFC 3551 (6) gives to sound or video, or leaves to the sessions.</summary>
    public static ProbeResult Rtp(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        const int header = 12;
        if (data.Length <= header || data[0] >> 6 != 2 || (data[1] & 0x7F) is not (<= 18 or (>= 25 and <= 34) or >= 96))
            return ProbeResult.NotForUs;
        var length = header + (4 * (data[0] & 0x0F));
        if ((data[0] & 0x10) != 0)
            length += data.Length < length + 4 ? data.Length : 4 + (4 * BinaryPrimitives.ReadUInt16BigEndian(data[(length + 2)..]));
        return length < data.Length && BinaryPrimitives.ReadUInt32BigEndian(data[8..]) != 0 ? ProbeResult.Likely : ProbeResult.NotForUs;
    }

    /// <summary>RTCP (RFC 3550, A.2): begins with a report, and its packets fill the datagram, as far as they are not encrypted (RFC 3711, 3.4).</summary>
    public static ProbeResult Rtcp(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        const int mostPackets = 16;
        const int fewestBytes = 8;
        if (data.Length < fewestBytes || (data[0] & 0xE0) != 0x80 || data[1] is not (200 or 201))
            return ProbeResult.NotForUs;
        var rest = data;
        for (var i = 0; i < mostPackets && !rest.IsEmpty; i++)
        {
            if (rest.Length < 4 || rest[0] >> 6 != 2 || rest[1] is < 200 or > 207)
                return ProbeResult.NotForUs;
            var length = 4 * (1 + BinaryPrimitives.ReadUInt16BigEndian(rest[2..]));
            if (length > rest.Length)
                return ProbeResult.NotForUs;
            rest = rest[length..];
        }

        // A report names its source and has 24 bytes for each block (6.4).
        var blocks = data[0] & 0x1F;
        var words = BinaryPrimitives.ReadUInt16BigEndian(data[2..]);
        return rest.IsEmpty && words >= (data[1] == 200 ? 6 : 1) + (6 * blocks) ? ProbeResult.Certain : ProbeResult.NotForUs;
    }

    /// <summary>DNP3 (IEEE 1815, 9.2): start octets, length, and the checksum of the header.</summary>
    public static ProbeResult Dnp3(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        const int header = 10;
        if ((data.Length > 0 && data[0] != 0x05) || (data.Length > 1 && data[1] != 0x64) || (data.Length > 2 && data[2] < 5))
            return ProbeResult.NotForUs;
        if (data.Length < header)
            return ProbeResult.Unsure;
        var crc = 0;
        foreach (var octet in data[..(header - 2)])
        {
            crc ^= octet;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc >> 1) ^ ((crc & 1) * 0xA6BC);
        }

        return (ushort)~crc == BinaryPrimitives.ReadUInt16LittleEndian(data[(header - 2)..]) ? ProbeResult.Certain : ProbeResult.NotForUs;
    }

    /// <summary>The same over UDP, where a datagram has the whole header.</summary>
    public static ProbeResult Dnp3Datagram(FlowDirection direction, ReadOnlySpan<byte> data) => Dnp3(direction, data) is ProbeResult.Certain ? ProbeResult.Certain : ProbeResult.NotForUs;

    /// <summary>A log-in of iSCSI (RFC 7143, 11.12) whose text names the initiator (13.6).</summary>
    public static ProbeResult Iscsi(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        const int header = 48;
        const int mostText = 512;
        var key = "InitiatorName="u8;
        if ((data.Length > 0 && data[0] != 0x43) || (data.Length > 4 && data[4] != 0))
            return ProbeResult.NotForUs;
        if (data.Length < header + key.Length)
            return ProbeResult.Unsure;
        var text = data[header..Math.Min(data.Length, header + mostText)];
        return text.StartsWith(key) || text.IndexOf("\0InitiatorName="u8) >= 0 ? ProbeResult.Certain
            : data.Length < header + Math.Min(mostText, (data[5] << 16) | (data[6] << 8) | data[7]) ? ProbeResult.Unsure
            : ProbeResult.NotForUs;
    }

    /// <summary>
    /// S7 communication: RFC 1006 and ISO 8073 carry much (RDP, MMS), so that the first message behind the connection's request or confirmation decides: it begins with
    /// 32 (S7) or 72 (S7 of newer controllers).
    /// </summary>
    public static ProbeResult S7(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        const int header = 7;
        const byte connectionRequest = 0xE0;
        const byte connectionConfirm = 0xD0;
        if (data.IsEmpty)
            return ProbeResult.Unsure;
        if (data[0] != 3 || (data.Length > 1 && data[1] != 0))
            return ProbeResult.NotForUs;
        if (data.Length < header)
            return ProbeResult.Unsure;
        var length = BinaryPrimitives.ReadUInt16BigEndian(data[2..]);
        if ((data[5] & 0xF0) is connectionRequest or connectionConfirm)
        {
            if (length is < header or > 128)
                return ProbeResult.NotForUs;
            if (data.Length <= length)
                return ProbeResult.Unsure;
            data = data[length..];
            if (data[0] != 3)
                return ProbeResult.NotForUs;
            if (data.Length < header)
                return ProbeResult.Unsure;
        }

        if (data[4] != 2 || data[5] != 0xF0)
            return ProbeResult.NotForUs;
        return data.Length == header ? ProbeResult.Unsure : data[header] is 0x32 or 0x72 ? ProbeResult.Certain : ProbeResult.NotForUs;
    }

    /// <summary>Syslog over TCP (RFC 6587), with the message's length before it or without; the message begins as RFC 5424 or RFC 3164 says.</summary>
    public static ProbeResult Syslog(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        const int mostDigits = 5;
        var at = 0;
        while (at < data.Length && at <= mostDigits && data[at] is >= (byte)'0' and <= (byte)'9')
            at++;
        if (at > mostDigits || (at > 0 && data[0] == (byte)'0'))
            return ProbeResult.NotForUs;
        if (at > 0)
        {
            if (at == data.Length)
                return ProbeResult.Unsure;
            if (data[at++] != (byte)' ')
                return ProbeResult.NotForUs;
        }

        data = data[at..];
        if (data.IsEmpty)
            return ProbeResult.Unsure;
        var (priority, digit) = (0, 1);
        for (; digit < data.Length && digit <= 3 && data[digit] is >= (byte)'0' and <= (byte)'9'; digit++)
            priority = (10 * priority) + data[digit] - '0';
        if (data[0] != (byte)'<' || priority > 191)
            return ProbeResult.NotForUs;
        if (digit == data.Length)
            return ProbeResult.Unsure;
        if (digit == 1 || data[digit] != (byte)'>')
            return ProbeResult.NotForUs;
        var header = data[(digit + 1)..];
        const int enough = 4;
        if (header.Length < enough)
            return ProbeResult.Unsure;
        return header.StartsWith("1 2"u8) || header.StartsWith("1 - "u8) || "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec "u8.IndexOf(header[..enough]) >= 0
            ? ProbeResult.Certain
            : ProbeResult.NotForUs;
    }

    private static ReadOnlySpan<byte> Cookie => [0x21, 0x12, 0xA4, 0x42];

    private static bool IsStun(ReadOnlySpan<byte> data) =>
        data[0] >> 6 == 0 && (data[3] & 3) == 0 && data[4..].StartsWith(Cookie);
}
