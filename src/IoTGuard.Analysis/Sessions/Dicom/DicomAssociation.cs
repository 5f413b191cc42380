using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.Dicom;

namespace IoTGuard.Analysis.Sessions;

/// <summary>How far an association came (PS3.8 9.2, seen from outside).</summary>
internal enum DicomAssociationPhase : byte
{
    /// <summary>None, or over.</summary>
    None,
    Requested,
    Established,
    ReleaseRequested,
}

/// <summary>A presentation context as proposed and answered.</summary>
internal struct DicomContext
{
    public string? AbstractSyntax;

    /// <summary>The accepted transfer syntax; null while or where none is.</summary>
    public string? TransferSyntax;
    public bool IsProposed;
    public bool IsAccepted;
}

/// <summary>What both sides agreed on, and how far the association is.</summary>
internal sealed class DicomAssociation
{
    // As far as ids were met: most associations propose a few contexts.
    private DicomContext[] _contexts = [];

    public DicomAssociationPhase Phase { get; set; }

    /// <summary>The direction that the requestor sends in; a guess for a partial association.</summary>
    public FlowDirection Requestor { get; set; }

    /// <summary>True when the association's beginning was not seen.</summary>
    public bool IsPartial { get; set; }

    public string? CallingAe { get; set; }

    public string? CalledAe { get; set; }

    public string? RequestorClass { get; set; }

    public string? RequestorVersion { get; set; }

    public string? AcceptorClass { get; set; }

    public string? AcceptorVersion { get; set; }

    public long RequestorMaximumLength { get; set; }

    public long AcceptorMaximumLength { get; set; }

    public int ContextsProposed { get; set; }

    public int ContextsAccepted { get; set; }

    public int OperationsInvoked { get; set; }

    public int OperationsPerformed { get; set; }

    public int RoleSelections { get; set; }

    public int ExtendedNegotiations { get; set; }

    public int CommonExtendedNegotiations { get; set; }

    public byte UserIdentityType { get; set; }

    public bool UserIdentityConfirmed { get; set; }

    /// <summary>Packet time of the request's first byte, ns.</summary>
    public long RequestNs { get; set; }

    /// <summary>Bytes of the request and its answer, PDU headers included.</summary>
    public long Bytes { get; set; }

    /// <summary>Packet time of the release request's first byte, ns.</summary>
    public long ReleaseNs { get; set; }

    public FlowDirection ReleaseDirection { get; set; }

    /// <summary>Packet time of data before the accept, ns; -1 = none. A mirror may deliver the two directions out of order.</summary>
    public long EarlyDataNs { get; set; }

    /// <summary>Operations begun.</summary>
    public int Operations { get; set; }

    /// <summary>True once data on a context that was not accepted was told.</summary>
    public bool BadContextTold { get; set; }

    /// <summary>The context of an id, which is odd (PS3.8 9.3.2.2); good until the next call.</summary>
    public ref DicomContext Context(byte id)
    {
        var place = id >> 1;
        if (place >= _contexts.Length)
            Array.Resize(ref _contexts, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(place + 1, 4)));
        return ref _contexts[place];
    }

    /// <summary>Number of different abstract syntaxes proposed.</summary>
    public int CountAbstractSyntaxes()
    {
        var count = 0;
        for (var i = 0; i < _contexts.Length; i++)
        {
            if (!_contexts[i].IsProposed)
                continue;
            var isFirst = true;
            for (var j = 0; j < i && isFirst; j++)
                isFirst = !_contexts[j].IsProposed || !string.Equals(_contexts[j].AbstractSyntax, _contexts[i].AbstractSyntax, StringComparison.Ordinal);
            count += isFirst ? 1 : 0;
        }

        return count;
    }

    public void Reset()
    {
        Array.Clear(_contexts);
        Phase = DicomAssociationPhase.None;
        Requestor = FlowDirection.FromOriginator;
        IsPartial = UserIdentityConfirmed = BadContextTold = false;
        CallingAe = CalledAe = RequestorClass = RequestorVersion = AcceptorClass = AcceptorVersion = null;
        RequestorMaximumLength = AcceptorMaximumLength = RequestNs = ReleaseNs = EarlyDataNs = -1;
        OperationsInvoked = OperationsPerformed = -1;
        ContextsProposed = ContextsAccepted = RoleSelections = ExtendedNegotiations = CommonExtendedNegotiations = Operations = 0;
        UserIdentityType = 0;
        Bytes = 0;
        ReleaseDirection = FlowDirection.FromOriginator;
    }
}
