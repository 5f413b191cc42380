namespace IoTGuard.Learning.Onnx;

/// <summary>The parts of an ONNX model (onnx.proto, ModelProto) that a sensor's models use.</summary>
public sealed record OnnxModel(
    long IrVersion,
    string Producer,
    string ProducerVersion,
    IReadOnlyList<OnnxOpset> Opsets,
    OnnxGraph Graph,
    IReadOnlyList<KeyValuePair<string, string>> Metadata)
{
    /// <summary>Reads a model.</summary>
    /// <exception cref="ModelException">The bytes are not a model within <see cref="OnnxLimits"/>.</exception>
    public static OnnxModel Parse(ReadOnlySpan<byte> bytes) => OnnxReader.Read(bytes);

    /// <summary>Writes the model; the same model gives the same bytes.</summary>
    public byte[] ToBytes() => OnnxWriter.Write(this);
}

/// <summary>OperatorSetIdProto: the version of the operators of a domain ("" is ai.onnx).</summary>
public sealed record OnnxOpset(string Domain, long Version)
{
    /// <summary>The versions that the models written here use.</summary>
    public static IReadOnlyList<OnnxOpset> Ours { get; } = [new("", 13), new(Operators.MachineLearningDomain, 1)];
}

/// <summary>GraphProto; <paramref name="Intermediates"/> (value_info) tells other tools the types in between.</summary>
public sealed record OnnxGraph(
    string Name,
    IReadOnlyList<OnnxNode> Nodes,
    IReadOnlyList<OnnxTensor> Initializers,
    IReadOnlyList<OnnxValueInfo> Inputs,
    IReadOnlyList<OnnxValueInfo> Outputs,
    IReadOnlyList<OnnxValueInfo> Intermediates);

/// <summary>NodeProto.</summary>
public sealed record OnnxNode(
    string OpType,
    string Domain,
    string Name,
    IReadOnlyList<string> Inputs,
    IReadOnlyList<string> Outputs,
    IReadOnlyList<OnnxAttributeValue> Attributes);

/// <summary>AttributeProto.AttributeType, as far as it is read.</summary>
public enum OnnxAttributeType
{
    Undefined = 0,
    Float = 1,
    Int = 2,
    String = 3,
    Tensor = 4,
    Floats = 6,
    Ints = 7,
    Strings = 8,
}

/// <summary>AttributeProto: the member that <paramref name="Type"/> names holds the value.</summary>
public sealed record OnnxAttributeValue(string Name, OnnxAttributeType Type)
{
    public float Float { get; init; }

    public long Int { get; init; }

    public string String { get; init; } = "";

    public OnnxTensor? Tensor { get; init; }

    public float[] Floats { get; init; } = [];

    public long[] Ints { get; init; } = [];

    public string[] Strings { get; init; } = [];

    public static OnnxAttributeValue Of(string name, float value) => new(name, OnnxAttributeType.Float) { Float = value };

    public static OnnxAttributeValue Of(string name, long value) => new(name, OnnxAttributeType.Int) { Int = value };

    public static OnnxAttributeValue Of(string name, string value) => new(name, OnnxAttributeType.String) { String = value };

    public static OnnxAttributeValue Of(string name, float[] values) => new(name, OnnxAttributeType.Floats) { Floats = values };

    public static OnnxAttributeValue Of(string name, long[] values) => new(name, OnnxAttributeType.Ints) { Ints = values };

    public static OnnxAttributeValue Of(string name, string[] values) => new(name, OnnxAttributeType.Strings) { Strings = values };
}

/// <summary>TensorProto.DataType, as far as it is read.</summary>
public enum OnnxElementType
{
    Undefined = 0,
    Float = 1,
    Int32 = 6,
    Int64 = 7,
    Bool = 9,
    Double = 11,
}

/// <summary>TensorProto. Elements of all types that are read are held as floats: whole numbers are exact up to 2²⁴.</summary>
public sealed record OnnxTensor(string Name, IReadOnlyList<long> Dimensions, float[] Values)
{
    /// <summary>The type in the file.</summary>
    public OnnxElementType ElementType { get; init; } = OnnxElementType.Float;
}

/// <summary>ValueInfoProto of a tensor; a dimension of −1 is open.</summary>
public sealed record OnnxValueInfo(string Name, OnnxElementType ElementType, IReadOnlyList<long> Dimensions)
{
    /// <summary>Floats of shape [N, <paramref name="columns"/>].</summary>
    public static OnnxValueInfo Rows(string name, int columns) => new(name, OnnxElementType.Float, [-1, columns]);
}
