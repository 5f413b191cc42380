namespace IoTGuard.Analysis.Sessions;

/// <summary>What happened on an FTP control connection.</summary>
public enum FtpEvent : byte
{
    /// <summary>A log-in with its result.</summary>
    Login,

    /// <summary>The end of the connection, or of its clear part: totals.</summary>
    Session,
}

/// <summary>One FTP event (RFC 959, RFC 4217). File names and user names are never kept.</summary>
public sealed class FtpTransaction : LoginTransaction
{
    public FtpEvent Event { get; set; }

    /// <summary>First line of the greeting.</summary>
    public string? Software { get; set; }

    /// <summary>Reply to the log-in.</summary>
    public int ReplyCode { get; set; }

    /// <summary>The user was "anonymous" or "ftp".</summary>
    public bool IsAnonymous { get; set; }

    /// <summary>AUTH TLS was accepted: the rest is encrypted.</summary>
    public bool StartsTls { get; set; }

    // Of a session: how many commands of a kind succeeded, and how many were refused.
    public int Commands { get; set; }

    public int Stored { get; set; }

    public int Retrieved { get; set; }

    public int Deleted { get; set; }

    public int Renamed { get; set; }

    public int Listed { get; set; }

    public int Refused { get; set; }

    public override string Protocol => "ftp";

    public override string EventName => Event == FtpEvent.Login ? "login" : "session";

    public override void Reset()
    {
        base.Reset();
        Event = FtpEvent.Session;
        Software = null;
        ReplyCode = 0;
        IsAnonymous = StartsTls = false;
        Commands = Stored = Retrieved = Deleted = Renamed = Listed = Refused = 0;
    }

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        WriteLogin(ref writer);
        writer.Text("software", Software);
        WriteCount(ref writer, "reply_code", ReplyCode);
        WriteFlag(ref writer, "anonymous", IsAnonymous);
        if (Event == FtpEvent.Login)
            return;
        WriteFlag(ref writer, "start_tls", StartsTls);
        writer.Number("commands", Commands);
        WriteCount(ref writer, "stored", Stored);
        WriteCount(ref writer, "retrieved", Retrieved);
        WriteCount(ref writer, "deleted", Deleted);
        WriteCount(ref writer, "renamed", Renamed);
        WriteCount(ref writer, "listed", Listed);
        WriteCount(ref writer, "refused", Refused);
    }

    /// <summary>Takes over the totals of another transaction.</summary>
    internal void CopyFrom(FtpTransaction other)
    {
        (Event, Software, ReplyCode, IsAnonymous, StartsTls) = (other.Event, other.Software, other.ReplyCode, other.IsAnonymous, other.StartsTls);
        (Commands, Stored, Retrieved, Deleted, Renamed, Listed, Refused) =
            (other.Commands, other.Stored, other.Retrieved, other.Deleted, other.Renamed, other.Listed, other.Refused);
        (Login, FailedLogins, ClearPassword, Bytes) = (other.Login, other.FailedLogins, other.ClearPassword, other.Bytes);
    }
}
