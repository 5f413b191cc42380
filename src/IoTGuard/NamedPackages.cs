using System.Reflection;
using IoTGuard.Learning.Training;

namespace IoTGuard;

/// <summary>Whether the adapters for SharpPcap, PacketDotNet and Microsoft.ML were part of this build: the build writes it into the assembly.</summary>
internal static class NamedPackages
{
    public static bool ArePresent { get; } = typeof(NamedPackages).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Any(a => a is { Key: "NamedPackages", Value: "true" });

    /// <summary>The engines of <c>iotguard train</c>: our own, and those of the adapters that are part of this build.</summary>
    public static IReadOnlyList<TrainingEngine> Engines { get; } = [.. OwnEngines.All];

    public static string Description => ArePresent
        ? "SharpPcap, PacketDotNet and Microsoft.ML were restored"
        : "SharpPcap, PacketDotNet and Microsoft.ML are absent from the package feed; nothing that is built without them is different";
}
