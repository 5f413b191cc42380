namespace IoTGuard.Analysis.Sessions;

/// <summary>What happened on an SMTP connection.</summary>
public enum SmtpEvent : byte
{
    Login,

    /// <summary>The end of the connection, or of its clear part: totals.</summary>
    Session,
}

/// <summary>One SMTP event (RFC 5321). Addresses and contents are never kept.</summary>
public sealed class SmtpTransaction : LoginTransaction
{
    public SmtpEvent Event { get; set; }

    /// <summary>The name that the server greets with, and what follows it.</summary>
    public string? ServerName { get; set; }

    public string? Software { get; set; }

    /// <summary>The name that the client says in EHLO or HELO.</summary>
    public string? ClientName { get; set; }

    /// <summary>Mechanism of AUTH (RFC 4954).</summary>
    public string? Mechanism { get; set; }

    public int ReplyCode { get; set; }

    public bool StartsTls { get; set; }

    public int Messages { get; set; }

    public int Recipients { get; set; }

    public int Refused { get; set; }

    public override string Protocol => "smtp";

    public override string EventName => Event == SmtpEvent.Login ? "login" : "session";

    public override void Reset()
    {
        base.Reset();
        Event = SmtpEvent.Session;
        ServerName = Software = ClientName = Mechanism = null;
        ReplyCode = 0;
        StartsTls = false;
        Messages = Recipients = Refused = 0;
    }

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        WriteLogin(ref writer);
        writer.Text("server_name", ServerName);
        writer.Text("software", Software);
        writer.Text("client_name", ClientName);
        writer.Text("mechanism", Mechanism);
        WriteCount(ref writer, "reply_code", ReplyCode);
        if (Event == SmtpEvent.Login)
            return;
        WriteFlag(ref writer, "start_tls", StartsTls);
        writer.Number("messages", Messages);
        WriteCount(ref writer, "recipients", Recipients);
        WriteCount(ref writer, "refused", Refused);
    }

    internal void CopyFrom(SmtpTransaction other)
    {
        (ServerName, Software, ClientName, Mechanism) = (other.ServerName, other.Software, other.ClientName, other.Mechanism);
        (StartsTls, Messages, Recipients, Refused, Bytes) = (other.StartsTls, other.Messages, other.Recipients, other.Refused, other.Bytes);
        (Login, FailedLogins, ClearPassword) = (other.Login, other.FailedLogins, other.ClearPassword);
    }
}
