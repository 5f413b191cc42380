using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Sessions;

/// <summary>What a client asks of a SOCKS proxy (RFC 1928; SOCKS 4): one per connection.</summary>
public sealed class SocksTransaction : Transaction
{
    /// <summary>4 or 5.</summary>
    public int Version { get; set; }

    /// <summary>CMD: 1 connect, 2 bind, 3 UDP associate; 0 = nothing was asked.</summary>
    public int Command { get; set; }

    /// <summary>METHOD that the proxy chose; -1 = none was seen. SOCKS 4 has none.</summary>
    public int Method { get; set; } = -1;

    /// <summary>Of SOCKS 4, whether the client names a user; the name is never kept.</summary>
    public bool HasUser { get; set; }

    /// <summary>The target's address, or its name.</summary>
    public IpAddress TargetAddress { get; set; }

    public string? TargetName { get; set; }

    public ushort TargetPort { get; set; }

    /// <summary>REP of SOCKS 5, CD of SOCKS 4; -1 = no reply was seen.</summary>
    public int Reply { get; set; } = -1;

    /// <summary>True when the proxy refused the log-in.</summary>
    public bool IsLoginRefused { get; set; }

    /// <summary>True when the proxy did what was asked.</summary>
    public bool IsGranted => Reply == (Version == 4 ? 90 : 0);

    public override string Protocol => "socks";

    public override string EventName => Command switch { 2 => "bind", 3 => "udp_associate", _ => "connect" };

    public override void Reset()
    {
        Version = Command = 0;
        Method = Reply = -1;
        HasUser = IsLoginRefused = false;
        TargetAddress = default;
        TargetName = null;
        TargetPort = 0;
    }

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        writer.Number("version", Version);
        writer.Text("authentication", MethodName);
        if (IsLoginRefused)
            writer.Flag("login_refused", true);
        if (HasUser)
            writer.Flag("has_user", true);
        writer.Text("target", TargetName ?? (TargetAddress == default ? null : TargetAddress.ToString()));
        if (TargetPort > 0)
            writer.Number("target_port", TargetPort);
        if (Reply < 0)
            return;
        writer.Flag("granted", IsGranted);
        writer.Number("reply", Reply);
    }

    internal void CopyFrom(SocksTransaction other)
    {
        (Version, Command, Method, Reply, HasUser, IsLoginRefused) = (other.Version, other.Command, other.Method, other.Reply, other.HasUser, other.IsLoginRefused);
        (TargetAddress, TargetName, TargetPort) = (other.TargetAddress, other.TargetName, other.TargetPort);
    }

    /// <summary>RFC 1928 3, and IANA's list of methods.</summary>
    private string? MethodName => Method switch
    {
        -1 => null,
        0 => "none",
        1 => "gssapi",
        2 => "password",
        0xFF => "refused",
        _ => "other",
    };
}
