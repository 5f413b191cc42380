namespace IoTGuard.Learning.Onnx;

/// <summary>
/// A model ready to score: its graph as a list of steps over one scratch memory, made once. Scoring allocates nothing.
/// An instance serves one thread at a time; <see cref="Fork"/> gives another thread its own.
/// </summary>
public sealed class CompiledModel
{
    /// <summary>Rows that pass through the graph together.</summary>
    internal const int BlockRows = 64;

    private readonly Step[] _steps;
    private readonly float[] _scratch;
    private readonly Register _input;
    private readonly Register _output;

    internal CompiledModel(Step[] steps, float[] scratch, Register input, Register output)
    {
        _steps = steps;
        _scratch = scratch;
        _input = input;
        _output = output;
        foreach (var step in steps)
        {
            if (step is TreeEnsembleStep { X: var x } trees && x == input)
                Trees ??= trees.Ensemble;
        }
    }

    /// <summary>Columns of a row.</summary>
    public int ColumnCount => _input.Width;

    /// <summary>The first tree ensemble that reads the features themselves, if there is one.</summary>
    internal TreeEnsemble? Trees { get; }

    /// <summary>Checks and compiles a graph.</summary>
    /// <exception cref="ModelException">The graph is damaged, or uses something that is not evaluated here.</exception>
    public static CompiledModel Compile(OnnxModel model) => new GraphCompiler(model).Compile();

    /// <summary>The same model with scratch memory of its own.</summary>
    public CompiledModel Fork() => new(_steps, [.. _scratch], _input, _output);

    /// <summary>Scores rows.</summary>
    /// <param name="rows">Values, row after row.</param>
    /// <param name="rowCount">Rows.</param>
    /// <param name="scores">One score per row.</param>
    /// <exception cref="ArgumentException">The lengths do not fit.</exception>
    public void Score(ReadOnlySpan<float> rows, int rowCount, Span<float> scores)
    {
        if (rowCount < 0 || rows.Length != (long)rowCount * ColumnCount)
            throw new ArgumentException($"{rows.Length} values are not {rowCount} rows of {ColumnCount} columns", nameof(rows));
        if (scores.Length < rowCount)
            throw new ArgumentException($"room for {scores.Length} scores, {rowCount} rows", nameof(scores));
        for (var done = 0; done < rowCount; done += BlockRows)
        {
            var count = Math.Min(BlockRows, rowCount - done);
            Transpose(rows.Slice(done * ColumnCount, count * ColumnCount), count);
            foreach (var step in _steps)
                step.Run(_scratch, count);
            _output.Column(_scratch, 0, count).CopyTo(scores[done..]);
        }
    }

    private void Transpose(ReadOnlySpan<float> rows, int count)
    {
        var width = _input.Width;
        for (var column = 0; column < width; column++)
        {
            var to = _input.Column(_scratch, column, count);
            for (int row = 0, from = column; row < to.Length; row++, from += width)
                to[row] = rows[from];
        }
    }
}
