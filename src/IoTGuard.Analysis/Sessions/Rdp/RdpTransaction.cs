namespace IoTGuard.Analysis.Sessions;

/// <summary>How an RDP connection begins (MS-RDPBCGR 2.2.1.1, 2.2.1.2): one per connection.</summary>
public sealed class RdpTransaction : Transaction
{
    private static readonly string[] ProtocolNames = ["standard", "tls", "credssp", "rdstls", "credssp_ex", "aad"];

    /// <summary>True when the request carries "Cookie: mstshash=", which holds a user's name; the name is never kept.</summary>
    public bool HasCookie { get; set; }

    /// <summary>True when the request carries a routing token of a connection broker.</summary>
    public bool HasRoutingToken { get; set; }

    /// <summary>requestedProtocols; 0 = standard RDP security alone, -1 = a client that does not negotiate.</summary>
    public long Requested { get; set; } = -1;

    /// <summary>selectedProtocol; -1 = none was.</summary>
    public long Selected { get; set; } = -1;

    /// <summary>failureCode; 0 = none.</summary>
    public int FailureCode { get; set; }

    public override string Protocol => "rdp";

    public override string EventName => "connect";

    public override void Reset()
    {
        HasCookie = HasRoutingToken = false;
        Requested = Selected = -1;
        FailureCode = 0;
    }

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        if (HasCookie)
            writer.Flag("cookie", true);
        if (HasRoutingToken)
            writer.Flag("routing_token", true);
        if (Requested >= 0)
            writer.Number("requested_protocols", Requested);
        writer.Text("requested", NameOf(Requested));
        writer.Text("selected", NameOf(Selected));
        if (FailureCode > 0)
            writer.Number("failure_code", FailureCode);
    }

    internal void CopyFrom(RdpTransaction other)
    {
        (HasCookie, HasRoutingToken, Requested, Selected, FailureCode) = (other.HasCookie, other.HasRoutingToken, other.Requested, other.Selected, other.FailureCode);
    }

    /// <summary>The strongest protocol of a bit field; null for none.</summary>
    public static string? NameOf(long protocols) => protocols switch
    {
        < 0 => null,
        0 => ProtocolNames[0],
        _ when (protocols & 8) != 0 => ProtocolNames[4],
        _ when (protocols & 2) != 0 => ProtocolNames[2],
        _ when (protocols & 16) != 0 => ProtocolNames[5],
        _ when (protocols & 4) != 0 => ProtocolNames[3],
        _ => ProtocolNames[1],
    };
}
