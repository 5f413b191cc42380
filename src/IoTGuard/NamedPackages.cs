using System.Reflection;

namespace IoTGuard;

/// <summary>Whether the adapters for SharpPcap, PacketDotNet and Microsoft.ML were part of this build: the build writes it into the assembly.</summary>
internal static class NamedPackages
{
    public static bool ArePresent { get; } = typeof(NamedPackages).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Any(a => a is { Key: "NamedPackages", Value: "true" });

    public static string Description => ArePresent
        ? "SharpPcap, PacketDotNet and Microsoft.ML were restored"
        : "SharpPcap, PacketDotNet and Microsoft.ML are absent from the package feed; nothing that is built without them is different";
}
