namespace IoTGuard.Wire;

/// <summary>Where in the way of a packet a fault was found.</summary>
public enum Layer : byte
{
    Link,
    Network,
    Transport,
    Stream,
    Dicom,
    Hl7,
}

/// <summary>What is wrong with the bytes. A fault is a value: counted and reported, never thrown.</summary>
public enum FaultKind : byte
{
    None,

    /// <summary>The capture holds fewer bytes than the header needs.</summary>
    Truncated,

    /// <summary>A length field contradicts the bytes around it.</summary>
    BadLength,

    /// <summary>A version or type field has a value that the standard does not know.</summary>
    BadValue,

    /// <summary>The link type or EtherType is not one that is decoded.</summary>
    Unsupported,

    /// <summary>A fragment of an IP datagram; what it is part of is decoded when the datagram is whole.</summary>
    Fragment,

    /// <summary>A tunnel whose content is not followed: encrypted, compressed, or of a type that is not decoded.</summary>
    Tunnel,

    /// <summary>Headers nest deeper than the stated limit.</summary>
    TooDeep,

    /// <summary>An item is larger than the stated limit.</summary>
    TooLarge,

    /// <summary>Two copies of the same stream bytes differ; the first copy is kept.</summary>
    OverlapConflict,

    /// <summary>Stream bytes were never seen.</summary>
    Gap,

    /// <summary>A buffer or table was full; its policy was applied.</summary>
    Overflow,

    /// <summary>Bytes that do not start a unit of the protocol where one must start.</summary>
    Garbage,

    /// <summary>A message of the protocol in a state that does not allow it.</summary>
    UnexpectedMessage,

    /// <summary>A required item is missing.</summary>
    MissingItem,

    /// <summary>An item holds characters that the standard forbids there.</summary>
    BadCharacters,

    /// <summary>MLLP: the end block (FS CR) is missing.</summary>
    NoEndBlock,

    /// <summary>MLLP: the start block (VT) is missing.</summary>
    NoStartBlock,

    /// <summary>Fragments of a datagram overlap: the first copy is kept (IPv4), or the datagram is given up (IPv6, RFC 5722).</summary>
    FragmentOverlap,

    /// <summary>A fragment splits the header of what the datagram carries (RFC 1858, RFC 3128).</summary>
    TinyFragment,

    /// <summary>An answer before what it answers: the two directions of a connection may reach the capture in another order than they were sent.</summary>
    OutOfStep,
}

/// <summary>One fault: what, where, and the lengths that did not fit.</summary>
/// <param name="Kind">What is wrong.</param>
/// <param name="Layer">The layer that found it.</param>
/// <param name="Offset">Offset in bytes: from the frame's start for packet layers, from the unit's start for streams.</param>
/// <param name="Required">Bytes that were required, or the offending value; 0 when it does not apply.</param>
/// <param name="Available">Bytes that were there, or the limit; 0 when it does not apply.</param>
public readonly record struct Fault(FaultKind Kind, Layer Layer, int Offset, long Required = 0, long Available = 0)
{
    /// <summary>No fault.</summary>
    public static Fault None => default;

    /// <summary>True when this is no fault.</summary>
    public bool IsNone => Kind == FaultKind.None;
}
