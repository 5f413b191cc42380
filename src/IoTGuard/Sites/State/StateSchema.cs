namespace IoTGuard.Sites.State;

/// <summary>
/// Tables of a site's state. The version stands in <c>PRAGMA user_version</c>; a newer program brings an older file forward by running the
/// steps it lacks, and refuses a file that is newer than itself. Times are ns since 1970: packet time, but for what analysts did.
/// </summary>
internal static class StateSchema
{
    /// <summary>Steps from each version to the next; the first makes the tables.</summary>
    public static readonly string[] Steps =
    [
        """
        CREATE TABLE alert (
            id TEXT PRIMARY KEY, phase TEXT NOT NULL, rule TEXT NOT NULL, severity INTEGER NOT NULL, incident TEXT,
            first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, raised_ns INTEGER NOT NULL, json TEXT NOT NULL) WITHOUT ROWID;
        CREATE INDEX alert_by_time ON alert (first_ns);
        CREATE TABLE alert_event (
            alert TEXT NOT NULL, time_ns INTEGER NOT NULL, phase TEXT NOT NULL, count INTEGER NOT NULL, severity INTEGER NOT NULL,
            PRIMARY KEY (alert, time_ns, phase)) WITHOUT ROWID;
        CREATE TABLE answer (
            id INTEGER PRIMARY KEY AUTOINCREMENT, alert TEXT NOT NULL, answer TEXT NOT NULL, note TEXT, given_ns INTEGER NOT NULL);
        CREATE INDEX answer_by_alert ON answer (alert, id);
        CREATE TABLE suppression (
            id INTEGER PRIMARY KEY AUTOINCREMENT, rule TEXT, device TEXT, peer TEXT, from_ns INTEGER, until_ns INTEGER NOT NULL,
            reason TEXT NOT NULL, alert TEXT, made_ns INTEGER NOT NULL, ended_ns INTEGER);
        CREATE TABLE device (address TEXT PRIMARY KEY, first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, json TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE sighting (
            address TEXT NOT NULL, mac TEXT NOT NULL, first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL,
            PRIMARY KEY (address, mac)) WITHOUT ROWID;
        CREATE INDEX sighting_by_mac ON sighting (mac);
        """,

        // What sensors took in beside what was learned.
        "CREATE TABLE settled (name TEXT PRIMARY KEY, content BLOB NOT NULL) WITHOUT ROWID;",

        // The journal of outputs: messages that are not settled. Sequences rise over all outputs.
        """
        CREATE TABLE outgoing (sequence INTEGER PRIMARY KEY, output TEXT NOT NULL, phase TEXT NOT NULL, message BLOB NOT NULL);
        CREATE INDEX outgoing_by_output ON outgoing (output, sequence);
        """,
    ];

    /// <summary>Version of the files that this program writes.</summary>
    public static int Version => Steps.Length;
}
