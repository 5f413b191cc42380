using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Sessions;

/// <summary>How a connection to a database began. Queries, users and names of databases are not kept.</summary>
public sealed class DatabaseTransaction : Transaction
{
    /// <summary>Which database.</summary>
    public ApplicationProtocol Kind { get; set; }

    public string? ServerVersion { get; set; }

    /// <summary>"none" when the server let the client in without any; else how the client proved itself; null when that was not seen.</summary>
    public string? Authentication { get; set; }

    public bool IsEncrypted { get; set; }

    /// <summary>True when the server let the client in, or answered a query.</summary>
    public bool IsAccepted { get; set; }

    public bool IsRefused { get; set; }

    public override string Protocol => ApplicationProtocols.NameOf(Kind);

    public override string EventName => "connect";

    public override void Reset()
    {
        Kind = ApplicationProtocol.Unknown;
        ServerVersion = Authentication = null;
        IsEncrypted = IsAccepted = IsRefused = false;
    }

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        writer.Text("server_version", ServerVersion);
        writer.Text("authentication", Authentication);
        writer.Flag("encrypted", IsEncrypted);
        writer.Flag("accepted", IsAccepted);
        writer.Flag("refused", IsRefused);
    }
}
