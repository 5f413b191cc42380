using System.Globalization;
using System.IO.Compression;
using nietras.SeparatedValues;

namespace IoTGuard.Learning.Training;

/// <summary>Which columns of a table are no features but say something about its rows.</summary>
/// <param name="Times">Names under which the time of a row may stand, in order of preference.</param>
/// <param name="Devices">Names under which its device may stand.</param>
/// <param name="Peers">Names under which the device at the other end may stand.</param>
/// <param name="Labels">Names under which its label may stand.</param>
public sealed record TableColumns(IReadOnlyList<string> Times, IReadOnlyList<string> Devices, IReadOnlyList<string> Peers, IReadOnlyList<string> Labels)
{
    /// <summary>Names under which it may say that a row is none that a sensor judges: then it holds 0, and the row is left out.</summary>
    public IReadOnlyList<string> Judged { get; init; } = ["judged"];

    /// <summary>What the tables of <c>iotguard analyze</c> call them, and other tools.</summary>
    public static TableColumns Usual { get; } = new(["first_seen", "start", "time", "timestamp"], ["originator_ip", "device", "device_ip"], ["responder_ip", "peer"], ["label", "Label", "is_anomaly"]);
}

/// <summary>A table of features as CSV with a header, plain or gzip: the rows, and what else it says about them.</summary>
public sealed class TrainingTable
{
    /// <summary>Labels that stand for a benign row; every other label is an anomaly.</summary>
    private static readonly HashSet<string> Benign = new(StringComparer.OrdinalIgnoreCase) { "", "0", "0.0", "benign", "normal", "false", "no" };

    /// <summary>Characters of a message; the file's own text cannot make it longer.</summary>
    private const int MaxMessage = 200;

    private TrainingTable(FeatureMatrix rows, double[]? times, int[]? devices, bool[]? anomalous)
    {
        Rows = rows;
        Times = times;
        Devices = devices;
        Anomalous = anomalous;
    }

    /// <summary>The features.</summary>
    public FeatureMatrix Rows { get; }

    /// <summary>Per row its time, in seconds since 1970; null when the table has no times.</summary>
    public double[]? Times { get; }

    /// <summary>Per row a number for its device; null when the table names no devices.</summary>
    public int[]? Devices { get; }

    /// <summary>Per row whether its label says that it is no benign one; null without labels.</summary>
    public bool[]? Anomalous { get; }

    /// <summary>Rows that are labelled as anomalies.</summary>
    public int AnomalyCount => Anomalous is null ? 0 : Anomalous.AsSpan().Count(true);

    /// <summary>The other rows; all of them without labels.</summary>
    public int BenignCount => Rows.RowCount - AnomalyCount;

    /// <summary>Reads a table.</summary>
    /// <param name="stream">The file.</param>
    /// <param name="features">The columns wanted, in this order; null takes all that are not of <paramref name="columns"/>.</param>
    /// <param name="columns">Columns that are no features.</param>
    /// <param name="isAnomaly">Says it of a row by its time, its device and its peer; null takes the label column.</param>
    /// <param name="report">Is told how many rows are read, every thousand rows.</param>
    /// <exception cref="InvalidDataException">The file is not such a table; the message names line and column.</exception>
    public static TrainingTable Read(Stream stream, IReadOnlyList<string>? features, TableColumns columns, Func<double, string, string, bool>? isAnomaly = null, Action<long>? report = null)
    {
        using var text = Open(stream);
        try
        {
            using var reader = Sep.New(',').Reader(o => o with { HasHeader = true, Unescape = true, DisableColCountCheck = true }).From(text);
            return Read(reader, features, columns, isAnomaly, report);
        }
        catch (Exception e) when (e is ArgumentException or KeyNotFoundException or FormatException or InvalidDataException)
        {
            throw new InvalidDataException(ModelException.OneLine(e.Message, MaxMessage), e);
        }
    }

    /// <summary>The names of a table's columns.</summary>
    /// <exception cref="InvalidDataException">The file is no such table.</exception>
    public static IReadOnlyList<string> ReadHeader(Stream stream)
    {
        using var text = Open(stream);
        try
        {
            using var reader = Sep.New(',').Reader(o => o with { HasHeader = true, Unescape = true }).From(text);
            return [.. reader.Header.ColNames];
        }
        catch (Exception e) when (e is ArgumentException or KeyNotFoundException or FormatException)
        {
            throw new InvalidDataException(ModelException.OneLine(e.Message, MaxMessage), e);
        }
    }

    /// <summary>The table with some of its rows, in the order given.</summary>
    public TrainingTable Select(int[] rows) => new(
        Rows.SelectRows(rows),
        Times is null ? null : Array.ConvertAll(rows, r => Times[r]),
        Devices is null ? null : Array.ConvertAll(rows, r => Devices[r]),
        Anomalous is null ? null : Array.ConvertAll(rows, r => Anomalous[r]));

    /// <summary>Tables with the same columns as one. A device that is in several of them counts once for each: devices are known by number only.</summary>
    public static TrainingTable Concat(IReadOnlyList<TrainingTable> tables)
    {
        if (tables.Count == 1)
            return tables[0];
        var rows = new FeatureMatrix(tables[0].Rows.Columns);
        var devices = new List<int>();
        foreach (var table in tables)
        {
            for (var r = 0; r < table.Rows.RowCount; r++)
                rows.AddRow(table.Rows.Row(r));
            var first = devices.Count == 0 ? 0 : devices.Max() + 1;
            devices.AddRange((table.Devices ?? []).Select(d => d + first));
        }

        return new TrainingTable(
            rows,
            tables.All(t => t.Times is not null) ? [.. tables.SelectMany(t => t.Times!)] : null,
            tables.All(t => t.Devices is not null) ? [.. devices] : null,
            tables.All(t => t.Anomalous is not null) ? [.. tables.SelectMany(t => t.Anomalous!)] : null);
    }

    /// <summary>The table in order of time; rows of the same time, and tables without times, keep their order.</summary>
    public TrainingTable InOrder()
    {
        if (Times is null || Times.AsSpan().IndexOfAnyExceptInRange(double.MinValue, double.MaxValue) >= 0 || IsSorted(Times))
            return this;
        return Select([.. Enumerable.Range(0, Rows.RowCount).OrderBy(r => Times[r])]);
    }

    /// <summary>The text of a file, plain or gzip.</summary>
    private static StreamReader Open(Stream stream)
    {
        Span<byte> magic = stackalloc byte[2];
        var count = stream.ReadAtLeast(magic, 2, throwOnEndOfStream: false);
        var whole = new PrefixedStream(magic[..count].ToArray(), stream);
        return new StreamReader(count == 2 && magic[0] == 0x1F && magic[1] == 0x8B ? new GZipStream(whole, CompressionMode.Decompress) : whole, bufferSize: 1 << 16);
    }

    private static bool IsSorted(double[] times)
    {
        for (var i = 1; i < times.Length; i++)
        {
            if (times[i] < times[i - 1])
                return false;
        }

        return true;
    }

    private static TrainingTable Read(SepReader reader, IReadOnlyList<string>? features, TableColumns columns, Func<double, string, string, bool>? isAnomaly, Action<long>? report)
    {
        var header = reader.Header.ColNames.ToList();
        if (header.Count == 0)
            throw new InvalidDataException("line 1: the file is empty, a header line is needed");
        if (header.Exists(static name => name.Length == 0 || name.Any(char.IsControl)))
            throw new InvalidDataException("line 1: columns without names: this is no table of features");
        var (time, device, peer, label) = (Find(columns.Times), Find(columns.Devices), Find(columns.Peers), Find(columns.Labels));
        if (isAnomaly is not null && time < 0)
            throw new InvalidDataException($"line 1: labels are joined by time, and there is no column {string.Join(" or ", columns.Times)}");
        var judged = Find(columns.Judged);
        features ??= [.. header.Where((_, i) => i != time && i != device && i != peer && i != label && i != judged)];
        var places = features.Select(name => header.IndexOf(name) is >= 0 and var at ? at : throw new InvalidDataException($"line 1: no column '{name}'")).ToArray();
        var matrix = new FeatureMatrix(features);
        var (times, devices, labels) = (new List<double>(), new List<int>(), new List<bool>());
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
        var values = new float[places.Length];
        foreach (var row in reader)
        {
            if (row.ColCount != header.Count)
                throw new InvalidDataException($"line {row.LineNumberFrom}: {row.ColCount} fields where the header has {header.Count}; the file may be cut short");
            if (judged >= 0 && row[judged].Span is "0")
                continue;
            for (var i = 0; i < places.Length; i++)
                values[i] = Number(row[places[i]].Span, row.LineNumberFrom, header[places[i]]);
            matrix.AddRow(values);
            if (time >= 0)
                times.Add(Seconds(row[time].Span, row.LineNumberFrom, header[time]));
            if (device >= 0)
            {
                if (!numbers.TryGetValue(row[device].Span, out var number))
                    numbers[row[device].Span] = number = numbers.Dictionary.Count;
                devices.Add(number);
            }

            if (isAnomaly is not null)
                labels.Add(isAnomaly(times[^1], device < 0 ? "" : row[device].ToString(), peer < 0 ? "" : row[peer].ToString()));
            else if (label >= 0)
                labels.Add(!Benign.Contains(row[label].Span.Trim().ToString()));
            if (matrix.RowCount % 1000 == 0)
                report?.Invoke(matrix.RowCount);
        }

        return new TrainingTable(matrix, time < 0 ? null : [.. times], device < 0 ? null : [.. devices], label < 0 && isAnomaly is null ? null : [.. labels]);

        int Find(IReadOnlyList<string> names) => names.Select(name => header.IndexOf(name)).FirstOrDefault(at => at >= 0, -1);
    }

    private static float Number(ReadOnlySpan<char> field, int line, string column)
    {
        var trimmed = field.Trim();
        if (trimmed.IsEmpty)
            return float.NaN;
        if (float.TryParse(trimmed, NumberStyles.Float, CultureInfo.InvariantCulture, out var value))
            return value;

        // As pandas and DuckDB write it.
        return trimmed switch
        {
            "inf" or "Inf" or "+inf" => float.PositiveInfinity,
            "-inf" or "-Inf" => float.NegativeInfinity,
            "nan" or "NULL" or "null" or "NA" => float.NaN,
            _ => throw Bad(trimmed, line, column, "a number"),
        };
    }

    private static double Seconds(ReadOnlySpan<char> field, int line, string column)
    {
        if (double.TryParse(field, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds))
            return seconds;
        return DateTimeOffset.TryParse(field, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? (time - DateTimeOffset.UnixEpoch).TotalSeconds
            : throw Bad(field, line, column, "a time");
    }

    private static InvalidDataException Bad(ReadOnlySpan<char> field, int line, string column, string what) =>
        new($"line {line}, column {ModelException.OneLine(column, 40)}: '{ModelException.OneLine(field.ToString(), 20)}' is not {what}");
}
