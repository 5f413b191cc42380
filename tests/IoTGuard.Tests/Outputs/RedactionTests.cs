using System.Buffers.Binary;
using System.Text;
using IoTGuard.Outputs.Packets.Redaction;

namespace IoTGuard.Tests.Outputs;

/// <summary>Redaction of streams split at every offset, met in the middle, behind gaps, and of the Internet checksum.</summary>
public sealed class RedactionTests
{
    private const string Hl7 = "\u000BMSH|^~\\&|LAB|HOSP|EHR|HOSP|20260102||ORU^R01|4711|P|2.5\rPID|1||PAT-778899^^^HOSP||Musterfrau^Erika^^^||19700809|F\rMSA|AA|4711\rOBX|1|TX|code||Pneumonia suspected\r\u001C\r";

    private static byte[] Dicom()
    {
        var bytes = new List<byte>();
        var associate = new byte[68 + 4 + 4 + 10];
        associate[1] = 1;
        associate[68] = 0x50;
        associate[71] = 14;
        associate[72] = 0x58;
        associate[75] = 10;
        "SECRETuser"u8.CopyTo(associate.AsSpan(76));
        Pdu(1, associate);
        byte[] command = [.. Element(0, 0x0100, "\u0001\0"), .. Element(0, 0x1000, "1.2.840.99.SECRET1\0")];
        Pdu(4, Pdv(3, command));
        byte[] implicitSet =
        [
            .. Element(0x0008, 0x0016, "1.2.840.10008.5.1.4.1.1.2\0"), .. Element(0x0010, 0x0010, "SECRET^NAME "),
            .. Element(0x0008, 0x1140, Encoding.Latin1.GetString([.. Tag(0xFFFE, 0xE000), 26, 0, 0, 0, .. Element(0x0008, 0x1155, "SECRET 1.2.3.4.5.6")])),
            .. Element(0x7FE0, 0x0010, "SECRETPIXELS"),
        ];
        Pdu(4, Pdv(0, implicitSet[..37]));
        Pdu(4, Pdv(2, implicitSet[37..]));
        Pdu(5, [0, 0, 0, 0]);
        return [.. bytes];

        void Pdu(byte type, byte[] body)
        {
            bytes.Add(type);
            bytes.Add(0);
            var length = new byte[4];
            BinaryPrimitives.WriteInt32BigEndian(length, body.Length);
            bytes.AddRange(length);
            bytes.AddRange(body);
        }

        static byte[] Pdv(byte control, byte[] content)
        {
            var pdv = new byte[6 + content.Length];
            BinaryPrimitives.WriteInt32BigEndian(pdv, content.Length + 2);
            pdv[4] = 1;
            pdv[5] = control;
            content.CopyTo(pdv, 6);
            return pdv;
        }

        static byte[] Tag(ushort group, ushort element) => [(byte)group, (byte)(group >> 8), (byte)element, (byte)(element >> 8)];

        static byte[] Element(ushort group, ushort element, string value) =>
            [.. Tag(group, element), (byte)value.Length, (byte)(value.Length >> 8), 0, 0, .. Encoding.Latin1.GetBytes(value)];
    }

    private static byte[] Redacted(byte[] stream, params int[] cuts)
    {
        var redactor = new StreamRedactor();
        var copy = stream.ToArray();
        redactor.Redact([], 99, isStart: true);
        var at = 0;
        foreach (var cut in cuts.Append(stream.Length))
        {
            redactor.Redact(copy.AsSpan(at, cut - at), (uint)(100 + at), isStart: false);
            at = cut;
        }

        return copy;
    }

    [Fact]
    public void Hl7_keeps_its_shape_and_header_and_loses_its_fields()
    {
        var text = Encoding.ASCII.GetString(Redacted(Encoding.ASCII.GetBytes(Hl7)));
        Assert.Equal(
            "\u000BMSH|^~\\&|LAB|HOSP|EHR|HOSP|20260102||ORU^R01|4711|P|2.5\rPID|X||XXXXXXXXXX^^^XXXX||XXXXXXXXXX^XXXXX^^^||XXXXXXXX|X\rMSA|AA|4711\rOBX|X|XX|XXXX||XXXXXXXXXXXXXXXXXXX\r\u001C\r",
            text);
    }

    [Fact]
    public void Dicom_keeps_headers_tags_and_lengths()
    {
        var plain = Dicom();
        var blanked = Redacted(plain);
        Assert.DoesNotContain("SECRET", Encoding.Latin1.GetString(blanked), StringComparison.Ordinal);
        // Every element header is still there: the bytes that changed are those of values.
        var text = Encoding.Latin1.GetString(plain);
        foreach (var value in new[] { "SECRETuser", "1.2.840.99.SECRET1\0", "1.2.840.10008.5.1.4.1.1.2\0", "SECRET^NAME ", "SECRET 1.2.3.4.5.6", "SECRETPIXELS" })
        {
            var at = text.IndexOf(value, StringComparison.Ordinal);
            for (var i = at; i < at + value.Length; i++)
            {
                Assert.Equal(0, blanked[i]);
                plain[i] = 0;
            }
        }

        Assert.Equal(plain, blanked);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Wherever_a_stream_is_split_nothing_is_told(bool isDicom)
    {
        var stream = isDicom ? Dicom() : Encoding.ASCII.GetBytes(Hl7);
        string[] secrets = isDicom ? ["SECRET"] : ["Musterfrau", "Erika", "778899", "Pneumonia", "19700809"];
        for (var cut = 0; cut <= stream.Length; cut++)
            NothingIsTold(Redacted(stream, cut), secrets, cut);
        NothingIsTold(Redacted(stream, [.. Enumerable.Range(1, stream.Length - 1)]), secrets, -1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Met_anywhere_or_behind_a_gap_nothing_is_told(bool isDicom)
    {
        var stream = isDicom ? Dicom() : Encoding.ASCII.GetBytes(Hl7);
        string[] secrets = isDicom ? ["SECRET"] : ["Musterfrau", "Erika", "778899", "Pneumonia", "19700809"];
        for (var start = 1; start < stream.Length; start++)
        {
            var met = stream[start..];
            new StreamRedactor().Redact(met, 1000, isStart: false);
            NothingIsTold(met, secrets, start);

            var copy = stream.ToArray();
            var redactor = new StreamRedactor();
            redactor.Redact(copy.AsSpan(0, start), 1000, isStart: false);
            var behind = copy.AsSpan(Math.Min(start + 7, copy.Length));
            redactor.Redact(behind, (uint)(1000 + start + 7), isStart: false);
            NothingIsTold(behind.ToArray(), secrets, start);
        }
    }

    [Fact]
    public void A_copy_of_a_segment_becomes_the_same_and_another_one_in_its_place_is_blanked()
    {
        var redactor = new StreamRedactor();
        var first = Encoding.ASCII.GetBytes(Hl7);
        var copy = first.ToArray();
        var other = Encoding.ASCII.GetBytes(Hl7.Replace("Erika", "Heidi", StringComparison.Ordinal));
        redactor.Redact(first, 5, isStart: false);
        redactor.Redact(copy, 5, isStart: false);
        redactor.Redact(other, 5, isStart: false);
        Assert.Equal(first, copy);
        Assert.All(other, b => Assert.Equal(0, b));
    }

    [Fact]
    public void Checksums_stay_right_when_bytes_change()
    {
        var random = new Random(7);
        for (var round = 0; round < 2000; round++)
        {
            var before = new byte[random.Next(0, 40)];
            random.NextBytes(before);
            var after = before.Select(b => random.Next(2) == 0 ? b : (byte)0).ToArray();
            var checksum = new byte[2];
            BinaryPrimitives.WriteUInt16BigEndian(checksum, Of(before));
            Checksum.Adjust(checksum, before, after, isUdp: false);
            var (got, wanted) = (BinaryPrimitives.ReadUInt16BigEndian(checksum), Of(after));
            Assert.True(got == wanted || (got | wanted) == 0xFFFF && (got & wanted) == 0, $"{got:x} {wanted:x}");
        }

        static ushort Of(byte[] bytes)
        {
            // A pseudo header with something in it keeps the sum from being zero.
            uint sum = 0x1234;
            for (var i = 0; i < bytes.Length; i += 2)
                sum += (uint)((bytes[i] << 8) | (i + 1 < bytes.Length ? bytes[i + 1] : 0));
            while (sum > 0xFFFF)
                sum = (sum & 0xFFFF) + (sum >> 16);
            return (ushort)~sum;
        }
    }

    private static void NothingIsTold(byte[] bytes, string[] secrets, int cut)
    {
        var text = Encoding.Latin1.GetString(bytes);
        foreach (var secret in secrets)
            Assert.False(text.Contains(secret, StringComparison.Ordinal), $"{secret} is told when cut at {cut}");
    }
}
