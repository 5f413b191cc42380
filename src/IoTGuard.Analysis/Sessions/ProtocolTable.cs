using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Sessions;

/// <summary>Looks at the first bytes of one direction.</summary>
internal delegate ProbeResult ProtocolProbe(FlowDirection direction, ReadOnlySpan<byte> prefix);

/// <summary>One application protocol over TCP: how it is recognised, and who reads it.</summary>
/// <param name="Name">Name as it stands in outputs.</param>
/// <param name="Probe">Recognises it by content.</param>
/// <param name="Create">Makes a session.</param>
/// <param name="HintPorts">Ports on which a connection picked up in the middle is taken for this protocol when its content tells nothing.</param>
internal sealed record ProtocolRow(string Name, ProtocolProbe Probe, Func<ProtocolSession> Create, ushort[] HintPorts);

/// <summary>The protocols that sessions read. Content decides on any port; a port is only a hint for connections picked up in the middle.</summary>
internal static class ProtocolTable
{
    public static ProtocolRow[] Rows { get; } =
    [
        new("dicom", DicomSession.Probe, static () => new DicomSession(), [104, 2761, 4242, 11112]),
        new("hl7", Hl7Session.Probe, static () => new Hl7Session(), [2575, 6661]),
    ];
}
