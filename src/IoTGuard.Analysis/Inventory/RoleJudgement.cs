namespace IoTGuard.Analysis.Inventory;

/// <summary>A role, how sure it is (0 to 1), and the deeds it rests on.</summary>
public readonly record struct RoleJudgement(DeviceRole Role, double Confidence, string Reason)
{
    private delegate int Evidence(Device device);

    private sealed record Rule(DeviceRole Role, Evidence Count, string Reason, double Weight);

    // The first rule with the greatest weight × saturation wins; order breaks ties.
    private static readonly Rule[] Table =
    [
        new(DeviceRole.Router, static d => d.IsRouter ? 10 : 0, "its hardware address carries packets of many addresses", 1.0),
        new(DeviceRole.Pacs, static d => Both(d.Deeds[Deed.StoresAccepted], d.Deeds[Deed.QueriesAnswered] + d.Deeds[Deed.RetrievesAnswered]), "keeps images and answers queries", 0.98),
        new(DeviceRole.Pacs, static d => d.Deeds[Deed.RetrievesAnswered], "answers C-MOVE or C-GET", 0.9),
        new(DeviceRole.WorklistServer, static d => Both(d.Deeds[Deed.WorklistAnswered] + d.Deeds[Deed.StepsAccepted], d.Deeds[Deed.Hl7Received] + d.Deeds.Hl7Sent), "answers modality worklist or performed steps and speaks HL7, as a radiology information system does", 0.97),
        new(DeviceRole.LaboratoryInformationSystem, static d => Both(d.Deeds[Deed.SamplesReceived], d.Deeds[Deed.Hl7Received] + d.Deeds.Hl7Sent), "takes the results of analysers and speaks HL7", 0.96),
        new(DeviceRole.LaboratoryInformationSystem, static d => d.Deeds.AnsweredOrders, "is told of admissions, takes orders and sends results", 0.96),
        new(DeviceRole.HospitalInformationSystem, static d => d.Deeds.ReportedOn, "sends admissions or orders and takes results only", 0.96),
        new(DeviceRole.InterfaceEngine, static d => Both(d.Deeds[Deed.Hl7Received], d.Deeds.Hl7Sent), "receives and sends HL7", 0.95),
        new(DeviceRole.WorklistServer, static d => d.Deeds[Deed.WorklistAnswered] + d.Deeds[Deed.StepsAccepted], "answers modality worklist or performed steps", 0.94),
        new(DeviceRole.Modality, static d => Both(d.Deeds[Deed.StoresSent], d.Deeds[Deed.WorklistAsked] + d.Deeds[Deed.StepsReported]), "sends images and asks a worklist", 0.97),
        new(DeviceRole.Workstation, static d => d.Deeds[Deed.RetrievesAsked], "asks for images with C-MOVE or C-GET", 0.92),
        new(DeviceRole.Modality, static d => d.Deeds[Deed.WorklistAsked] + d.Deeds[Deed.StepsReported], "asks a worklist", 0.85),
        new(DeviceRole.Workstation, static d => d.Deeds[Deed.QueriesAsked], "queries images", 0.75),
        new(DeviceRole.Pacs, static d => d.Deeds[Deed.QueriesAnswered], "answers queries", 0.7),
        new(DeviceRole.Modality, static d => d.Deeds[Deed.StoresSent], "sends images", 0.65),
        new(DeviceRole.Pacs, static d => d.Deeds[Deed.StoresAccepted], "accepts images", 0.6),
        new(DeviceRole.PatientMonitor, static d => d.Deeds[Deed.VitalsShown], "gives vital signs to a central station", 0.9),
        new(DeviceRole.LaboratoryInformationSystem, static d => d.Deeds[Deed.SamplesReceived], "takes the results of analysers", 0.88),
        new(DeviceRole.Analyzer, static d => d.Deeds[Deed.SamplesSent], "sends the results of samples", 0.87),
        new(DeviceRole.HospitalInformationSystem, static d => d.Deeds[Deed.AdtSent] + d.Deeds[Deed.OrdersSent], "sends admissions or orders", 0.85),
        new(DeviceRole.Analyzer, static d => d.Deeds[Deed.ResultsSent], "sends results", 0.8),
        new(DeviceRole.HospitalInformationSystem, static d => d.Deeds[Deed.OtherHl7Sent], "sends HL7", 0.5),
        new(DeviceRole.Hl7Receiver, static d => d.Deeds[Deed.Hl7Received], "receives HL7", 0.6),
        new(DeviceRole.InfrastructureServer, static d => d.Deeds[Deed.InfrastructureAnswers], "answers DNS, DHCP, time or directory requests", 0.6),
        new(DeviceRole.Server, static d => d.Offered.Count, "offers services", 0.3),
        new(DeviceRole.Client, static d => d.Used.Count, "uses services", 0.2),
    ];

    // Names in outputs; whether it takes part in treating patients; whether treatment waits when it does not work.
    private static readonly (DeviceRole Role, string Name, bool IsMedical, bool IsVital)[] Roles =
    [
        (DeviceRole.Unknown, "unknown", false, false),
        (DeviceRole.Modality, "modality", true, true),
        (DeviceRole.Pacs, "pacs", true, true),
        (DeviceRole.Workstation, "workstation", true, false),
        (DeviceRole.WorklistServer, "worklist-server", true, true),
        (DeviceRole.InterfaceEngine, "interface-engine", true, true),
        (DeviceRole.HospitalInformationSystem, "hospital-information-system", true, true),
        (DeviceRole.Analyzer, "analyzer", true, true),
        (DeviceRole.PatientMonitor, "patient-monitor", true, true),
        (DeviceRole.LaboratoryInformationSystem, "laboratory-information-system", true, true),
        (DeviceRole.Hl7Receiver, "hl7-receiver", true, false),
        (DeviceRole.InfrastructureServer, "infrastructure-server", false, false),
        (DeviceRole.Router, "router", false, false),
        (DeviceRole.Client, "client", false, false),
        (DeviceRole.Server, "server", false, false),
    ];

    /// <summary>Name of a role in outputs.</summary>
    public static string NameOf(DeviceRole role) => Roles[(int)role].Name;

    /// <summary>True of a role in treating patients.</summary>
    public static bool IsMedical(DeviceRole role) => Roles[(int)role].IsMedical;

    /// <summary>True of a role, by its name, without which treatment waits.</summary>
    public static bool IsVital(string? role)
    {
        foreach (ref readonly var row in Roles.AsSpan())
        {
            if (row.IsVital && row.Name == role)
                return true;
        }

        return false;
    }

    /// <summary>Judges a device by its deeds.</summary>
    public static RoleJudgement Of(Device device)
    {
        var best = new RoleJudgement(DeviceRole.Unknown, 0, "nothing seen yet");
        foreach (var rule in Table)
        {
            var count = rule.Count(device);
            if (count == 0)
                continue;
            var confidence = rule.Weight * (1 - (0.5 / count));
            if (confidence > best.Confidence)
                best = new RoleJudgement(rule.Role, confidence, rule.Reason);
        }

        return best;
    }

    private static int Both(int one, int other) => Math.Min(one, other);
}
