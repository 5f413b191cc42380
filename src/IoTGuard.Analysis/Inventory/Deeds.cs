namespace IoTGuard.Analysis.Inventory;

/// <summary>How often a device was seen doing what roles are judged by.</summary>
public struct Deeds
{
    public int StoresSent;
    public int StoresAccepted;
    public int QueriesAsked;
    public int QueriesAnswered;
    public int RetrievesAsked;
    public int RetrievesAnswered;
    public int WorklistAsked;
    public int WorklistAnswered;
    public int StepsReported;
    public int StepsAccepted;
    public int EchoesSent;
    public int AdtSent;
    public int OrdersSent;
    public int ResultsSent;
    public int OtherHl7Sent;
    public int Hl7Received;

    /// <summary>Parts of <see cref="Hl7Received"/>: by them who passes on what it is sent is told from who answers.</summary>
    public int AdtReceived;
    public int OrdersReceived;
    public int ResultsReceived;

    /// <summary>Messages of LIS02-A2 and POCT1-A.</summary>
    public int SamplesSent;
    public int SamplesReceived;

    /// <summary>Exchanges of vital signs, as the monitor.</summary>
    public int VitalsShown;
    public int InfrastructureAnswers;

    /// <summary>Adds the counts of another.</summary>
    internal void Add(in Deeds other)
    {
        StoresSent += other.StoresSent;
        StoresAccepted += other.StoresAccepted;
        QueriesAsked += other.QueriesAsked;
        QueriesAnswered += other.QueriesAnswered;
        RetrievesAsked += other.RetrievesAsked;
        RetrievesAnswered += other.RetrievesAnswered;
        WorklistAsked += other.WorklistAsked;
        WorklistAnswered += other.WorklistAnswered;
        StepsReported += other.StepsReported;
        StepsAccepted += other.StepsAccepted;
        EchoesSent += other.EchoesSent;
        AdtSent += other.AdtSent;
        OrdersSent += other.OrdersSent;
        ResultsSent += other.ResultsSent;
        OtherHl7Sent += other.OtherHl7Sent;
        Hl7Received += other.Hl7Received;
        AdtReceived += other.AdtReceived;
        OrdersReceived += other.OrdersReceived;
        ResultsReceived += other.ResultsReceived;
        SamplesSent += other.SamplesSent;
        SamplesReceived += other.SamplesReceived;
        VitalsShown += other.VitalsShown;
        InfrastructureAnswers += other.InfrastructureAnswers;
    }

    public readonly int Hl7Sent => AdtSent + OrdersSent + ResultsSent + OtherHl7Sent;

    /// <summary>Orders that a system answers with results, which passes nothing on.</summary>
    public readonly int AnsweredOrders => AdtReceived > 0 && AdtSent + OrdersSent + ResultsReceived == 0 ? Math.Min(OrdersReceived, ResultsSent) : 0;

    /// <summary>Admissions and orders of a system that is sent results and nothing else.</summary>
    public readonly int ReportedOn => AdtReceived + OrdersReceived == 0 ? Math.Min(AdtSent + OrdersSent, ResultsReceived) : 0;

    /// <summary>True when the device took part in DICOM, HL7 or the protocols of laboratories and monitors.</summary>
    public readonly bool IsMedical =>
        StoresSent + StoresAccepted + QueriesAsked + QueriesAnswered + RetrievesAsked + RetrievesAnswered + WorklistAsked + WorklistAnswered
        + StepsReported + StepsAccepted + EchoesSent + Hl7Sent + Hl7Received + SamplesSent + SamplesReceived + VitalsShown > 0;
}
