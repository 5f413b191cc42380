namespace IoTGuard.Learning.Onnx;

/// <summary>One step of a compiled graph: reads lanes and writes lanes of <see cref="CompiledModel.BlockRows"/> rows each.</summary>
internal abstract class Step
{
    /// <summary>Lanes that are read.</summary>
    public abstract IEnumerable<int> Reads { get; }

    /// <summary>Lanes that are written.</summary>
    public abstract IEnumerable<int> Writes { get; }

    /// <summary>Each lane that is written, with those it depends on.</summary>
    public virtual IEnumerable<(IEnumerable<int> Reads, int Writes)> Pairs() => Writes.Select(lane => (Reads, lane));

    /// <summary>Computes the first <paramref name="rows"/> rows.</summary>
    public abstract void Run(Span<float> scratch, int rows);
}

/// <summary>Element by element: each result lane from the lane (or the two, or more) in the same place of each operand.</summary>
internal sealed class ElementwiseStep(ElementKernel kernel, int[][] operands, int[] results) : Step
{
    /// <summary>All lanes of every operand follow each other, so that a full block is one long vector.</summary>
    private readonly bool _contiguous = results.Length > 1 && operands.Append(results).All(IsContiguous);

    public override IEnumerable<int> Reads => operands.SelectMany(o => o);

    public override IEnumerable<int> Writes => results;

    public override IEnumerable<(IEnumerable<int> Reads, int Writes)> Pairs() => results.Select((lane, i) => (operands.Select(o => o[i]), lane));

    public override void Run(Span<float> scratch, int rows)
    {
        if (_contiguous && rows == CompiledModel.BlockRows)
        {
            kernel.Run(scratch, operands, 0, results[0], rows * results.Length);
            return;
        }

        for (var i = 0; i < results.Length; i++)
            kernel.Run(scratch, operands, i, results[i], rows);
    }

    private static bool IsContiguous(int[] lanes)
    {
        for (var i = 1; i < lanes.Length; i++)
        {
            if (lanes[i] != lanes[i - 1] + CompiledModel.BlockRows)
                return false;
        }

        return true;
    }
}

internal delegate void UnaryKernel(ReadOnlySpan<float> x, Span<float> result);

internal delegate void BinaryKernel(ReadOnlySpan<float> x, ReadOnlySpan<float> y, Span<float> result);

/// <summary>What an <see cref="ElementwiseStep"/> does to one run of elements.</summary>
internal abstract class ElementKernel
{
    public abstract void Run(Span<float> scratch, int[][] operands, int lane, int result, int length);
}

internal sealed class Unary(UnaryKernel kernel) : ElementKernel
{
    public override void Run(Span<float> scratch, int[][] operands, int lane, int result, int length) =>
        kernel(scratch.Slice(operands[0][lane], length), scratch.Slice(result, length));
}

internal sealed class Binary(BinaryKernel kernel) : ElementKernel
{
    public override void Run(Span<float> scratch, int[][] operands, int lane, int result, int length) =>
        kernel(scratch.Slice(operands[0][lane], length), scratch.Slice(operands[1][lane], length), scratch.Slice(result, length));
}

/// <summary>Folds a binary kernel over any number of operands, then multiplies.</summary>
internal sealed class Fold(BinaryKernel kernel, float factor = 1) : ElementKernel
{
    public override void Run(Span<float> scratch, int[][] operands, int lane, int result, int length)
    {
        var to = scratch.Slice(result, length);
        scratch.Slice(operands[0][lane], length).CopyTo(to);
        for (var i = 1; i < operands.Length; i++)
            kernel(to, scratch.Slice(operands[i][lane], length), to);
        if (factor != 1)
            System.Numerics.Tensors.TensorPrimitives.Multiply(to, factor, to);
    }
}

/// <summary>The second operand where the first is not 0, else the third.</summary>
internal sealed class Choose : ElementKernel
{
    public override void Run(Span<float> scratch, int[][] operands, int lane, int result, int length)
    {
        var condition = scratch.Slice(operands[0][lane], length);
        var x = scratch.Slice(operands[1][lane], length);
        var y = scratch.Slice(operands[2][lane], length);
        var to = scratch.Slice(result, length);
        for (var i = 0; i < to.Length; i++)
            to[i] = condition[i] != 0 ? x[i] : y[i];
    }
}
