namespace IoTGuard.Learning.Onnx;

/// <summary>
/// A value of the graph while it is compiled: one lane of scratch memory per element, and one row of the batch per place in a lane. Operators
/// that only move elements (Reshape, Concat, Gather, Transpose …) and broadcasting make no step: they list lanes in another order.
/// </summary>
/// <param name="Name">Name in the graph.</param>
/// <param name="Shape">Dimensions without the axis of the rows.</param>
/// <param name="HasRows">Whether its first axis, which <paramref name="Shape"/> leaves out, is that of the rows.</param>
/// <param name="Type">Element type; whatever it is, elements are held as floats.</param>
internal sealed record GraphValue(string Name, int[] Shape, bool HasRows, OnnxElementType Type)
{
    /// <summary>Elements of a constant; null for what is computed.</summary>
    public float[]? Constant { get; init; }

    /// <summary>Where each element's lane begins; empty for a constant that no step has read yet.</summary>
    public int[] Lanes { get; set; } = [];

    /// <summary>Elements per row.</summary>
    public int Count => CountOf(Shape);

    /// <summary>Axes as ONNX counts them, that of the rows included.</summary>
    public int Rank => Shape.Length + (HasRows ? 1 : 0);

    public static int CountOf(ReadOnlySpan<int> shape)
    {
        var count = 1;
        foreach (var size in shape)
            count = checked(count * size);
        return count;
    }

    /// <summary>The place in <see cref="Shape"/> of an ONNX axis.</summary>
    /// <exception cref="ModelException">There is no such axis, or it is that of the rows.</exception>
    public int Axis(long axis, string user)
    {
        var from = axis < 0 ? axis + Rank : axis;
        if (from < 0 || from >= Rank)
            throw ModelException.Damaged($"{user}: axis {axis} of a value of {Rank} axes");
        if (HasRows && from == 0)
            throw ModelException.Unsupported($"{user} over the axis of the rows");
        return (int)from - (HasRows ? 1 : 0);
    }

    /// <summary>Elements before, along and after an axis: their places are (outer · size + i) · inner + rest.</summary>
    public (int Outer, int Size, int Inner) Split(int axis) =>
        (CountOf(Shape.AsSpan(0, axis)), Shape[axis], CountOf(Shape.AsSpan(axis + 1)));
}
