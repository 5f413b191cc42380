using System.Text.Json;
using IoTGuard.Analysis.Baselines;
using Microsoft.Data.Sqlite;

namespace IoTGuard.Sites.State;

/// <summary>
/// What a site remembers from run to run: alerts with their events, analysts' answers, suppressions, devices as last seen. Writing the same
/// alert again changes nothing: alert ids come from packets.
/// </summary>
internal sealed partial class SiteState : IDisposable
{
    private const string AlertColumns = """
        alert.id, alert.phase, alert.rule, alert.severity, alert.incident, alert.first_ns, alert.last_ns, alert.raised_ns, alert.json,
        (SELECT answer FROM answer WHERE answer.alert = alert.id ORDER BY answer.id DESC LIMIT 1)
        """;

    private readonly StateFile _file;

    private SiteState(StateFile file) => _file = file;

    /// <summary>The file, for messages.</summary>
    public string Path => _file.Path;

    /// <summary>Null when the folder may not be written.</summary>
    public static SiteState? TryOpenToWrite(string folder) => StateFile.TryOpenToWrite(folder) is { } file ? new SiteState(file) : null;

    /// <summary>For a command that cannot do without.</summary>
    public static SiteState OpenToWrite(string folder)
    {
        SiteFolder.RequireFolder(folder);
        return TryOpenToWrite(folder)
            ?? throw new UserException(ExitStatus.Unusable, $"the site folder {folder} cannot be written; run this as a user who may write there");
    }

    /// <summary>Null when nothing was remembered yet.</summary>
    public static SiteState? OpenToRead(string folder)
    {
        SiteFolder.RequireFolder(folder);
        return StateFile.OpenToRead(folder) is { } file ? new SiteState(file) : null;
    }

    /// <summary>Writes events of alerts, and alerts as they now stand, at once.</summary>
    public void Write(IEnumerable<AlertEvent> events, IEnumerable<StoredAlert> alerts) => _file.InTransaction(() => WriteAlerts(events, alerts));

    private void WriteAlerts(IEnumerable<AlertEvent> events, IEnumerable<StoredAlert> alerts)
    {
        foreach (var e in events)
        {
            _file.Run("INSERT INTO alert_event VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO UPDATE SET count = excluded.count, severity = excluded.severity",
                e.Alert, e.TimeNs, AlertEvent.NameOf(e.Phase), e.Count, e.Severity);
        }

        foreach (var a in alerts)
        {
            // A run over less of the same traffic knows less: it does not replace what is known.
            _file.Run("""
                INSERT INTO alert VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
                ON CONFLICT (id) DO UPDATE SET phase = excluded.phase, severity = excluded.severity, incident = excluded.incident,
                    last_ns = excluded.last_ns, raised_ns = excluded.raised_ns, json = excluded.json
                WHERE excluded.last_ns > alert.last_ns OR (excluded.last_ns = alert.last_ns AND (excluded.phase = 'closed' OR alert.phase = 'open'))
                """,
                a.Id, a.IsOpen ? "open" : "closed", a.Rule, a.Severity, a.Incident, a.FirstNs, a.LastNs, a.RaisedNs, a.Json);
        }
    }

    /// <summary>Alerts in order of their first packet.</summary>
    public List<StoredAlert> Alerts()
    {
        var suppressions = Suppressions().All;
        var alerts = _file.Read($"SELECT {AlertColumns} FROM alert ORDER BY first_ns, id", ReadAlert);
        if (suppressions.Count == 0)
            return alerts;
        return [.. alerts.Select(a => suppressions.FirstOrDefault(a.IsCoveredBy) is { } by ? a with { Suppression = by } : a)];
    }

    /// <summary>Alerts that are open, or that were when a sensor ended without closing them.</summary>
    public List<StoredAlert> OpenAlerts() => _file.Read($"SELECT {AlertColumns} FROM alert WHERE phase = 'open' ORDER BY first_ns, id", ReadAlert);

    public List<AlertEvent> EventsOf(string alert) => _file.Read(
        "SELECT phase, time_ns, count, severity FROM alert_event WHERE alert = $1 ORDER BY time_ns, CASE phase WHEN 'opened' THEN 0 WHEN 'updated' THEN 1 ELSE 2 END",
        r => new AlertEvent(alert, AlertEvent.PhaseOf(r.GetString(0)), r.GetInt64(1), r.GetInt64(2), r.GetInt32(3)),
        alert);

    public List<GivenAnswer> AnswersTo(string alert) => _file.Read(
        "SELECT answer, note, given_ns FROM answer WHERE alert = $1 ORDER BY id", static r => new GivenAnswer(r.GetString(0), TextAt(r, 1), r.GetInt64(2)), alert);

    public void Answer(string alert, string answer, string? note, long nowNs) =>
        _file.Run("INSERT INTO answer (alert, answer, note, given_ns) VALUES ($1, $2, $3, $4)", alert, answer, note, nowNs);

    public Suppressions Suppressions() => new(_file.Read(
        "SELECT id, rule, device, peer, from_ns, until_ns, reason, alert, made_ns, ended_ns FROM suppression ORDER BY id",
        static r => new Suppression(r.GetInt64(0), TextAt(r, 1), TextAt(r, 2), TextAt(r, 3), NumberAt(r, 4), r.GetInt64(5), r.GetString(6), TextAt(r, 7), r.GetInt64(8), NumberAt(r, 9))));

    /// <summary>Adds a suppression and returns its number.</summary>
    public long Add(Suppression s)
    {
        _file.Run(
            "INSERT INTO suppression (rule, device, peer, from_ns, until_ns, reason, alert, made_ns) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            s.Rule, s.Device, s.Peer, s.FromNs, s.UntilNs, s.Reason, s.Alert, s.MadeNs);
        return _file.Number("SELECT last_insert_rowid()");
    }

    /// <summary>Takes a suppression back; false when there is none of that number in force.</summary>
    public bool End(long id, long nowNs) => _file.Run("UPDATE suppression SET ended_ns = $2 WHERE id = $1 AND ended_ns IS NULL", id, nowNs) > 0;

    /// <summary>From now on what was written survives a crash of the machine too, at the price of a wait for the disk with every transaction.</summary>
    public void SyncEveryWrite() => _file.Run("PRAGMA synchronous = FULL");

    /// <summary>Changes whenever another process wrote.</summary>
    public long DataVersion() => _file.Number("PRAGMA data_version");

    /// <summary>Takes devices in as they were last seen.</summary>
    public void Write(IReadOnlyCollection<DeviceEntry> devices) => _file.InTransaction(() =>
    {
        foreach (var seen in devices)
        {
            var known = _file.Read("SELECT json, first_ns, last_ns FROM device WHERE address = $1", ReadDevice, seen.Address);
            var device = known.Count == 0 ? seen : seen.After(known[0]);
            _file.Run("INSERT OR REPLACE INTO device VALUES ($1, $2, $3, $4)",
                device.Address, device.FirstNs, device.LastNs, JsonSerializer.Serialize(device, DeviceJson.Default.DeviceEntry));
            foreach (var address in seen.Addresses)
            {
                _file.Run("""
                    INSERT INTO sighting VALUES ($1, $2, $3, $4)
                    ON CONFLICT DO UPDATE SET first_ns = min(first_ns, excluded.first_ns), last_ns = max(last_ns, excluded.last_ns)
                    """,
                    address, seen.Mac ?? "", seen.FirstNs, seen.LastNs);
            }
        }
    });

    /// <summary>Keeps what a sensor took in, in place of what it kept before.</summary>
    public void Write(Site settled) => _file.InTransaction(() =>
    {
        _file.Run("DELETE FROM settled");
        foreach (var (name, content) in settled.ToFiles())
            _file.Run("INSERT INTO settled VALUES ($1, $2)", name, content);
    });

    /// <summary>What sensors took in beside what was learned; empty when they took in nothing.</summary>
    /// <exception cref="SiteException">It is damaged.</exception>
    public Site Settled()
    {
        var files = _file.Read("SELECT name, content FROM settled", static r => (Name: r.GetString(0), Content: (byte[])r.GetValue(1)));
        return files.Count == 0 ? Site.Empty : Site.FromFiles(files.ToDictionary(static f => f.Name, static f => f.Content, StringComparer.Ordinal));
    }

    public List<DeviceEntry> Devices() => _file.Read("SELECT json, first_ns, last_ns FROM device ORDER BY address", ReadDevice);

    /// <summary>All addresses with the hardware address they were seen with.</summary>
    public List<(string Address, string? Mac, long FirstNs, long LastNs)> Sightings() => _file.Read(
        "SELECT address, mac, first_ns, last_ns FROM sighting ORDER BY first_ns, address",
        static r => (r.GetString(0), r.GetString(1) is { Length: > 0 } mac ? mac : null, r.GetInt64(2), r.GetInt64(3)));

    public void Dispose() => _file.Dispose();

    private static StoredAlert ReadAlert(SqliteDataReader r) => new(
        r.GetString(0), r.GetString(1) == "open", r.GetString(2), r.GetInt32(3), TextAt(r, 4), r.GetInt64(5), r.GetInt64(6), r.GetInt64(7), r.GetString(8), TextAt(r, 9));

    private static DeviceEntry ReadDevice(SqliteDataReader r) =>
        JsonSerializer.Deserialize(r.GetString(0), DeviceJson.Default.DeviceEntry)! with { FirstNs = r.GetInt64(1), LastNs = r.GetInt64(2) };

    private static string? TextAt(SqliteDataReader r, int column) => r.IsDBNull(column) ? null : r.GetString(column);

    private static long? NumberAt(SqliteDataReader r, int column) => r.IsDBNull(column) ? null : r.GetInt64(column);
}
