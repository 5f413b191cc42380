using System.Buffers.Binary;
using Google.Protobuf;

namespace IoTGuard.Learning.Onnx;

/// <summary>
/// Reads the few messages of onnx.proto that <see cref="OnnxModel"/> holds. Messages nest by this file's functions only, so depth
/// is bounded; lists are bounded by <see cref="OnnxLimits"/>; all other fields are skipped.
/// </summary>
internal static class OnnxReader
{
    public static OnnxModel Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > OnnxLimits.MaxModelBytes)
            throw ModelException.TooLarge("bytes", bytes.Length, OnnxLimits.MaxModelBytes);
        if (bytes.IsEmpty)
            throw ModelException.Damaged("the file is empty");
        try
        {
            return ReadModel(new CodedInputStream(bytes.ToArray()));
        }
        catch (InvalidProtocolBufferException e)
        {
            throw ModelException.Damaged($"not an ONNX file ({e.Message})", e);
        }
    }

    private static OnnxModel ReadModel(CodedInputStream input)
    {
        long irVersion = 0;
        string producer = "", producerVersion = "";
        var opsets = new List<OnnxOpset>();
        var metadata = new List<KeyValuePair<string, string>>();
        OnnxGraph? graph = null;
        for (uint tag; (tag = input.ReadTag()) != 0;)
        {
            switch (tag)
            {
                case Varint | (1 << 3): irVersion = input.ReadInt64(); break;
                case Bytes | (2 << 3): producer = input.ReadString(); break;
                case Bytes | (3 << 3): producerVersion = input.ReadString(); break;
                case Bytes | (7 << 3):
                    if (graph is not null)
                        throw ModelException.Damaged("two graphs");
                    graph = ReadGraph(Message(input));
                    break;
                case Bytes | (8 << 3): Add(opsets, ReadOpset(Message(input)), OnnxLimits.MaxMetadata, "operator sets"); break;
                case Bytes | (14 << 3): Add(metadata, ReadProperty(Message(input)), OnnxLimits.MaxMetadata, "metadata entries"); break;
                default: input.SkipLastField(); break;
            }
        }

        if (graph is null)
            throw ModelException.Damaged("no graph");
        return new OnnxModel(irVersion, producer, producerVersion, opsets, graph, metadata);
    }

    private static OnnxOpset ReadOpset(CodedInputStream input)
    {
        var domain = "";
        long version = 0;
        for (uint tag; (tag = input.ReadTag()) != 0;)
        {
            switch (tag)
            {
                case Bytes | (1 << 3): domain = input.ReadString(); break;
                case Varint | (2 << 3): version = input.ReadInt64(); break;
                default: input.SkipLastField(); break;
            }
        }

        return new OnnxOpset(domain, version);
    }

    private static KeyValuePair<string, string> ReadProperty(CodedInputStream input)
    {
        string key = "", value = "";
        for (uint tag; (tag = input.ReadTag()) != 0;)
        {
            switch (tag)
            {
                case Bytes | (1 << 3): key = input.ReadString(); break;
                case Bytes | (2 << 3): value = input.ReadString(); break;
                default: input.SkipLastField(); break;
            }
        }

        return new(key, value);
    }

    private static OnnxGraph ReadGraph(CodedInputStream input)
    {
        var name = "";
        var nodes = new List<OnnxNode>();
        var initializers = new List<OnnxTensor>();
        var inputs = new List<OnnxValueInfo>();
        var outputs = new List<OnnxValueInfo>();
        var intermediates = new List<OnnxValueInfo>();
        for (uint tag; (tag = input.ReadTag()) != 0;)
        {
            switch (tag)
            {
                case Bytes | (1 << 3): Add(nodes, ReadNode(Message(input)), OnnxLimits.MaxGraphNodes, "graph nodes"); break;
                case Bytes | (2 << 3): name = input.ReadString(); break;
                case Bytes | (5 << 3): Add(initializers, ReadTensor(Message(input)), OnnxLimits.MaxGraphValues, "initializers"); break;
                case Bytes | (11 << 3): Add(inputs, ReadValueInfo(Message(input)), OnnxLimits.MaxGraphValues, "inputs"); break;
                case Bytes | (12 << 3): Add(outputs, ReadValueInfo(Message(input)), OnnxLimits.MaxGraphValues, "outputs"); break;
                case Bytes | (13 << 3): Add(intermediates, ReadValueInfo(Message(input)), OnnxLimits.MaxGraphValues, "value types"); break;
                default: input.SkipLastField(); break;
            }
        }

        return new OnnxGraph(name, nodes, initializers, inputs, outputs, intermediates);
    }

    private static OnnxNode ReadNode(CodedInputStream input)
    {
        string opType = "", domain = "", name = "";
        var inputs = new List<string>();
        var outputs = new List<string>();
        var attributes = new List<OnnxAttributeValue>();
        for (uint tag; (tag = input.ReadTag()) != 0;)
        {
            switch (tag)
            {
                case Bytes | (1 << 3): Add(inputs, input.ReadString(), OnnxLimits.MaxGraphValues, "inputs of a node"); break;
                case Bytes | (2 << 3): Add(outputs, input.ReadString(), OnnxLimits.MaxGraphValues, "outputs of a node"); break;
                case Bytes | (3 << 3): name = input.ReadString(); break;
                case Bytes | (4 << 3): opType = input.ReadString(); break;
                case Bytes | (5 << 3): Add(attributes, ReadAttribute(Message(input)), OnnxLimits.MaxAttributes, "attributes of a node"); break;
                case Bytes | (7 << 3): domain = input.ReadString(); break;
                default: input.SkipLastField(); break;
            }
        }

        return new OnnxNode(opType, domain, name, inputs, outputs, attributes);
    }

    private static OnnxAttributeValue ReadAttribute(CodedInputStream input)
    {
        string name = "", text = "";
        var type = 0;
        float number = 0;
        long integer = 0;
        OnnxTensor? tensor = null;
        var floats = new List<float>();
        var ints = new List<long>();
        var strings = new List<string>();
        for (uint tag; (tag = input.ReadTag()) != 0;)
        {
            switch (tag)
            {
                case Bytes | (1 << 3): name = input.ReadString(); break;
                case Fixed32 | (2 << 3): number = input.ReadFloat(); break;
                case Varint | (3 << 3): integer = input.ReadInt64(); break;
                case Bytes | (4 << 3): text = input.ReadString(); break;
                case Bytes | (5 << 3): tensor = ReadTensor(Message(input)); break;
                case Varint | (20 << 3): type = input.ReadInt32(); break;
                case Bytes | (9 << 3): AddString(strings, input.ReadBytes()); break;
                default:
                    if (!TryReadFloats(tag, 7, input, floats) && !TryReadInts(tag, 8, input, ints))
                        input.SkipLastField();
                    break;
            }
        }

        return new OnnxAttributeValue(name, (OnnxAttributeType)type)
        {
            Float = number,
            Int = integer,
            String = text,
            Tensor = tensor,
            Floats = [.. floats],
            Ints = [.. ints],
            Strings = [.. strings],
        };
    }

    private static OnnxTensor ReadTensor(CodedInputStream input)
    {
        var name = "";
        var type = OnnxElementType.Undefined;
        var dimensions = new List<long>();
        var floats = new List<float>();
        var ints = new List<long>();
        var smallInts = new List<long>();
        ByteString? doubles = null, raw = null;
        for (uint tag; (tag = input.ReadTag()) != 0;)
        {
            switch (tag)
            {
                case Varint | (2 << 3): type = (OnnxElementType)input.ReadInt32(); break;
                case Bytes | (8 << 3): name = input.ReadString(); break;
                case Bytes | (9 << 3): raw = input.ReadBytes(); break;
                case Bytes | (10 << 3): doubles = input.ReadBytes(); break;
                case Varint | (14 << 3):
                    if (input.ReadInt32() != 0)
                        throw ModelException.Unsupported($"tensor '{name}' lies in another file");
                    break;
                default:
                    if (!TryReadInts(tag, 1, input, dimensions) && !TryReadFloats(tag, 4, input, floats) && !TryReadInts(tag, 5, input, smallInts) && !TryReadInts(tag, 7, input, ints))
                        input.SkipLastField();
                    break;
            }
        }

        if (dimensions.Count > OnnxLimits.MaxDimensions)
            throw ModelException.TooLarge($"dimensions of tensor '{name}'", dimensions.Count, OnnxLimits.MaxDimensions);
        float[] values = type switch
        {
            OnnxElementType.Float => raw is null ? [.. floats] : FromRaw(raw, 4, BinaryPrimitives.ReadSingleLittleEndian, name),
            OnnxElementType.Double => FromRaw(raw ?? doubles ?? ByteString.Empty, 8, b => (float)BinaryPrimitives.ReadDoubleLittleEndian(b), name),
            OnnxElementType.Int64 => raw is null ? [.. ints.Select(i => (float)i)] : FromRaw(raw, 8, b => BinaryPrimitives.ReadInt64LittleEndian(b), name),
            OnnxElementType.Int32 => raw is null ? [.. smallInts.Select(i => (float)(int)i)] : FromRaw(raw, 4, b => BinaryPrimitives.ReadInt32LittleEndian(b), name),
            OnnxElementType.Bool => raw is null ? [.. smallInts.Select(i => i == 0 ? 0f : 1f)] : FromRaw(raw, 1, b => b[0] == 0 ? 0 : 1, name),
            _ => throw ModelException.Unsupported($"tensor '{name}' has element type {(int)type}"),
        };
        long expected = 1;
        foreach (var dimension in dimensions)
        {
            if (dimension < 0 || (expected *= Math.Min(dimension, OnnxLimits.MaxListLength + 1)) > OnnxLimits.MaxListLength)
                throw ModelException.TooLarge($"a dimension of tensor '{name}'", dimension, OnnxLimits.MaxListLength);
        }

        if (expected != values.Length)
            throw ModelException.Damaged($"tensor '{name}' has {values.Length} elements, its dimensions say {expected}");
        return new OnnxTensor(name, dimensions, values) { ElementType = type };
    }

    private delegate float ElementReader(ReadOnlySpan<byte> bytes);

    private static float[] FromRaw(ByteString bytes, int size, ElementReader read, string name)
    {
        if (bytes.Length % size != 0)
            throw ModelException.Damaged($"tensor '{name}' has {bytes.Length} bytes for elements of {size}");
        var values = new float[bytes.Length / size];
        for (var i = 0; i < values.Length; i++)
            values[i] = read(bytes.Span.Slice(i * size, size));
        return values;
    }

    private static OnnxValueInfo ReadValueInfo(CodedInputStream input)
    {
        var name = "";
        var type = 0;
        var dimensions = new List<long>();
        for (uint tag; (tag = input.ReadTag()) != 0;)
        {
            switch (tag)
            {
                case Bytes | (1 << 3): name = input.ReadString(); break;
                case Bytes | (2 << 3): type = ReadType(Message(input), dimensions); break;
                default: input.SkipLastField(); break;
            }
        }

        return new OnnxValueInfo(name, (OnnxElementType)type, dimensions);
    }

    /// <summary>TypeProto → TypeProto.Tensor → TensorShapeProto.</summary>
    private static int ReadType(CodedInputStream input, List<long> dimensions)
    {
        var type = 0;
        for (uint tag; (tag = input.ReadTag()) != 0;)
        {
            if (tag != (Bytes | (1 << 3)))
            {
                input.SkipLastField();
                continue;
            }

            var tensor = Message(input);
            for (uint inner; (inner = tensor.ReadTag()) != 0;)
            {
                switch (inner)
                {
                    case Varint | (1 << 3): type = tensor.ReadInt32(); break;
                    case Bytes | (2 << 3): ReadShape(Message(tensor), dimensions); break;
                    default: tensor.SkipLastField(); break;
                }
            }
        }

        return type;
    }

    private static void ReadShape(CodedInputStream input, List<long> dimensions)
    {
        for (uint tag; (tag = input.ReadTag()) != 0;)
        {
            if (tag != (Bytes | (1 << 3)))
            {
                input.SkipLastField();
                continue;
            }

            long size = -1;
            var dimension = Message(input);
            for (uint inner; (inner = dimension.ReadTag()) != 0;)
            {
                if (inner == (Varint | (1 << 3)))
                    size = dimension.ReadInt64();
                else
                    dimension.SkipLastField();
            }

            Add(dimensions, size, OnnxLimits.MaxDimensions, "dimensions");
        }
    }

    private static CodedInputStream Message(CodedInputStream input) => input.ReadBytes().CreateCodedInput();

    private static bool TryReadFloats(uint tag, uint field, CodedInputStream input, List<float> values)
    {
        if (tag == (Fixed32 | (field << 3)))
        {
            Add(values, input.ReadFloat(), OnnxLimits.MaxListLength, "numbers of a list");
            return true;
        }

        if (tag != (Bytes | (field << 3)))
            return false;
        for (var packed = Message(input); !packed.IsAtEnd;)
            Add(values, packed.ReadFloat(), OnnxLimits.MaxListLength, "numbers of a list");
        return true;
    }

    private static bool TryReadInts(uint tag, uint field, CodedInputStream input, List<long> values)
    {
        if (tag == (Varint | (field << 3)))
        {
            Add(values, input.ReadInt64(), OnnxLimits.MaxListLength, "numbers of a list");
            return true;
        }

        if (tag != (Bytes | (field << 3)))
            return false;
        for (var packed = Message(input); !packed.IsAtEnd;)
            Add(values, packed.ReadInt64(), OnnxLimits.MaxListLength, "numbers of a list");
        return true;
    }

    /// <summary>A list of node modes repeats few strings very often: they share one object.</summary>
    private static void AddString(List<string> strings, ByteString bytes)
    {
        var text = bytes.ToStringUtf8();
        if (strings.Count > 0 && strings[^1] == text)
            text = strings[^1];
        else if (strings.Count > 1 && strings[^2] == text)
            text = strings[^2];
        Add(strings, text, OnnxLimits.MaxListLength, "strings of a list");
    }

    private static void Add<T>(List<T> list, T item, int limit, string what)
    {
        if (list.Count == limit)
            throw ModelException.TooLarge(what, limit + 1, limit);
        list.Add(item);
    }

    private const uint Varint = 0;
    private const uint Bytes = 2;
    private const uint Fixed32 = 5;
}
