namespace IoTGuard.Benchmarks.Baselines;

/// <summary>Stands in where SharpPcap and PacketDotNet could not be restored.</summary>
internal static class PacketDotNetLoop
{
    public static int Run(string path) => Absence.Say(path, "SharpPcap and PacketDotNet");
}

/// <inheritdoc cref="PacketDotNetLoop"/>
internal static class Readers
{
    public static int Run(string path) => Absence.Say(path, "SharpPcap");
}
