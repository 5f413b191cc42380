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

    public float TakeFloat(string name, float otherwise) => Take(name, OnnxAttributeType.Float)?.Float ?? otherwise;

    public OnnxTensor? TakeTensor(string name) => Take(name, OnnxAttributeType.Tensor)?.Tensor;

    public string TakeString(string name, string otherwise) => Take(name, OnnxAttributeType.String)?.String ?? otherwise;

    public long[] TakeInts(string name) => Take(name, OnnxAttributeType.Ints)?.Ints ?? [];

    public float[] TakeFloats(string name) => Take(name, OnnxAttributeType.Floats)?.Floats ?? [];

    public string[] TakeStrings(string name) => Take(name, OnnxAttributeType.Strings)?.Strings ?? [];

    /// <summary>Whether an attribute is there and not yet taken.</summary>
    public bool Has(string name) => _left.ContainsKey(name);

    /// <summary>An attribute that stays for another to take.</summary>
    public OnnxAttributeValue? Peek(string name) => _left.GetValueOrDefault(name);

    /// <summary>Takes attributes that say nothing here.</summary>
    public void Drop(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
            _left.Remove(name);
    }

    /// <summary>Takes all that is left, of an operator whose attributes say nothing here.</summary>
    public void TakeRest() => _left.Clear();

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
