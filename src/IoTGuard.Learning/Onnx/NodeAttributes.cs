namespace IoTGuard.Learning.Onnx;

/// <summary>The attributes of one node by name; an operator takes those it knows, and what is left over refuses the model.</summary>
internal sealed class NodeAttributes
{
    private readonly OnnxNode _node;
    private readonly Dictionary<string, OnnxAttributeValue> _left = new(StringComparer.Ordinal);

    public NodeAttributes(OnnxNode node)
    {
        _node = node;
        foreach (var attribute in node.Attributes)
        {
            if (!_left.TryAdd(attribute.Name, attribute))
                throw ModelException.Damaged($"{node.OpType}: attribute '{attribute.Name}' stands twice");
        }
    }

    public long TakeInt(string name, long otherwise) => Take(name, OnnxAttributeType.Int)?.Int ?? otherwise;

    public string TakeString(string name, string otherwise) => Take(name, OnnxAttributeType.String)?.String ?? otherwise;

    public long[] TakeInts(string name) => Take(name, OnnxAttributeType.Ints)?.Ints ?? [];

    public float[] TakeFloats(string name) => Take(name, OnnxAttributeType.Floats)?.Floats ?? [];

    public string[] TakeStrings(string name) => Take(name, OnnxAttributeType.Strings)?.Strings ?? [];

    public void RefuseRest()
    {
        foreach (var name in _left.Keys)
            throw ModelException.Unsupported($"{_node.OpType}: attribute '{name}'");
    }

    private OnnxAttributeValue? Take(string name, OnnxAttributeType type)
    {
        if (!_left.Remove(name, out var attribute))
            return null;
        if (attribute.Type != type)
            throw ModelException.Damaged($"{_node.OpType}: attribute '{name}' has type {(int)attribute.Type}, not {type}");
        return attribute;
    }
}
