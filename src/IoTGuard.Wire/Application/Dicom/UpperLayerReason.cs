namespace IoTGuard.Wire.Application.Dicom;

/// <summary>Names of results, sources and reasons of A-ASSOCIATE-RJ (PS3.8 table 9-21) and A-ABORT (table 9-26).</summary>
public static class UpperLayerReason
{
    public static string RejectResult(int result) => result switch
    {
        1 => "rejected permanent",
        2 => "rejected transient",
        _ => "unknown",
    };

    public static string RejectSource(int source) => source switch
    {
        1 => "service user",
        2 => "service provider, ACSE",
        3 => "service provider, presentation",
        _ => "unknown",
    };

    public static string RejectReason(int source, int reason) => (source, reason) switch
    {
        (1, 1) or (2, 1) => "no reason given",
        (1, 2) => "application context name not supported",
        (1, 3) => "calling AE title not recognized",
        (1, 7) => "called AE title not recognized",
        (2, 2) => "protocol version not supported",
        (3, 1) => "temporary congestion",
        (3, 2) => "local limit exceeded",
        _ => "reserved",
    };

    public static string AbortSource(int source) => source switch
    {
        0 => "service user",
        2 => "service provider",
        _ => "reserved",
    };

    /// <summary>Reason of a provider's abort; a user's abort has none.</summary>
    public static string AbortReason(int source, int reason) => (source, reason) switch
    {
        (0, _) => "not significant",
        (_, 0) => "reason not specified",
        (_, 1) => "unrecognized PDU",
        (_, 2) => "unexpected PDU",
        (_, 4) => "unrecognized PDU parameter",
        (_, 5) => "unexpected PDU parameter",
        (_, 6) => "invalid PDU parameter value",
        _ => "reserved",
    };
}
