using System.Buffers.Binary;
using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Sessions;

/// <summary>Tabular Data Stream of Microsoft SQL Server (MS-TDS): PRELOGIN of both sides. A connection that is met later is named, and passed over.</summary>
public sealed class TdsSession : DatabaseSession
{
    private const int HeaderSize = 8;
    private const byte PreLogin = 0x12;
    private const byte TabularResult = 0x04;
    private const byte Batch = 0x01;
    private const byte Call = 0x03;

    private bool _hasPreLogin;

    public override ApplicationProtocol Protocol => ApplicationProtocol.Tds;

    /// <summary>A PRELOGIN packet (2.2.6.5) whose first option is the version; or a batch or a call whose first header is a transaction's (2.2.5.3), which older versions do not have.</summary>
    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty)
            return ProbeResult.Unsure;
        if (data[0] is Batch or Call or TabularResult)
            return ProbeLater(data);
        if (data[0] != PreLogin || (data.Length > 1 && data[1] != 1))
            return ProbeResult.NotForUs;
        if (data.Length < HeaderSize + 5)
            return ProbeResult.Unsure;
        var length = BinaryPrimitives.ReadUInt16BigEndian(data[2..]);
        return length is > 20 and < 1024 && data[8] == 0 && data[9] == 0 && BinaryPrimitives.ReadUInt16BigEndian(data[11..]) == 6 ? ProbeResult.Certain : ProbeResult.NotForUs;
    }

    public override void Reset()
    {
        base.Reset();
        _hasPreLogin = false;
    }

    private static ProbeResult ProbeLater(ReadOnlySpan<byte> data)
    {
        // Behind the length of all headers: length of the first one, and its type.
        ReadOnlySpan<byte> transaction = [0x12, 0, 0, 0, 2, 0];
        const int headers = HeaderSize + 4;
        if ((data.Length > 1 && data[1] is not (0 or 1 or 4 or 5 or 8 or 9)) || (data.Length > 7 && data[7] != 0))
            return ProbeResult.NotForUs;
        if (data.Length < HeaderSize)
            return ProbeResult.Unsure;
        var length = BinaryPrimitives.ReadUInt16BigEndian(data[2..]);
        if (length <= HeaderSize)
            return ProbeResult.NotForUs;
        if (data[0] == TabularResult || length < headers + transaction.Length)
            return ProbeResult.Likely;
        var there = Math.Clamp(data.Length - headers, 0, transaction.Length);
        if (there > 0 && !data.Slice(headers, there).SequenceEqual(transaction[..there]))
            return ProbeResult.Likely;
        return there < transaction.Length ? ProbeResult.Unsure : ProbeResult.Certain;
    }

    protected override StreamProgress OnMessage(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (data.Length < HeaderSize)
            return new StreamProgress(0, HeaderSize);
        int total = BinaryPrimitives.ReadUInt16BigEndian(data[2..]);
        if (total < HeaderSize)
            return default;
        _hasPreLogin |= data[0] == PreLogin;
        if (!_hasPreLogin)
            PassOver();
        var head = Math.Min(total, MaximumHeadBytes);
        if (data.Length < head)
            return new StreamProgress(0, head);
        if (direction == FlowDirection.FromResponder && data[0] == TabularResult && _hasPreLogin)
        {
            ReadOptions(context, data[HeaderSize..head]);
            Tell(context);
        }

        return new StreamProgress(0, 0, total);
    }

    private void ReadOptions(SessionContext context, ReadOnlySpan<byte> options)
    {
        const byte Terminator = 0xFF;
        const byte Version = 0;
        const byte Encryption = 1;
        for (var at = 0; at + 5 <= options.Length && options[at] != Terminator; at += 5)
        {
            int offset = BinaryPrimitives.ReadUInt16BigEndian(options[(at + 1)..]);
            int length = BinaryPrimitives.ReadUInt16BigEndian(options[(at + 3)..]);
            if (offset + length > options.Length)
                return;
            var value = options.Slice(offset, length);
            if (options[at] == Version && length >= 4)
            {
                ServerVersion = SmbText.Version(context, default, value[0], value[1], BinaryPrimitives.ReadUInt16BigEndian(value[2..]));
            }
            else if (options[at] == Encryption && length >= 1)
            {
                // 1 = on, 3 = required (2.2.6.5); with 0 only the log-in is encrypted.
                IsEncrypted = value[0] is 1 or 3;
            }
        }
    }
}

/// <summary>Oracle's Transparent Network Substrate: the connect packet and its answer.</summary>
public sealed class OracleSession : DatabaseSession
{
    private const int HeaderSize = 8;
    private const byte Connect = 1;

    public override ApplicationProtocol Protocol => ApplicationProtocol.OracleTns;

    /// <summary>A connect packet with a description in brackets.</summary>
    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (direction == FlowDirection.FromResponder)
            return ProbeResult.NotForUs;
        if (data.Length < 5)
            return ProbeResult.Unsure;
        var length = BinaryPrimitives.ReadUInt16BigEndian(data);
        if (length is < 58 or > 4096 || (data[2] | data[3]) != 0 || data[4] != Connect)
            return ProbeResult.NotForUs;
        if (data.Length < 58)
            return ProbeResult.Unsure;

        // Version 300 to 400, compatible with 300 or so.
        var version = BinaryPrimitives.ReadUInt16BigEndian(data[8..]);
        return version is >= 300 and < 400 && BinaryPrimitives.ReadUInt16BigEndian(data[10..]) is >= 200 and < 400 ? ProbeResult.Certain : ProbeResult.NotForUs;
    }

    protected override StreamProgress OnMessage(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (data.Length < HeaderSize)
            return new StreamProgress(0, HeaderSize);
        int total = BinaryPrimitives.ReadUInt16BigEndian(data);
        if (total < HeaderSize)
            return default;
        if (direction == FlowDirection.FromResponder)
        {
            // 2 accept, 4 refuse, 5 redirect, 11 resend.
            IsAccepted = data[4] == 2;
            IsRefused = data[4] == 4;
            if (data[4] is 2 or 4 or 5)
                Tell(context);
        }

        return new StreamProgress(0, 0, total);
    }
}
