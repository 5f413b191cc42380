namespace IoTGuard.Analysis.Sessions;

/// <summary>A POP3 (RFC 1939) or IMAP (RFC 9051) connection up to a log-in that succeeds, or to TLS. One per connection. Names, passwords and contents are never kept.</summary>
public sealed class MailboxTransaction : LoginTransaction
{
    /// <summary>True for IMAP.</summary>
    public bool IsImap { get; set; }

    /// <summary>The greeting.</summary>
    public string? Software { get; set; }

    public bool StartsTls { get; set; }

    public override string Protocol => IsImap ? "imap" : "pop3";

    public override string EventName => "session";

    public override void Reset()
    {
        base.Reset();
        IsImap = StartsTls = false;
        Software = null;
    }

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        WriteLogin(ref writer);
        writer.Text("software", Software);
        WriteFlag(ref writer, "start_tls", StartsTls);
    }
}
