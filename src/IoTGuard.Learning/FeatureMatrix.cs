namespace IoTGuard.Learning;

/// <summary>Rows of numbers with named columns, row after row in one array. A missing value is NaN.</summary>
public sealed class FeatureMatrix
{
    private readonly string[] _columns;
    private float[] _values = [];
    private int _rowCount;

    /// <summary>An empty matrix.</summary>
    /// <param name="columns">The names of its columns: at least one, none empty, none twice.</param>
    /// <exception cref="ArgumentException">The names break that rule.</exception>
    public FeatureMatrix(IEnumerable<string> columns)
    {
        _columns = [.. columns];
        if (_columns.Length == 0)
            throw new ArgumentException("a feature matrix needs at least one column", nameof(columns));
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in _columns)
        {
            if (name.Length == 0)
                throw new ArgumentException("a column without a name", nameof(columns));
            if (!seen.Add(name))
                throw new ArgumentException($"column '{name}' stands twice", nameof(columns));
        }
    }

    /// <summary>The names of the columns, in order.</summary>
    public IReadOnlyList<string> Columns => _columns;

    /// <summary>Columns.</summary>
    public int ColumnCount => _columns.Length;

    /// <summary>Rows.</summary>
    public int RowCount => _rowCount;

    /// <summary>All values, row after row.</summary>
    public ReadOnlySpan<float> Values => _values.AsSpan(0, _rowCount * _columns.Length);

    /// <summary>One value.</summary>
    public float this[int row, int column]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)column, (uint)_columns.Length, nameof(column));
            return Row(row)[column];
        }
    }

    /// <summary>One row.</summary>
    public ReadOnlySpan<float> Row(int row)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)_rowCount, nameof(row));
        return _values.AsSpan(row * _columns.Length, _columns.Length);
    }

    /// <summary>Appends a row.</summary>
    /// <exception cref="ArgumentException">It has not one value per column, or the matrix would pass 2³¹ values.</exception>
    public void AddRow(ReadOnlySpan<float> row)
    {
        if (row.Length != _columns.Length)
            throw new ArgumentException($"a row of {row.Length} values for {_columns.Length} columns", nameof(row));
        var used = _rowCount * _columns.Length;
        var needed = (long)used + row.Length;
        if (needed > Array.MaxLength)
            throw new ArgumentException($"a feature matrix holds at most {Array.MaxLength} values", nameof(row));
        if (needed > _values.Length)
            Array.Resize(ref _values, (int)Math.Min(Array.MaxLength, Math.Max(needed, _values.LongLength * 2)));
        row.CopyTo(_values.AsSpan(used));
        _rowCount++;
    }

    /// <summary>A copy of some rows, in the order given.</summary>
    public FeatureMatrix SelectRows(ReadOnlySpan<int> rows)
    {
        var result = new FeatureMatrix(_columns);
        foreach (var row in rows)
            result.AddRow(Row(row));
        return result;
    }

    /// <summary>A copy of some columns, in the order given.</summary>
    /// <exception cref="ArgumentException">A column is not there.</exception>
    public FeatureMatrix SelectColumns(IReadOnlyList<string> names)
    {
        var result = new FeatureMatrix(names);
        var from = new int[names.Count];
        for (var i = 0; i < from.Length; i++)
        {
            from[i] = Array.IndexOf(_columns, names[i]);
            if (from[i] < 0)
                throw new ArgumentException($"no column '{names[i]}'", nameof(names));
        }

        var picked = new float[from.Length];
        for (var r = 0; r < _rowCount; r++)
        {
            var row = Row(r);
            for (var i = 0; i < from.Length; i++)
                picked[i] = row[from[i]];
            result.AddRow(picked);
        }

        return result;
    }

    /// <summary>A copy of one column.</summary>
    /// <exception cref="ArgumentException">The column is not there.</exception>
    public float[] Column(string name)
    {
        var column = Array.IndexOf(_columns, name);
        if (column < 0)
            throw new ArgumentException($"no column '{name}'", nameof(name));
        var values = new float[_rowCount];
        for (var r = 0; r < values.Length; r++)
            values[r] = _values[(r * _columns.Length) + column];
        return values;
    }
}
