namespace IoTGuard.Analysis.Sessions;

/// <summary>How a log-in ended.</summary>
public enum LoginResult : byte
{
    /// <summary>None was seen, or its end was not.</summary>
    Unknown,
    Succeeded,
    Failed,
}

/// <summary>An event of a protocol that people and programs log in with. Never holds a name or a password.</summary>
public abstract class LoginTransaction : Transaction
{
    private static readonly string?[] ResultNames = [null, "succeeded", "failed"];

    /// <summary>Result of the log-in, or of the last one of a session.</summary>
    public LoginResult Login { get; set; }

    /// <summary>Log-ins that failed and are not told by another event.</summary>
    public int FailedLogins { get; set; }

    /// <summary>True when a password was sent that everybody on the way can read.</summary>
    public bool ClearPassword { get; set; }

    public override void Reset()
    {
        Login = LoginResult.Unknown;
        FailedLogins = 0;
        ClearPassword = false;
    }

    protected void WriteLogin<TWriter>(ref TWriter writer)
        where TWriter : IFieldWriter, allows ref struct
    {
        writer.Text("login", ResultNames[(int)Login]);
        WriteCount(ref writer, "failed_logins", FailedLogins);
        WriteFlag(ref writer, "clear_password", ClearPassword);
    }

    protected static void WriteCount<TWriter>(ref TWriter writer, string name, long value)
        where TWriter : IFieldWriter, allows ref struct
    {
        if (value > 0)
            writer.Number(name, value);
    }

    protected static void WriteFlag<TWriter>(ref TWriter writer, string name, bool value)
        where TWriter : IFieldWriter, allows ref struct
    {
        if (value)
            writer.Flag(name, true);
    }
}
