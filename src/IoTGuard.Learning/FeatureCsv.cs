using System.Globalization;
using System.Text;

namespace IoTGuard.Learning;

/// <summary>
/// Feature matrices as CSV (RFC 4180) with a header line. Numbers are written in the shortest form that reads back to the same
/// float; a missing value is an empty field or <c>NaN</c>. Reading accepts LF and CRLF and quoted fields.
/// </summary>
public static class FeatureCsv
{
    /// <summary>Columns a file may have.</summary>
    public const int MaxColumns = 4096;

    /// <summary>Length of one field in characters.</summary>
    public const int MaxFieldLength = 4096;

    /// <summary>Reads a matrix.</summary>
    /// <param name="stream">The file, UTF-8.</param>
    /// <param name="columns">The columns wanted, in this order; others are not looked at. Null takes all columns.</param>
    /// <exception cref="InvalidDataException">The file is not such a table; the message names line and column.</exception>
    public static FeatureMatrix Read(Stream stream, IReadOnlyList<string>? columns = null)
    {
        using var text = new StreamReader(stream, new UTF8Encoding(false, throwOnInvalidBytes: false), leaveOpen: true);
        return Read(text, columns);
    }

    /// <inheritdoc cref="Read(Stream, IReadOnlyList{string})"/>
    public static FeatureMatrix Read(TextReader text, IReadOnlyList<string>? columns = null)
    {
        var reader = new FieldReader(text);
        var header = ReadHeader(ref reader);
        FeatureMatrix matrix;
        try
        {
            matrix = new FeatureMatrix(columns ?? header);
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"line 1: {e.Message}", e);
        }

        // target[i] is the place of file column i in the row, or -1.
        var target = new int[header.Count];
        Array.Fill(target, -1);
        for (var i = 0; i < matrix.ColumnCount; i++)
        {
            var at = header.IndexOf(matrix.Columns[i]);
            if (at < 0)
                throw new InvalidDataException($"line 1: no column '{matrix.Columns[i]}'");
            target[at] = i;
        }

        var row = new float[matrix.ColumnCount];
        while (!reader.AtEnd)
        {
            var line = reader.Line;
            if (header.Count > 1 && reader.SkipEmptyLine())
                continue;
            for (var column = 0; column < target.Length; column++)
            {
                var last = reader.ReadField(line, column);
                if (target[column] >= 0)
                    row[target[column]] = ParseNumber(reader.Field, line, column, header[column]);
                if (last != (column == target.Length - 1))
                    throw new InvalidDataException(
                        $"line {line}, column {column + 1}: {(last ? "the line ends early" : "more fields")}; the header has {target.Length} columns");
            }

            matrix.AddRow(row);
        }

        return matrix;
    }

    /// <summary>Writes a matrix.</summary>
    public static void Write(FeatureMatrix matrix, Stream stream)
    {
        using var text = new StreamWriter(stream, new UTF8Encoding(false), leaveOpen: true);
        Write(matrix, text);
    }

    /// <inheritdoc cref="Write(FeatureMatrix, Stream)"/>
    public static void Write(FeatureMatrix matrix, TextWriter text)
    {
        for (var i = 0; i < matrix.ColumnCount; i++)
        {
            if (i > 0)
                text.Write(',');
            WriteName(matrix.Columns[i], text);
        }

        text.Write('\n');
        Span<char> number = stackalloc char[32];
        for (var r = 0; r < matrix.RowCount; r++)
        {
            var row = matrix.Row(r);
            for (var i = 0; i < row.Length; i++)
            {
                if (i > 0)
                    text.Write(',');
                row[i].TryFormat(number, out var length, "R", CultureInfo.InvariantCulture);
                text.Write(number[..length]);
            }

            text.Write('\n');
        }
    }

    private static List<string> ReadHeader(ref FieldReader reader)
    {
        if (reader.AtEnd)
            throw new InvalidDataException("line 1: the file is empty, a header line is needed");
        var names = new List<string>();
        bool last;
        do
        {
            if (names.Count == MaxColumns)
                throw new InvalidDataException($"line 1: more than {MaxColumns} columns");
            last = reader.ReadField(1, names.Count);
            names.Add(reader.Field.ToString());
        }
        while (!last);
        return names;
    }

    private static float ParseNumber(ReadOnlySpan<char> field, int line, int column, string name)
    {
        var trimmed = field.Trim();
        if (trimmed.IsEmpty)
            return float.NaN;
        if (float.TryParse(trimmed, NumberStyles.Float, CultureInfo.InvariantCulture, out var value))
            return value;
        var shown = trimmed.Length > 20 ? string.Concat(trimmed[..20], "…") : trimmed.ToString();
        throw new InvalidDataException($"line {line}, column {column + 1} ({name}): '{shown}' is not a number");
    }

    private static void WriteName(string name, TextWriter text)
    {
        if (name.AsSpan().IndexOfAny(",\"\r\n") < 0)
            text.Write(name);
        else
            text.Write($"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"");
    }

    private ref struct FieldReader(TextReader text)
    {
        private readonly char[] _field = new char[MaxFieldLength];
        private int _length;

        public int Line { get; private set; } = 1;

        public readonly bool AtEnd => text.Peek() < 0;

        public readonly ReadOnlySpan<char> Field => _field.AsSpan(0, _length);

        public bool SkipEmptyLine()
        {
            if (text.Peek() == '\r')
                _ = text.Read();
            if (text.Peek() != '\n')
                return false;
            _ = text.Read();
            Line++;
            return true;
        }

        /// <summary>Reads up to the next comma or line end; true at the line's (or file's) end.</summary>
        public bool ReadField(int line, int column)
        {
            _length = 0;
            var quoted = text.Peek() == '"';
            if (quoted)
                ReadQuoted(line, column);
            while (true)
            {
                var c = text.Read();
                if (c == '\r' && text.Peek() == '\n')
                    c = text.Read();
                if (c == '\n')
                    Line++;
                if (c is < 0 or '\n')
                    return true;
                if (c == ',')
                    return false;
                if (quoted)
                    throw new InvalidDataException($"line {line}, column {column + 1}: text after the closing quote");
                Append((char)c, line, column);
            }
        }

        private void ReadQuoted(int line, int column)
        {
            _ = text.Read();
            while (true)
            {
                var c = text.Read();
                if (c < 0)
                    throw new InvalidDataException($"line {line}, column {column + 1}: no closing quote");
                if (c == '\n')
                    Line++;
                if (c == '"')
                {
                    if (text.Peek() != '"')
                        return;
                    _ = text.Read();
                }

                Append((char)c, line, column);
            }
        }

        private void Append(char c, int line, int column)
        {
            if (_length == _field.Length)
                throw new InvalidDataException($"line {line}, column {column + 1}: a field of more than {MaxFieldLength} characters");
            _field[_length++] = c;
        }
    }
}
