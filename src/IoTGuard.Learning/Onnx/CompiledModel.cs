namespace IoTGuard.Learning.Onnx;

/// <summary>
/// A model ready to score: its graph as a list of steps over one scratch memory, made once. Scoring allocates nothing.
/// An instance serves one thread at a time; <see cref="Fork"/> gives another thread its own.
/// </summary>
public sealed class CompiledModel : IRowScorer
{
    /// <summary>Rows that pass through the graph together: the length of a lane.</summary>
    internal const int BlockRows = 64;

    private readonly Step[] _steps;
    private readonly float[] _scratch;
    private readonly int _score;
    private readonly int[] _contributions;
    private readonly TreeEnsemble? _trees;
    private readonly int[] _columnOf;

    internal CompiledModel(Step[] steps, float[] scratch, int columns, int score, int[] contributions, IEnumerable<int> constants)
    {
        _steps = steps;
        _scratch = scratch;
        ColumnCount = columns;
        _score = score;
        _contributions = contributions;
        (_trees, _columnOf) = contributions.Length > 0 ? (null, []) : LaneColumns.Trace(steps, scratch.Length / BlockRows, columns, constants);
    }

    private CompiledModel(CompiledModel other)
    {
        (_steps, _scratch, ColumnCount, _score) = (other._steps, [.. other._scratch], other.ColumnCount, other._score);
        (_contributions, _trees, _columnOf) = (other._contributions, other._trees, other._columnOf);
    }

    /// <summary>Columns of a row.</summary>
    public int ColumnCount { get; }

    /// <summary>Whether <see cref="Explain"/> has something to say.</summary>
    internal bool CanExplain => _trees is not null || _contributions.Length > 0;

    /// <summary>Whether contributions come from the trees, in units of their sum.</summary>
    internal bool ExplainsByTrees => _trees is not null;

    /// <summary>Checks and compiles a graph.</summary>
    /// <exception cref="ModelException">The graph is damaged, or uses something that is not evaluated here.</exception>
    public static CompiledModel Compile(OnnxModel model) => new GraphCompiler(model).Compile();

    /// <summary>The same model with scratch memory of its own.</summary>
    public CompiledModel Fork() => new(this);

    IRowScorer IRowScorer.Fork() => Fork();

    /// <inheritdoc/>
    public void Score(ReadOnlySpan<float> rows, int rowCount, Span<float> scores)
    {
        if (rowCount < 0 || rows.Length != (long)rowCount * ColumnCount)
            throw new ArgumentException($"{rows.Length} values are not {rowCount} rows of {ColumnCount} columns", nameof(rows));
        if (scores.Length < rowCount)
            throw new ArgumentException($"room for {scores.Length} scores, {rowCount} rows", nameof(scores));
        for (var done = 0; done < rowCount; done += BlockRows)
        {
            var count = Math.Min(BlockRows, rowCount - done);
            Run(rows.Slice(done * ColumnCount, count * ColumnCount), count);
            _scratch.AsSpan(_score, count).CopyTo(scores[done..]);
        }
    }

    /// <summary>What each column of a row adds: what the graph itself says, or what its trees' splits did.</summary>
    internal void Explain(ReadOnlySpan<float> row, Span<float> contributions)
    {
        contributions.Clear();
        if (!CanExplain)
            return;
        Run(row, 1);
        _trees?.AddContributions(_scratch, _columnOf, contributions);
        for (var i = 0; i < _contributions.Length; i++)
            contributions[i] = _scratch[_contributions[i]];
    }

    private void Run(ReadOnlySpan<float> rows, int count)
    {
        for (var column = 0; column < ColumnCount; column++)
        {
            var to = _scratch.AsSpan(column * BlockRows, count);
            for (int row = 0, from = column; row < to.Length; row++, from += ColumnCount)
                to[row] = rows[from];
        }

        foreach (var step in _steps)
            step.Run(_scratch, count);
    }
}
