namespace IoTGuard.Analysis.Sessions;

/// <summary>What happened on an SSH connection.</summary>
public enum SshEvent : byte
{
    /// <summary>Both sides said what they can; what follows is encrypted.</summary>
    Handshake,

    /// <summary>The end of the connection.</summary>
    Session,
}

/// <summary>One SSH event (RFC 4253).</summary>
public sealed class SshTransaction : LoginTransaction
{
    public SshEvent Event { get; set; }

    /// <summary>Identification strings without "SSH-", e.g. "2.0-OpenSSH_9.2p1 Debian-2".</summary>
    public string? ClientVersion { get; set; }

    public string? ServerVersion { get; set; }

    public string? Hassh { get; set; }

    public string? HasshServer { get; set; }

    // What both agree on.
    public string? KeyExchange { get; set; }

    public string? HostKey { get; set; }

    public string? Cipher { get; set; }

    public string? Mac { get; set; }

    /// <summary>Payload bytes of the connection, of each side.</summary>
    public long ClientBytes { get; set; }

    public long ServerBytes { get; set; }

    public override string Protocol => "ssh";

    public override string EventName => Event == SshEvent.Handshake ? "handshake" : "session";

    public override void Reset()
    {
        base.Reset();
        Event = SshEvent.Session;
        ClientVersion = ServerVersion = Hassh = HasshServer = KeyExchange = HostKey = Cipher = Mac = null;
        ClientBytes = ServerBytes = 0;
    }

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        writer.Text("client_version", ClientVersion);
        writer.Text("server_version", ServerVersion);
        if (Event == SshEvent.Session)
        {
            WriteLogin(ref writer);
            WriteCount(ref writer, "client_bytes", ClientBytes);
            WriteCount(ref writer, "server_bytes", ServerBytes);
            return;
        }

        writer.Text("hassh", Hassh);
        writer.Text("hassh_server", HasshServer);
        writer.Text("key_exchange", KeyExchange);
        writer.Text("host_key", HostKey);
        writer.Text("cipher", Cipher);
        writer.Text("mac", Mac);
    }

    internal void CopyFrom(SshTransaction other)
    {
        (ClientVersion, ServerVersion, Hassh, HasshServer) = (other.ClientVersion, other.ServerVersion, other.Hassh, other.HasshServer);
        (KeyExchange, HostKey, Cipher, Mac) = (other.KeyExchange, other.HostKey, other.Cipher, other.Mac);
    }
}
