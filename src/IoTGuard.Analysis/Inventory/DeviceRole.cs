namespace IoTGuard.Analysis.Inventory;

/// <summary>What a device is, judged by what it does.</summary>
public enum DeviceRole : byte
{
    Unknown,

    /// <summary>Makes images: sends C-STORE, asks a worklist, reports performed steps.</summary>
    Modality,

    /// <summary>Keeps images: accepts C-STORE, answers C-FIND, C-MOVE, C-GET.</summary>
    Pacs,

    /// <summary>Reads images: asks with C-FIND, C-MOVE, C-GET.</summary>
    Workstation,

    /// <summary>Answers modality worklist or performed procedure steps.</summary>
    WorklistServer,

    /// <summary>Receives and sends HL7.</summary>
    InterfaceEngine,

    /// <summary>Sends admissions and orders.</summary>
    HospitalInformationSystem,

    /// <summary>Sends results.</summary>
    Analyzer,

    /// <summary>Shows a patient's vital signs, and gives them to a central station.</summary>
    PatientMonitor,

    /// <summary>Takes the results of analysers, and reports them.</summary>
    LaboratoryInformationSystem,

    /// <summary>Receives HL7 only.</summary>
    Hl7Receiver,

    /// <summary>DNS, DHCP, time, directory.</summary>
    InfrastructureServer,
    Router,

    /// <summary>Uses services, offers none.</summary>
    Client,

    /// <summary>Offers services that are none of the above.</summary>
    Server,
}
