namespace IoTGuard.Analysis.Inventory;

/// <summary>What a device is seen doing that roles are judged by. Site files name each in snake case: names are not changed.</summary>
public enum Deed
{
    StoresSent,
    StoresAccepted,
    QueriesAsked,
    QueriesAnswered,
    RetrievesAsked,
    RetrievesAnswered,
    WorklistAsked,
    WorklistAnswered,
    StepsReported,
    StepsAccepted,
    EchoesSent,
    AdtSent,
    OrdersSent,
    ResultsSent,
    OtherHl7Sent,
    Hl7Received,

    /// <summary>A part of <see cref="Hl7Received"/>, as the next two: by them who passes on what it is sent is told from who answers.</summary>
    AdtReceived,
    OrdersReceived,
    ResultsReceived,

    /// <summary>Messages of LIS02-A2 and POCT1-A.</summary>
    SamplesSent,
    SamplesReceived,

    /// <summary>Exchanges of vital signs, as the monitor.</summary>
    VitalsShown,

    /// <summary>The last, and the only one that says nothing about medicine: <see cref="Deeds"/> counts on both.</summary>
    InfrastructureAnswers,
}
