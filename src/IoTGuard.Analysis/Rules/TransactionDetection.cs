using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;

namespace IoTGuard.Analysis.Rules;

/// <summary>Rules over the transactions of protocols other than DICOM and HL7. One row each in the detector's list.</summary>
internal abstract class TransactionDetection
{
    /// <summary>A transaction, of any protocol; in order of packet time. Both devices are in the inventory already.</summary>
    public abstract void OnTransaction(Transaction transaction, long timeNs);

    /// <summary>A flow goes on: an interim record, after a time or many packets.</summary>
    public virtual void OnUpdated(in FlowRecord flow, long timeNs)
    {
    }

    /// <summary>A flow ended.</summary>
    public virtual void OnClosed(in FlowRecord flow, long timeNs)
    {
    }

    /// <summary>Packet time passed a whole second.</summary>
    public virtual void Tick(long timeNs)
    {
    }
}
