using Microsoft.Data.Sqlite;

namespace IoTGuard.Sites.State;

/// <summary>The SQLite file of a site's state: opening, version, and statements. Writers wait for each other; readers never wait.</summary>
internal sealed class StateFile : IDisposable
{
    public const string FileName = "state.db";

    /// <summary>How long a statement waits for another process that writes, seconds.</summary>
    private const int WaitSeconds = 30;

    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    // Result codes of SQLite.
    private const int ReadOnly = 8;
    private const int CannotOpen = 14;

    private readonly SqliteConnection _connection;

    private StateFile(string path, SqliteConnection connection)
    {
        Path = path;
        _connection = connection;
    }

    public string Path { get; }

    /// <summary>Opens the state of a site folder to write, making it when it is missing. Null when the folder may not be written.</summary>
    public static StateFile? TryOpenToWrite(string folder)
    {
        var path = System.IO.Path.Combine(folder, FileName);
        try
        {
            if (!File.Exists(path))
            {
                var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
                if (!OperatingSystem.IsWindows())
                    options.UnixCreateMode = Mode;
                using var made = new FileStream(path, options);
            }

            var file = Open(path, path, SqliteOpenMode.ReadWrite);
            try
            {
                file.Run("PRAGMA journal_mode = WAL");
                file.Run("PRAGMA synchronous = NORMAL");
                file.BringForward();
                return file;
            }
            catch
            {
                file.Dispose();
                throw;
            }
        }
        catch (SqliteException e) when (e.SqliteErrorCode is ReadOnly or CannotOpen)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
        catch (SqliteException e)
        {
            throw Unusable(path, e);
        }
    }

    /// <summary>Opens the state to read; null when there is none.</summary>
    public static StateFile? OpenToRead(string folder)
    {
        var path = System.IO.Path.Combine(folder, FileName);
        if (!File.Exists(path) || new FileInfo(path).Length == 0)
            return null;
        try
        {
            return Checked(Open(path, path, SqliteOpenMode.ReadOnly));
        }
        catch (SqliteException e) when (e.SqliteErrorCode is ReadOnly or CannotOpen)
        {
            // In a folder that may not be written, WAL needs to be told that nobody writes.
            try
            {
                return Checked(Open(path, new Uri(System.IO.Path.GetFullPath(path)).AbsoluteUri + "?immutable=1", SqliteOpenMode.ReadOnly));
            }
            catch (SqliteException again)
            {
                throw Unusable(path, again);
            }
        }
        catch (SqliteException e)
        {
            throw Unusable(path, e);
        }
    }

    /// <summary>Why a statement failed, in words.</summary>
    public static string Reason(SqliteException e)
    {
        var message = e.Message;
        var quote = message.IndexOf('\'', StringComparison.Ordinal);
        return quote < 0 ? message : message[(quote + 1)..].TrimEnd('.', '\'');
    }

    /// <summary>Everything in between becomes visible, and durable, at once or not at all.</summary>
    public void InTransaction(Action work)
    {
        using var transaction = _connection.BeginTransaction(deferred: false);
        work();
        transaction.Commit();
    }

    /// <summary>Runs a statement; parameters are named $1, $2 ...</summary>
    public int Run(string sql, params ReadOnlySpan<object?> values)
    {
        using var command = Command(sql, values);
        return command.ExecuteNonQuery();
    }

    public long Number(string sql, params ReadOnlySpan<object?> values)
    {
        using var command = Command(sql, values);
        return Convert.ToInt64(command.ExecuteScalar() ?? 0L);
    }

    public List<T> Read<T>(string sql, Func<SqliteDataReader, T> read, params ReadOnlySpan<object?> values)
    {
        using var command = Command(sql, values);
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
            rows.Add(read(reader));
        return rows;
    }

    public void Dispose() => _connection.Dispose();

    private static StateFile Open(string path, string source, SqliteOpenMode mode)
    {
        var settings = new SqliteConnectionStringBuilder { DataSource = source, Mode = mode, Pooling = false, DefaultTimeout = WaitSeconds };
        var connection = new SqliteConnection(settings.ToString());
        try
        {
            connection.Open();
            return new StateFile(path, connection);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static StateFile Checked(StateFile file)
    {
        try
        {
            var version = file.Number("PRAGMA user_version");
            if (version == StateSchema.Version)
                return file;
            throw version > StateSchema.Version
                ? Newer(file.Path, version)
                : new UserException(ExitStatus.Unusable, $"{file.Path} is of an older version ({version}); any 'iotguard analyze CAPTURE --site' that may write there brings it forward");
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private void BringForward()
    {
        if (Number("PRAGMA user_version") == StateSchema.Version)
            return;
        InTransaction(() =>
        {
            // Another process may have been first.
            var version = Number("PRAGMA user_version");
            if (version > StateSchema.Version)
                throw Newer(Path, version);
            for (var step = (int)version; step < StateSchema.Version; step++)
                Run(StateSchema.Steps[step]);
            Run($"PRAGMA user_version = {StateSchema.Version}");
        });
    }

    private SqliteCommand Command(string sql, ReadOnlySpan<object?> values)
    {
        var command = _connection.CreateCommand();
        command.CommandText = sql;
        for (var i = 0; i < values.Length; i++)
            command.Parameters.AddWithValue($"${i + 1}", values[i] ?? DBNull.Value);
        return command;
    }

    private static UserException Newer(string path, long version) => new(
        ExitStatus.Unusable, $"{path} has version {version}, and this program knows versions up to {StateSchema.Version}; use a newer program");

    private static UserException Unusable(string path, SqliteException e) => new(
        ExitStatus.Unusable, $"{path} cannot be used: {Reason(e)}; restore it from a backup, or move it away to begin a new one", e);
}
