using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Sessions;

/// <summary>Looks at the first bytes of one direction, or at a datagram.</summary>
internal delegate ProbeResult ProtocolProbe(FlowDirection direction, ReadOnlySpan<byte> prefix);

/// <summary>One application protocol: how it is recognised, and who reads it.</summary>
/// <param name="Name">Name as it stands in outputs.</param>
/// <param name="Probe">Recognises it by content.</param>
/// <param name="Create">Makes a session: a <see cref="StreamSession"/> or a <see cref="DatagramSession"/>, as the list that the row stands in says.</param>
/// <param name="HintPorts">Ports on which <see cref="ProbeResult.Likely"/> is believed.</param>
internal sealed record ProtocolRow(string Name, ProtocolProbe Probe, Func<ProtocolSession> Create, ushort[] HintPorts)
{
    /// <summary>True when a connection picked up in the middle is taken for this protocol on these ports even when its content tells nothing.</summary>
    public bool ReadsMidStream { get; init; }
}

/// <summary>The protocols that sessions read. Content decides on any port; a port is only a hint. At most 64 rows in each list; earlier rows go before later ones.</summary>
internal static class ProtocolTable
{
    /// <summary>Protocols over TCP.</summary>
    public static ProtocolRow[] Streams { get; } =
    [
        new("dicom", DicomSession.Probe, static () => new DicomSession(), [104, 2761, 4242, 11112]) { ReadsMidStream = true },
        new("hl7", Hl7Session.Probe, static () => new Hl7Session(), [2575, 6661]) { ReadsMidStream = true },
        new("http", HttpSession.Probe, static () => new HttpSession(), [80, 8080, 8042]),
    ];

    /// <summary>Protocols over UDP.</summary>
    public static ProtocolRow[] Datagrams { get; } = [];
}
