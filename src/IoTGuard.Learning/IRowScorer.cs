namespace IoTGuard.Learning;

/// <summary>Gives rows a score: our evaluator, or that of another library. An instance serves one thread at a time.</summary>
public interface IRowScorer
{
    /// <summary>Columns of a row.</summary>
    int ColumnCount { get; }

    /// <summary>Scores rows.</summary>
    /// <param name="rows">Values, row after row.</param>
    /// <param name="rowCount">Rows.</param>
    /// <param name="scores">One score per row; higher means more anomalous.</param>
    /// <exception cref="ArgumentException">The lengths do not fit.</exception>
    void Score(ReadOnlySpan<float> rows, int rowCount, Span<float> scores);

    /// <summary>The same for another thread.</summary>
    IRowScorer Fork();
}
