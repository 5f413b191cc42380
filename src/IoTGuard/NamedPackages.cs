using System.Reflection;
using IoTGuard.Learning;
using IoTGuard.Learning.Training;
using IoTGuard.Pipeline;

namespace IoTGuard;

/// <summary>
/// The adapters for SharpPcap and Microsoft.ML that are part of this build, and which of the packages asked for by name are not: the build
/// writes the list into the assembly. The one place that is compiled differently with and without them.
/// </summary>
internal static class NamedPackages
{
    private static readonly string[] Names = ["SharpPcap", "PacketDotNet", "Microsoft.ML"];

    /// <summary>Capture through SharpPcap; null without it.</summary>
#if SHARPPCAP
    public static CaptureLibrary? SharpPcap { get; } = new(
        CaptureLibrary.SharpPcapName,
        static (options, _) => [global::IoTGuard.SharpPcap.SharpPcapSource.OpenInterface(options)],
        static path => global::IoTGuard.SharpPcap.SharpPcapSource.OpenFile(path));
#else
    public static CaptureLibrary? SharpPcap => null;
#endif

    /// <summary>The engines of <c>iotguard train</c>: our own, and those of the adapters that are part of this build.</summary>
    public static IReadOnlyList<TrainingEngine> Engines { get; } =
    [
        .. OwnEngines.All,
#if MICROSOFT_ML
        .. global::IoTGuard.MLNet.MLNetEngines.All,
#endif
    ];

    /// <summary>Scores by ML.NET from its own file; null without it.</summary>
#if MICROSOFT_ML
    public static Func<Stream, IRowScorer>? ZipScorer { get; } = global::IoTGuard.MLNet.ZipScorer.Load;
#else
    public static Func<Stream, IRowScorer>? ZipScorer => null;
#endif

    /// <summary>Names of the packages that this build does without.</summary>
    public static IReadOnlyList<string> Absent { get; } = [.. Names.Where(name => !Listed.Contains(name, StringComparison.Ordinal))];

    /// <summary>Whether all of them are part of it.</summary>
    public static bool ArePresent => Absent.Count == 0;

    /// <summary>Which are there and which are not, in a line.</summary>
    public static string Description => ArePresent
        ? "SharpPcap, PacketDotNet and Microsoft.ML are part of this build"
        : $"built without {string.Join(", ", Absent)}; the rest is the same ('build/setup-named-packages --again' asks for them again)";

    private static string Listed => typeof(NamedPackages).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .FirstOrDefault(a => a.Key == "NamedPackages")?.Value ?? "";
}
