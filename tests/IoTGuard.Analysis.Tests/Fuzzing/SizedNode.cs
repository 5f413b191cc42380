namespace IoTGuard.Analysis.Tests.Fuzzing;

/// <summary>How a node's length is written behind its head.</summary>
/// <param name="Bytes">0 = nowhere.</param>
internal readonly record struct LengthField(int Bytes, bool BigEndian)
{
    public static LengthField None => default;
}

/// <summary>
/// Bytes that say their own length, inside others that do: changed as a tree and written with lengths that agree, so that a parser's first check
/// does not end every round. One change in ten breaks a length all the same.
/// </summary>
internal sealed class SizedNode(byte[] head, LengthField length)
{
    private byte[] _head = head;
    private long _lie;

    /// <summary>Bytes between the length and the children, or the content when there are none.</summary>
    public byte[] Content { get; set; } = [];

    public List<SizedNode> Children { get; private init; } = [];

    public byte[] Write()
    {
        byte[] body = [.. Content, .. Children.SelectMany(child => child.Write())];
        var number = (ulong)(body.Length + _lie);
        var field = new byte[length.Bytes];
        for (var i = 0; i < field.Length; i++)
            field[length.BigEndian ? field.Length - 1 - i : i] = (byte)(number >> (8 * i));
        return [.. _head, .. field, .. body];
    }

    public SizedNode Clone() => new((byte[])_head.Clone(), length)
    {
        Content = (byte[])Content.Clone(),
        Children = Children.ConvertAll(child => child.Clone()),
        _lie = _lie,
    };

    public IEnumerable<SizedNode> All() => Children.SelectMany(child => child.All()).Prepend(this);

    public void Mutate(Random random)
    {
        var nodes = All().ToList();
        var node = nodes[random.Next(nodes.Count)];
        switch (random.Next(10))
        {
            case 0 or 1 when node.Children.Count > 0:
                node.Children.RemoveAt(random.Next(node.Children.Count));
                break;
            case 2 or 3 when node.Children.Count > 0:
                node.Children.Insert(random.Next(node.Children.Count + 1), node.Children[random.Next(node.Children.Count)].Clone());
                break;
            case 4:
                node.Children.Insert(random.Next(node.Children.Count + 1), nodes[random.Next(nodes.Count)].Clone());
                break;
            case 5 when node.Children.Count > 1:
                node.Children.Reverse();
                break;
            case 6:
                node.Content = Enumerable.Repeat((byte)random.Next(256), random.Next(3) == 0 ? random.Next(5000) : random.Next(70)).ToArray();
                break;
            case 7 when node._head.Length > 0:
                node._head[random.Next(node._head.Length)] = (byte)random.Next(256);
                break;
            case 8:
                node._lie = random.Next(4) == 0 ? uint.MaxValue : random.Next(-9, 10);
                break;
            default:
                node.Content = ByteMutator.Mutate(node.Content, random);
                break;
        }
    }
}
