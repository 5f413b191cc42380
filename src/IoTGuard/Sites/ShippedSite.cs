using IoTGuard.Analysis.Baselines;

namespace IoTGuard.Sites;

/// <summary>The site that comes with the program: models, no devices.</summary>
internal static class ShippedSite
{
    /// <summary>Folder of the shipped models beside the program.</summary>
    private static string Folder => Path.Combine(AppContext.BaseDirectory, "models");

    /// <summary>The versions of the shipped models.</summary>
    public static ModelStore Store => new(Folder);

    public static Site Load() => Site.Empty with { Models = Store.LoadCurrent() };
}
