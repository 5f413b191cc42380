namespace IoTGuard.Analysis.Sessions;

/// <summary>A message of SIP: who calls whom is not told. The client is who sent it.</summary>
public sealed class SipTransaction : Transaction
{
    public string? Method { get; set; }

    /// <summary>Status of a response; 0 = a request.</summary>
    public int Status { get; set; }

    /// <summary>User-Agent, or Server.</summary>
    public string? Software { get; set; }

    /// <summary>True when a request carries credentials.</summary>
    public bool HasCredentials { get; set; }

    public override string Protocol => "sip";

    public override string EventName => Status == 0 ? "request" : "response";

    public override void Reset()
    {
        Method = Software = null;
        Status = 0;
        HasCredentials = false;
    }

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        writer.Text("method", Method);
        if (Status > 0)
            writer.Number("status", Status);
        writer.Text("software", Software);
        if (HasCredentials)
            writer.Flag("credentials", true);
    }
}
