using Google.Protobuf;

namespace IoTGuard.Learning.Onnx;

/// <summary>Writes the messages of onnx.proto that <see cref="OnnxReader"/> reads.</summary>
internal static class OnnxWriter
{
    public static byte[] Write(OnnxModel model) => Message(output =>
    {
        Int(output, 1, model.IrVersion);
        Text(output, 2, model.Producer);
        Text(output, 3, model.ProducerVersion);
        Nested(output, 7, graph => WriteGraph(graph, model.Graph));
        foreach (var opset in model.Opsets)
        {
            Nested(output, 8, o =>
            {
                Text(o, 1, opset.Domain);
                Int(o, 2, opset.Version);
            });
        }

        foreach (var (key, value) in model.Metadata)
        {
            Nested(output, 14, o =>
            {
                Text(o, 1, key);
                Text(o, 2, value);
            });
        }
    });

    private static void WriteGraph(CodedOutputStream output, OnnxGraph graph)
    {
        foreach (var node in graph.Nodes)
            Nested(output, 1, o => WriteNode(o, node));
        Text(output, 2, graph.Name);
        foreach (var tensor in graph.Initializers)
            Nested(output, 5, o => WriteTensor(o, tensor));
        foreach (var input in graph.Inputs)
            Nested(output, 11, o => WriteValueInfo(o, input));
        foreach (var result in graph.Outputs)
            Nested(output, 12, o => WriteValueInfo(o, result));
        foreach (var value in graph.Intermediates)
            Nested(output, 13, o => WriteValueInfo(o, value));
    }

    private static void WriteNode(CodedOutputStream output, OnnxNode node)
    {
        foreach (var input in node.Inputs)
            Text(output, 1, input);
        foreach (var result in node.Outputs)
            Text(output, 2, result);
        Text(output, 3, node.Name);
        Text(output, 4, node.OpType);
        foreach (var attribute in node.Attributes)
            Nested(output, 5, o => WriteAttribute(o, attribute));
        Text(output, 7, node.Domain);
    }

    private static void WriteAttribute(CodedOutputStream output, OnnxAttributeValue attribute)
    {
        Text(output, 1, attribute.Name);
        switch (attribute.Type)
        {
            case OnnxAttributeType.Float:
                output.WriteTag(2, WireFormat.WireType.Fixed32);
                output.WriteFloat(attribute.Float);
                break;
            case OnnxAttributeType.Int: Int(output, 3, attribute.Int); break;
            case OnnxAttributeType.String: Text(output, 4, attribute.String); break;
            case OnnxAttributeType.Tensor when attribute.Tensor is not null:
                Nested(output, 5, o => WriteTensor(o, attribute.Tensor));
                break;
            case OnnxAttributeType.Floats: Floats(output, 7, attribute.Floats); break;
            case OnnxAttributeType.Ints: Ints(output, 8, attribute.Ints); break;
            case OnnxAttributeType.Strings:
                foreach (var text in attribute.Strings)
                    Text(output, 9, text);
                break;
        }

        Int(output, 20, (int)attribute.Type);
    }

    private static void WriteTensor(CodedOutputStream output, OnnxTensor tensor)
    {
        Ints(output, 1, tensor.Dimensions);
        Int(output, 2, (int)tensor.ElementType);
        switch (tensor.ElementType)
        {
            case OnnxElementType.Int64: Ints(output, 7, tensor.Values.Select(v => (long)v)); break;
            case OnnxElementType.Int32 or OnnxElementType.Bool: Ints(output, 5, tensor.Values.Select(v => (long)v)); break;
            case OnnxElementType.Double:
                Nested(output, 10, o =>
                {
                    foreach (var value in tensor.Values)
                        o.WriteDouble(value);
                });
                break;
            default: Floats(output, 4, tensor.Values); break;
        }

        Text(output, 8, tensor.Name);
    }

    private static void WriteValueInfo(CodedOutputStream output, OnnxValueInfo value)
    {
        Text(output, 1, value.Name);
        Nested(output, 2, type => Nested(type, 1, tensor =>
        {
            Int(tensor, 1, (int)value.ElementType);
            Nested(tensor, 2, shape =>
            {
                foreach (var dimension in value.Dimensions)
                {
                    Nested(shape, 1, o =>
                    {
                        if (dimension < 0)
                            Text(o, 2, "N");
                        else
                            Int(o, 1, dimension);
                    });
                }
            });
        }));
    }

    private static byte[] Message(Action<CodedOutputStream> write)
    {
        using var bytes = new MemoryStream();
        using (var output = new CodedOutputStream(bytes, leaveOpen: true))
            write(output);
        return bytes.ToArray();
    }

    private static void Nested(CodedOutputStream output, int field, Action<CodedOutputStream> write)
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(UnsafeByteOperations.UnsafeWrap(Message(write)));
    }

    private static void Text(CodedOutputStream output, int field, string value)
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteString(value);
    }

    private static void Int(CodedOutputStream output, int field, long value)
    {
        output.WriteTag(field, WireFormat.WireType.Varint);
        output.WriteInt64(value);
    }

    private static void Ints(CodedOutputStream output, int field, IEnumerable<long> values) => Nested(output, field, o =>
    {
        foreach (var value in values)
            o.WriteInt64(value);
    });

    private static void Floats(CodedOutputStream output, int field, float[] values) => Nested(output, field, o =>
    {
        foreach (var value in values)
            o.WriteFloat(value);
    });
}
