using System.Text.Json;
using IoTGuard.TestSupport;
using Microsoft.Data.Sqlite;

[assembly: AssemblyFixture(typeof(IoTGuard.Tests.Analysts.AnalysedSite))]

namespace IoTGuard.Tests.Analysts;

/// <summary>A site that was learned, and held against attacks once. Tests that change it work on a copy.</summary>
public sealed class AnalysedSite : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public AnalysedSite()
    {
        Site = _folder["site"];
        Assert.Equal(0, ProgramRun.Of("learn", Benign, "--site", Site).Status);
        Assert.Equal(0, ProgramRun.Of("analyze", Attacks, "--site", Site, "--alerts", _folder["alerts"]).Status);
        AlertIds = [.. File.ReadLines(_folder["alerts"]).Select(l => Parse(l).GetProperty("id").GetString()!)];
    }

    public static string Benign => Repository.PathOf("captures", "hospital-benign.pcapng");

    public static string Attacks => Repository.PathOf("captures", "hospital-attacks.pcapng");

    public string Site { get; }

    /// <summary>Ids of the alerts, in the order of the file.</summary>
    public IReadOnlyList<string> AlertIds { get; }

    public void Dispose() => _folder.Dispose();

    internal string CopyTo(TemporaryFolder folder)
    {
        Directory.CreateDirectory(folder["copy"]);
        foreach (var file in Directory.EnumerateFiles(Site))
            File.Copy(file, Path.Combine(folder["copy"], Path.GetFileName(file)));
        return folder["copy"];
    }

    public static JsonElement Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }

    /// <summary>The one line of an error.</summary>
    internal static string OneLine(ProgramRun run) => Assert.Single(run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));

    /// <summary>Runs a statement on the state behind the program's back.</summary>
    internal static void Sql(string site, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(site, "state.db")};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
