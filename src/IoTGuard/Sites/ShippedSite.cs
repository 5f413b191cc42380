using IoTGuard.Analysis.Baselines;

namespace IoTGuard.Sites;

/// <summary>The site that comes with the program: a model and its calibration, no devices.</summary>
internal static class ShippedSite
{
    /// <summary>Folder of the shipped site beside the program.</summary>
    private static string Folder => Path.Combine(AppContext.BaseDirectory, "models");

    public static Site Load() => new SiteFolder(Folder) is { Exists: true } folder ? folder.Load() : Site.Empty;
}
