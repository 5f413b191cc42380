namespace IoTGuard.Benchmarks.Baselines;

/// <summary>Stands in where SharpPcap and PacketDotNet could not be restored.</summary>
internal static class PacketDotNetLoop
{
    public static int Run(string path)
    {
        Console.Error.WriteLine($"{path}: not read, SharpPcap and PacketDotNet are not in the package feed; to ask again: build/setup-named-packages --again");
        return 2;
    }
}
