namespace IoTGuard.Analysis.Sessions;

/// <summary>What happened on a Telnet connection.</summary>
public enum TelnetEvent : byte
{
    Login,
    Session,
}

/// <summary>One Telnet event (RFC 854).</summary>
public sealed class TelnetTransaction : LoginTransaction
{
    public TelnetEvent Event { get; set; }

    /// <summary>Option negotiations (IAC WILL, WONT, DO, DONT) of both sides.</summary>
    public int Negotiations { get; set; }

    /// <summary>True when the server asked for a name or a password.</summary>
    public bool HasPrompt { get; set; }

    public override string Protocol => "telnet";

    public override string EventName => Event == TelnetEvent.Login ? "login" : "session";

    public override void Reset()
    {
        base.Reset();
        Event = TelnetEvent.Session;
        Negotiations = 0;
        HasPrompt = false;
    }

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        WriteLogin(ref writer);
        if (Event == TelnetEvent.Login)
            return;
        WriteFlag(ref writer, "prompt", HasPrompt);
        WriteCount(ref writer, "negotiations", Negotiations);
    }
}
