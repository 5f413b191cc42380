using System.Buffers.Binary;
using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.Dns;

namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// Recognises DNS and its relatives. Certain when a whole message with a question of the Internet class reads to its very end; likely, which is
/// believed on the ports of the family, when only the header makes sense.
/// </summary>
internal static class DnsProbe
{
    /// <summary>Most questions, and most records, of a message that is believed.</summary>
    private const int MaximumQuestions = 32;
    private const int MaximumRecords = 1024;

    /// <summary>Shortest whole message with a question: the root name.</summary>
    private const int MinimumMessage = DnsHeader.Size + 5;

    /// <summary>Bytes of a name that make it one, beside the length of its first label.</summary>
    private const int MinimumName = 3;

    public static ProbeResult Datagram(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (!DnsHeader.TryRead(data, out var header) || !IsPlausible(header))
            return ProbeResult.NotForUs;
        return IsWhole(data, header) ? ProbeResult.Certain : ProbeResult.Likely;
    }

    public static ProbeResult Stream(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        // RFC 1035, 4.2.2: two bytes of length go before each message.
        if (data.Length < 2)
            return data.Length == 0 || data[0] <= 0x10 ? ProbeResult.Unsure : ProbeResult.NotForUs;
        int length = BinaryPrimitives.ReadUInt16BigEndian(data);
        if (length < MinimumMessage)
            return ProbeResult.NotForUs;
        var message = data[2..Math.Min(data.Length, 2 + length)];
        if (!DnsHeader.TryRead(message, out var header))
            return length <= FlowLimits.MaximumProbeBytes && (message.Length < 6 || message[4] == 0) ? ProbeResult.Unsure : ProbeResult.NotForUs;
        if (!IsPlausible(header) || header.Questions != 1 || header.ReservedBit)
            return ProbeResult.NotForUs;
        if (message.Length == length && data.Length == 2 + length)
            return IsWhole(message, header) ? ProbeResult.Certain : ProbeResult.Likely;
        Span<byte> name = stackalloc byte[DnsName.MaximumLength];
        var reader = new DnsReader(message);
        if (reader.TryReadQuestion(name, out var nameLength, out var question))
            return question.Class == 1 && IsName(name[..nameLength]) ? ProbeResult.Certain : ProbeResult.Likely;
        return message.Length < length && message.Length < DnsHeader.Size + DnsName.MaximumLength ? ProbeResult.Unsure : ProbeResult.NotForUs;
    }

    private static bool IsPlausible(in DnsHeader header) =>
        header.Questions <= MaximumQuestions && header.Records <= MaximumRecords && header.Questions + header.Records > 0
        && header.Opcode <= DnsOpcode.Refresh && (header.IsResponse || header.ResponseCode == 0);

    private static bool IsWhole(ReadOnlySpan<byte> message, in DnsHeader header)
    {
        if (header.Questions != 1 || header.ReservedBit)
            return false;
        Span<byte> name = stackalloc byte[DnsName.MaximumLength];
        var reader = new DnsReader(message);
        if (!reader.TryReadQuestion(name, out var length, out var question) || !question.IsInternet || question.Type == 0 || !IsName(name[..length]))
            return false;
        for (var i = 0; i < header.Records; i++)
        {
            if (!reader.TryReadRecord(out _, out _))
                return false;
        }

        return reader.Offset == message.Length;
    }

    private static bool IsName(ReadOnlySpan<byte> name) => name.Length >= MinimumName && !name.Contains((byte)'?');
}
