namespace IoTGuard.Analysis.Alerts;

/// <summary>A device as an alert names it; absent facts are null.</summary>
/// <param name="Zone">Name of its zone in the site's policy; null when no zone holds it.</param>
public sealed record AlertEndpoint(string? Ip, string? Mac, string? Role, string? Name, string? Vendor, string? Model, string? Zone = null);

/// <summary>One observed value beside what is normal.</summary>
/// <param name="Name">What was measured.</param>
/// <param name="Observed">The value seen.</param>
/// <param name="Normal">What is usual: a value, a range, a list; null when nothing is known.</param>
/// <param name="Unit">Unit of both; empty for none.</param>
public sealed record Evidence(string Name, string Observed, string? Normal, string Unit);

/// <summary>How much one feature moved a model's score.</summary>
public sealed record Contribution(string Feature, double Value, string Unit, double Share);

/// <summary>What the model said.</summary>
public sealed record ModelScore(double PValue, IReadOnlyList<Contribution> Contributions);

/// <summary>An ATT&amp;CK technique.</summary>
public sealed record AttackTechnique(string Id, string Name);

/// <summary>A finding, correlated over its burst of activity. Mutable while open; outputs get it at opening, updates and closing.</summary>
public sealed class Alert
{
    /// <summary>Deterministic: from rule, device, peer and first packet time.</summary>
    public required string Id { get; init; }

    /// <summary>Id of the incident that it belongs to, deterministic too.</summary>
    public string? Incident { get; set; }

    public required string Rule { get; init; }

    public required string Title { get; init; }

    public required string Category { get; init; }

    /// <summary>0 (informational) to 10.</summary>
    public int Severity { get; set; }

    /// <summary>0 to 1.</summary>
    public double Confidence { get; set; }

    /// <summary>Packet times, ns since 1970.</summary>
    public long FirstSeenNs { get; init; }

    public long LastSeenNs { get; set; }

    /// <summary>Packet time at which the evidence sufficed, ns since 1970; time to detect runs to here.</summary>
    public long RaisedNs { get; init; }

    /// <summary>Observations joined in this alert.</summary>
    public long Count { get; set; }

    /// <summary>The device that the alert is about: the attacker inside, or the misconfigured device.</summary>
    public required AlertEndpoint Device { get; set; }

    public AlertEndpoint? Peer { get; set; }

    public string? Protocol { get; set; }

    public IReadOnlyList<int> Ports { get; set; } = [];

    public IReadOnlyList<string> CommunityIds { get; set; } = [];

    public required string Description { get; set; }

    public IReadOnlyList<Evidence> Evidence { get; set; } = [];

    public ModelScore? Score { get; set; }

    public IReadOnlyList<AttackTechnique> Attack { get; init; } = [];

    /// <summary>Distinct patient pseudonyms concerned; null where the rule does not count patients.</summary>
    public int? PatientsAffected { get; set; }

    public required string Recommendation { get; init; }
}

/// <summary>State of an alert when it is handed to outputs.</summary>
public enum AlertPhase : byte
{
    Opened,
    Updated,
    Closed,
}

/// <summary>Receives alerts in order of the run. The alert may change after the call: take what is needed at once.</summary>
public interface IAlertSink
{
    void OnAlert(Alert alert, AlertPhase phase);
}
