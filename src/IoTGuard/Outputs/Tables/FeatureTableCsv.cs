using IoTGuard.Analysis.Features;

namespace IoTGuard.Outputs.Tables;

/// <summary>A column that says which row it is, and is no feature.</summary>
/// <param name="Name">Its name in the header.</param>
/// <param name="Type">"time" (RFC 3339, UTC), "text", "integer".</param>
/// <param name="Description">What stands in it.</param>
/// <param name="Write">Writes the field.</param>
internal sealed record IdentityColumn<T>(string Name, string Type, string Description, IdentityWriter<T> Write);

internal delegate void IdentityWriter<T>(CsvLine line, in T row);

/// <summary>
/// A table of features as CSV: a header, then a line per row. The identity columns come first, then every feature of the schema under its name, then the
/// label when labels were given. The schema with units stands as JSON beside the file.
/// <para>
/// Features are real numbers, and the first row says so by a point in each: DuckDB takes a column whose first 20,480 rows are whole for one of whole
/// numbers, and then rounds the others without a word.
/// </para>
/// </summary>
/// <typeparam name="T">What a row is computed from.</typeparam>
internal sealed class FeatureTableCsv<T>
{
    /// <summary>Name of the last column when labels were given.</summary>
    public const string LabelColumn = "label";

    private readonly CsvLine _line;
    private readonly FeatureSchema<T> _schema;
    private readonly IReadOnlyList<IdentityColumn<T>> _identity;
    private readonly Func<T, string>? _labelOf;
    private readonly float[] _features;
    private bool _isFirst = true;

    /// <param name="file">Where it goes.</param>
    /// <param name="schema">The features.</param>
    /// <param name="identity">The columns before them.</param>
    /// <param name="labelOf">Label of a row; null = no such column.</param>
    public FeatureTableCsv(OutputFile file, FeatureSchema<T> schema, IReadOnlyList<IdentityColumn<T>> identity, Func<T, string>? labelOf)
    {
        _line = new CsvLine(file);
        _schema = schema;
        _identity = identity;
        _labelOf = labelOf;
        _features = new float[schema.Count];
        foreach (var column in identity)
            _line.Text(column.Name);
        foreach (var column in schema.Columns)
            _line.Text(column.Name);
        if (labelOf is not null)
            _line.Text(LabelColumn);
        _line.End();
    }

    public void Write(in T row)
    {
        foreach (var column in _identity)
            column.Write(_line, in row);
        _schema.Extract(in row, _features);
        foreach (var value in _features)
            _line.Real(value, withPoint: _isFirst);
        _isFirst = false;
        if (_labelOf is not null)
            _line.Text(_labelOf(row));
        _line.End();
    }
}
