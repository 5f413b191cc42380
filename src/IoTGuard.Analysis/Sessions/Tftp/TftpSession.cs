using System.Buffers.Binary;
using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Sessions;

/// <summary>What a TFTP request says.</summary>
public struct TftpFacts
{
    public bool IsWrite;

    /// <summary>The file's ending, at most ten characters; null without.</summary>
    public string? Extension;

    /// <summary>Bytes of the file's name.</summary>
    public int NameLength;
    public bool IsAscii;
}

/// <summary>A file is read or written by TFTP. Its blocks travel between other ports.</summary>
public sealed class TftpTransaction : FactTransaction<TftpFacts>
{
    public override string Protocol => "tftp";

    public override string EventName => Facts.IsWrite ? "write" : "read";

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        writer.Text("extension", Facts.Extension);
        writer.Number("name_length", Facts.NameLength);
        writer.Text("mode", Facts.IsAscii ? "netascii" : "octet");
    }
}

/// <summary>TFTP requests (RFC 1350). Of the file's name only its ending is told.</summary>
public sealed class TftpSession : DatagramSession
{
    private const int MaximumExtension = 10;
    private const int MaximumName = 255;

    public override ApplicationProtocol Protocol => ApplicationProtocol.Tftp;

    /// <summary>A request names one of three modes after the file.</summary>
    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data) =>
        TryReadRequest(data, out _, out _, out _) ? ProbeResult.Certain : ProbeResult.NotForUs;

    public override void OnDatagram(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data, int cut)
    {
        if (!TryReadRequest(data, out var isWrite, out var name, out var isAscii))
            return;
        context.Flow.Counters.Requests++;
        var transaction = context.Begin<TftpTransaction>(direction);
        ref var facts = ref transaction.Facts;
        facts.IsWrite = isWrite;
        facts.IsAscii = isAscii;
        facts.NameLength = name.Length;
        var dot = name.LastIndexOf((byte)'.');
        if (dot >= 0 && name.Length - dot - 1 is > 0 and <= MaximumExtension)
            facts.Extension = context.Texts.Of(name[(dot + 1)..]);
        transaction.Bytes = data.Length + cut;
        context.Emit(transaction);
    }

    public override void OnEnd(SessionContext context)
    {
    }

    public override void Reset()
    {
    }

    private static bool TryReadRequest(ReadOnlySpan<byte> data, out bool isWrite, out ReadOnlySpan<byte> name, out bool isAscii)
    {
        isWrite = isAscii = false;
        name = default;
        if (data.Length < 9 || data[0] != 0 || data[1] is not (1 or 2))
            return false;
        isWrite = BinaryPrimitives.ReadUInt16BigEndian(data) == 2;
        data = data[2..];
        var end = data.IndexOf((byte)0);
        if (end is <= 0 or > MaximumName)
            return false;
        name = data[..end];
        if (name.ContainsAnyInRange((byte)0, (byte)31))
            return false;
        data = data[(end + 1)..];
        end = data.IndexOf((byte)0);
        if (end <= 0)
            return false;
        isAscii = System.Text.Ascii.EqualsIgnoreCase(data[..end], "netascii"u8);
        return isAscii || System.Text.Ascii.EqualsIgnoreCase(data[..end], "octet"u8) || System.Text.Ascii.EqualsIgnoreCase(data[..end], "mail"u8);
    }
}
