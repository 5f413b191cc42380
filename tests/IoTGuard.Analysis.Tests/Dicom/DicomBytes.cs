using System.Buffers.Binary;
using System.Text;

namespace IoTGuard.Analysis.Tests.Dicom;

/// <summary>Builds PDUs, command sets and data sets, byte for byte after PS3.8 and PS3.7.</summary>
internal static class DicomBytes
{
    public const string ImplicitLittle = "1.2.840.10008.1.2";
    public const string ExplicitLittle = "1.2.840.10008.1.2.1";
    public const string ExplicitBig = "1.2.840.10008.1.2.2";
    public const string Deflated = "1.2.840.10008.1.2.1.99";
    public const string Verification = "1.2.840.10008.1.1";
    public const string CtImage = "1.2.840.10008.5.1.4.1.1.2";
    public const string StudyRootFind = "1.2.840.10008.5.1.4.1.2.2.1";
    public const string StudyRootMove = "1.2.840.10008.5.1.4.1.2.2.2";
    public const string StudyRootGet = "1.2.840.10008.5.1.4.1.2.2.3";

    public static byte[] Join(params byte[][] parts) => [.. parts.SelectMany(p => p)];

    public static byte[] Ascii(string text) => Encoding.Latin1.GetBytes(text);

    public static byte[] Pdu(byte type, params byte[][] body)
    {
        var joined = Join(body);
        var header = new byte[6];
        header[0] = type;
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(2), (uint)joined.Length);
        return Join(header, joined);
    }

    public static byte[] Item(byte type, params byte[][] body)
    {
        var joined = Join(body);
        return Join([type, 0, (byte)(joined.Length >> 8), (byte)joined.Length], joined);
    }

    public static byte[] Counted(string text) => Join([(byte)(text.Length >> 8), (byte)text.Length], Ascii(text));

    public static byte[] UInt32Big(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }

    public static byte[] UserInformation(uint maximum = 16384, string implementation = "1.2.3.4", string version = "TEST_1", params byte[][] more) => Item(
        0x50,
        [Item(0x51, UInt32Big(maximum)), Item(0x52, Ascii(implementation)), Item(0x55, Ascii(version)), .. more]);

    public static byte[] ProposedContext(byte id, string abstractSyntax, params string[] transferSyntaxes) =>
        Item(0x20, [[id, 0, 0, 0], Item(0x30, Ascii(abstractSyntax)), .. transferSyntaxes.Select(t => Item(0x40, Ascii(t)))]);

    public static byte[] AnsweredContext(byte id, byte result, string transferSyntax) =>
        Item(0x21, [id, 0, result, 0], Item(0x40, Ascii(transferSyntax)));

    public static byte[] Associate(byte type, string called, string calling, params byte[][] items) => Pdu(
        type,
        [[0, 1, 0, 0], Ascii(called.PadRight(16)[..16]), Ascii(calling.PadRight(16)[..16]), new byte[32], Item(0x10, Ascii("1.2.840.10008.3.1.1.1")), .. items]);

    public static byte[] Request(params byte[][] contexts) => Associate(1, "PACS", "MODALITY", [.. contexts, UserInformation()]);

    public static byte[] Accept(params byte[][] contexts) => Associate(2, "PACS", "MODALITY", [.. contexts, UserInformation(65536, "1.2.3.5", "PACS_2")]);

    public static byte[] Reject(byte result, byte source, byte reason) => Pdu(3, [0, result, source, reason]);

    public static byte[] ReleaseRequest() => Pdu(5, new byte[4]);

    public static byte[] ReleaseResponse() => Pdu(6, new byte[4]);

    public static byte[] Abort(byte source, byte reason) => Pdu(7, [0, 0, source, reason]);

    public static byte[] Pdv(byte contextId, byte control, byte[] fragment) => Join(UInt32Big((uint)fragment.Length + 2), [contextId, control], fragment);

    public static byte[] Data(params byte[][] values) => Pdu(4, values);

    /// <summary>One PDU with the whole command set.</summary>
    public static byte[] Command(byte contextId, params byte[][] elements) => Data(Pdv(contextId, 3, CommandSet(elements)));

    public static byte[] CommandSet(params byte[][] elements)
    {
        var joined = Join(elements);
        var length = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(length, (uint)joined.Length);
        return Join(Implicit(0x0000_0000, length), joined);
    }

    /// <summary>A data set in PDUs of one value each.</summary>
    public static byte[] DataSet(byte contextId, byte[] dataSet, int fragment = 1 << 20)
    {
        var parts = new List<byte[]>();
        for (var at = 0; at < dataSet.Length; at += fragment)
        {
            var length = Math.Min(fragment, dataSet.Length - at);
            parts.Add(Data(Pdv(contextId, (byte)(at + length == dataSet.Length ? 2 : 0), dataSet[at..(at + length)])));
        }

        return Join([.. parts]);
    }

    public static byte[] Implicit(uint tag, byte[] value)
    {
        var header = new byte[8];
        WriteTag(header, tag);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(4), (uint)value.Length);
        return Join(header, value);
    }

    public static byte[] Implicit(uint tag, string value) => Implicit(tag, Even(value));

    public static byte[] Implicit(uint tag, ushort value) => Implicit(tag, [(byte)value, (byte)(value >> 8)]);

    public static byte[] Explicit(uint tag, string vr, byte[] value)
    {
        var isLong = vr is "OB" or "OW" or "OF" or "SQ" or "UT" or "UN" or "UC" or "UR";
        var header = new byte[isLong ? 12 : 8];
        WriteTag(header, tag);
        Ascii(vr).CopyTo(header, 4);
        if (isLong)
            BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(8), (uint)value.Length);
        else
            BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(6), (ushort)value.Length);
        return Join(header, value);
    }

    public static byte[] Explicit(uint tag, string vr, string value) => Explicit(tag, vr, Even(value));

    public static byte[] Explicit(uint tag, ushort value) => Explicit(tag, "US", [(byte)value, (byte)(value >> 8)]);

    public static byte[] Even(string value) => Ascii(value.Length % 2 == 0 ? value : value + ' ');

    public static byte[] EchoRequest(ushort id, byte contextId = 1) => Command(
        contextId, Implicit(0x0002, Verification), Implicit(0x0100, (ushort)0x0030), Implicit(0x0110, id), Implicit(0x0800, (ushort)0x0101));

    public static byte[] EchoResponse(ushort id, ushort status = 0, byte contextId = 1) => Command(
        contextId, Implicit(0x0002, Verification), Implicit(0x0100, (ushort)0x8030), Implicit(0x0120, id), Implicit(0x0800, (ushort)0x0101), Implicit(0x0900, status));

    public static byte[] StoreRequest(ushort id, string instance, byte contextId = 3) => Command(
        contextId,
        Implicit(0x0002, CtImage),
        Implicit(0x0100, (ushort)0x0001),
        Implicit(0x0110, id),
        Implicit(0x0700, (ushort)0),
        Implicit(0x0800, (ushort)0),
        Implicit(0x1000, instance));

    public static byte[] StoreResponse(ushort id, ushort status, byte contextId = 3) => Command(
        contextId, Implicit(0x0002, CtImage), Implicit(0x0100, (ushort)0x8001), Implicit(0x0120, id), Implicit(0x0800, (ushort)0x0101), Implicit(0x0900, status));

    private static void WriteTag(Span<byte> bytes, uint tag)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)(tag >> 16));
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[2..], (ushort)tag);
    }
}
