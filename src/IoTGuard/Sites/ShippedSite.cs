using IoTGuard.Analysis.Baselines;

namespace IoTGuard.Sites;

/// <summary>The site that comes with the program: models, no devices.</summary>
internal static class ShippedSite
{
    /// <summary>Folder of the shipped models beside the program.</summary>
    private static string Folder => Path.Combine(AppContext.BaseDirectory, "models");

    public static Site Load() => Site.Empty with { Models = new ModelStore(Folder).LoadCurrent() };
}
