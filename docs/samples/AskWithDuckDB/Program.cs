// Asks a table in SQL, and holds the types that DuckDB gives its columns against the schema beside it; 1 when one differs.
//     iotguard analyze CAPTURE --flows flows.csv --labels LABELS
//     dotnet run --project docs/samples/AskWithDuckDB -- flows.csv
using System.Text.Json;
using DuckDB.NET.Data;

using var connection = new DuckDBConnection("DataSource=:memory:");
connection.Open();
using var command = connection.CreateCommand();

using var schema = JsonDocument.Parse(File.ReadAllText($"{args[0]}.schema.json"));
var expected = schema.RootElement.GetProperty("columns").EnumerateArray().ToDictionary(
    column => column.GetProperty("name").GetString()!,
    column => column.GetProperty("type").GetString() switch { "time" => "TIMESTAMP WITH TIME ZONE", "integer" => "BIGINT", "real" => "DOUBLE", _ => "VARCHAR" },
    StringComparer.Ordinal);
var differing = 0;
foreach (var (column, type) in Ask($"describe from '{args[0]}'", row => (row.GetString(0), row.GetString(1))))
{
    if (expected[column] == type)
        continue;
    Console.WriteLine($"{column} is {type}, not {expected[column]}");
    differing++;
}

var time = expected.First(column => column.Value.StartsWith("TIMESTAMP", StringComparison.Ordinal)).Key;
foreach (var line in Ask($"select label, count(*), sum(bytes_out), min(\"{time}\") from '{args[0]}' group by label order by 2 desc", row => $"{row.GetValue(0),-32} {row.GetValue(1),8} {row.GetValue(2),14} {row.GetValue(3)}"))
    Console.WriteLine(line);
return differing == 0 ? 0 : 1;

List<T> Ask<T>(string sql, Func<DuckDBDataReader, T> read)
{
    command.CommandText = sql;
    using var reader = command.ExecuteReader();
    var rows = new List<T>();
    while (reader.Read())
        rows.Add(read(reader));
    return rows;
}
