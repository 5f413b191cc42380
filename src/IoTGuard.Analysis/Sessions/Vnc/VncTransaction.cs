namespace IoTGuard.Analysis.Sessions;

/// <summary>How a VNC connection (RFB, RFC 6143) begins: one per connection.</summary>
public sealed class VncTransaction : LoginTransaction
{
    /// <summary>"3.8" and so on.</summary>
    public string? ServerVersion { get; set; }

    public string? ClientVersion { get; set; }

    /// <summary>Number of the security type in use (RFC 6143 7.1.2); 0 = none was agreed on.</summary>
    public int SecurityType { get; set; }

    /// <summary>True when the server offers to let everybody in.</summary>
    public bool OffersNone { get; set; }

    public override string Protocol => "vnc";

    public override string EventName => "connect";

    public override void Reset()
    {
        base.Reset();
        ServerVersion = ClientVersion = null;
        SecurityType = 0;
        OffersNone = false;
    }

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        writer.Text("server_version", ServerVersion);
        writer.Text("client_version", ClientVersion);
        WriteCount(ref writer, "security_type", SecurityType);
        writer.Text("security", NameOf(SecurityType));
        WriteFlag(ref writer, "offers_none", OffersNone);
        WriteLogin(ref writer);
    }

    internal void CopyFrom(VncTransaction other)
    {
        (ServerVersion, ClientVersion, SecurityType, OffersNone) = (other.ServerVersion, other.ClientVersion, other.SecurityType, other.OffersNone);
        (Login, FailedLogins) = (other.Login, other.FailedLogins);
    }

    private static string? NameOf(int type) => type switch
    {
        0 => null,
        1 => "none",
        2 => "vnc",
        5 or 6 or 13 => "ra2",
        16 => "tight",
        17 => "ultra",
        18 => "tls",
        19 => "vencrypt",
        20 => "sasl",
        30 or 35 => "apple",
        _ => "other",
    };
}
