using IoTGuard.Analysis.Alerts;

namespace IoTGuard.Benchmarks.Inputs;

/// <summary>An alert of usual size.</summary>
internal static class SampleAlert
{
    public static Alert Create() => new()
    {
        Id = "a0000000000000001",
        Rule = "dicom-query-harvest",
        Title = "Query harvesting",
        Category = "exfiltration",
        Severity = 7,
        Confidence = 0.875,
        FirstSeenNs = 1_767_323_045_123_456_789,
        LastSeenNs = 1_767_323_105_123_456_789,
        Count = 12,
        Device = new AlertEndpoint("10.0.0.7", "00:11:22:33:44:55", "workstation", "WS7", "Maker", null),
        Peer = new AlertEndpoint("10.0.0.8", null, "PACS", null, null, null),
        Protocol = "dicom",
        Ports = [104, 11112],
        CommunityIds = ["1:wCb3OG7yAFWelaUydu0D+125CLM=", "1:8gxVQmzUGrC3oUzAbWqlGYTb8Pw="],
        Description = "10.0.0.7 asked 10.0.0.8 for the studies of 4,711 patients in an hour; it usually asks for 12.",
        Evidence = [new Evidence("patients", "4711", "12", "per hour"), new Evidence("queries", "96", "10", "per hour")],
        Score = new ModelScore(0.0004, [new Contribution("bytes_total", 1e9, "B", 0.7), new Contribution("duration", 12, "s", 0.3)]),
        Attack = [new AttackTechnique("T1119", "Automated Collection")],
        PatientsAffected = 317,
        Recommendation = "Ask the owner of the workstation whether this was meant.",
    };
}
