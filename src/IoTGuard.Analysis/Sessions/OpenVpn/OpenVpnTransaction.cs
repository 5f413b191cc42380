using IoTGuard.Wire.Application.OpenVpn;

namespace IoTGuard.Analysis.Sessions;

/// <summary>A session of OpenVPN that a client begins.</summary>
public sealed class OpenVpnTransaction : Transaction
{
    private static readonly string[] ProtectionNames = ["tls", "tls-auth", "tls-crypt", "tls-crypt-v2"];

    /// <summary>How the control channel is protected.</summary>
    public OpenVpnProtection Protection { get; set; }

    public override string Protocol => "openvpn";

    public override string EventName => "connect";

    public override void Reset() => Protection = OpenVpnProtection.None;

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        writer.Text("protection", ProtectionNames[(int)Protection]);
        writer.Flag("answered", DurationNs >= 0);
    }
}
