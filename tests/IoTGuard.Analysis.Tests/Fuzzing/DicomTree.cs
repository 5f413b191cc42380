using System.Buffers.Binary;

namespace IoTGuard.Analysis.Tests.Fuzzing;

/// <summary>What a side of an association sent, as PDUs (PS3.8, 9.3) with their items, values and command elements.</summary>
internal static class DicomTree
{
    private const int PduHeader = 6;
    private const int AssociateFixed = 68;
    private const byte DataTransfer = 4;

    public static SizedNode Read(ReadOnlySpan<byte> bytes)
    {
        var root = new SizedNode([], LengthField.None);
        while (bytes.Length >= PduHeader)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(bytes[2..]);
            if (length > bytes.Length - PduHeader)
                break;
            var pdu = new SizedNode(bytes[..2].ToArray(), new LengthField(4, BigEndian: true));
            ReadPdu(pdu, bytes[0], bytes.Slice(PduHeader, (int)length));
            root.Children.Add(pdu);
            bytes = bytes[(PduHeader + (int)length)..];
        }

        if (!bytes.IsEmpty)
            root.Children.Add(new SizedNode([], LengthField.None) { Content = bytes.ToArray() });
        return root;
    }

    private static void ReadPdu(SizedNode pdu, byte type, ReadOnlySpan<byte> body)
    {
        if (type is 1 or 2 && body.Length >= AssociateFixed)
        {
            pdu.Content = body[..AssociateFixed].ToArray();
            ReadItems(pdu, body[AssociateFixed..]);
        }
        else if (type == DataTransfer)
        {
            ReadValues(pdu, body);
        }
        else
        {
            pdu.Content = body.ToArray();
        }
    }

    /// <summary>Items of an association: type, reserved, length in 16 bits. Contexts begin with four bytes, user information with none.</summary>
    private static void ReadItems(SizedNode parent, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= 4)
        {
            int length = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
            if (length > bytes.Length - 4)
                break;
            var item = new SizedNode(bytes[..2].ToArray(), new LengthField(2, BigEndian: true));
            var body = bytes.Slice(4, length);
            var start = bytes[0] is 0x20 or 0x21 ? 4 : bytes[0] == 0x50 ? 0 : length;
            if (start < length)
            {
                item.Content = body[..start].ToArray();
                ReadItems(item, body[start..]);
            }
            else
            {
                item.Content = body.ToArray();
            }

            parent.Children.Add(item);
            bytes = bytes[(4 + length)..];
        }
    }

    /// <summary>Presentation data values; those with a command as elements in implicit little endian (PS3.7, 6.3.1).</summary>
    private static void ReadValues(SizedNode pdu, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= 6)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(bytes);
            if (length > bytes.Length - 4 || length < 2)
                break;
            var value = new SizedNode([], new LengthField(4, BigEndian: true)) { Content = bytes.Slice(4, 2).ToArray() };
            var data = bytes.Slice(6, (int)length - 2);
            ReadElements(value, data);
            pdu.Children.Add(value);
            bytes = bytes[(4 + (int)length)..];
        }
    }

    private static void ReadElements(SizedNode value, ReadOnlySpan<byte> data)
    {
        while (data.Length >= 8)
        {
            var length = BinaryPrimitives.ReadUInt32LittleEndian(data[4..]);
            if (length > data.Length - 8)
                break;
            value.Children.Add(new SizedNode(data[..4].ToArray(), new LengthField(4, BigEndian: false)) { Content = data.Slice(8, (int)length).ToArray() });
            data = data[(8 + (int)length)..];
        }

        if (!data.IsEmpty)
            value.Children.Add(new SizedNode([], LengthField.None) { Content = data.ToArray() });
    }
}
