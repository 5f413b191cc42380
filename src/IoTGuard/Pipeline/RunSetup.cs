using IoTGuard.Analysis;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Flows;
using IoTGuard.Capture;
using IoTGuard.Models;
using IoTGuard.Sites;
using IoTGuard.Wire;

namespace IoTGuard.Pipeline;

/// <summary>What a run is made of: its source, its sensors, and the site that it is held against.</summary>
internal sealed class RunSetup : IDisposable
{
    private RunSetup(IFrameSource source, IReadOnlyList<string> inputs, Site site, byte[]? key, int workers, bool vlanAware, ushort communityIdSeed = 0)
    {
        Source = source;
        Inputs = inputs;
        Site = site;
        WithPseudonyms = key is not null;

        // Without a site there is no key. A fixed one still counts patients and keeps runs alike; nothing made with it is written.
        var options = new SensorOptions { PseudonymKey = key ?? new byte[32], VlanAware = vlanAware, CommunityIdSeed = communityIdSeed };
        SensorOptions = options;
        Router = new FrameRouter(options);
        Sensors = [.. Enumerable.Range(0, workers).Select(worker => new Sensor(options, worker, workers))];
    }

    public IFrameSource Source { get; }

    public IReadOnlyList<string> Inputs { get; }

    public Sensor[] Sensors { get; }

    /// <summary>What the sensors were made with.</summary>
    public SensorOptions SensorOptions { get; }

    public FrameRouter Router { get; }

    public Site Site { get; }

    /// <summary>Fingerprints that the site knows to be bad.</summary>
    public IReadOnlySet<string> Indicators { get; private init; } = new HashSet<string>(StringComparer.Ordinal);

    /// <summary>True when pseudonyms are under the key of a site and may be written.</summary>
    public bool WithPseudonyms { get; }

    /// <summary>A run over capture files, merged by time.</summary>
    /// <param name="paths">The files.</param>
    /// <param name="library">What reads them.</param>
    /// <param name="siteFolder">Folder of the learned site; null = the shipped one.</param>
    /// <param name="model">File of a model in place of the site's; null = the site's.</param>
    public static RunSetup ForCaptures(string[] paths, CaptureLibrary library, string? siteFolder, string? model, int workers, bool vlanAware, ushort communityIdSeed = 0)
    {
        if (paths.Count(p => p == "-") > 1)
            throw new UserException(ExitStatus.Unusable, "standard input (-) can be given only once");
        var (site, key) = siteFolder is null ? (ShippedSite.Load(), null) : Load(new SiteFolder(siteFolder));
        var indicators = siteFolder is null ? new HashSet<string>(StringComparer.Ordinal) : new SiteFolder(siteFolder).LoadIndicators();
        return new RunSetup(Open(paths, library), paths, GivenModel.Apply(site, model), key, workers, vlanAware, communityIdSeed) { Indicators = indicators };
    }

    /// <summary>A run that teaches: the folder need not exist yet.</summary>
    public static RunSetup ForLearning(string[] paths, SiteFolder folder, int workers, bool vlanAware)
    {
        var site = folder.Exists ? folder.Load() : Site.Empty;
        return new RunSetup(Open(paths, CaptureLibrary.BuiltIn), paths, site, folder.LoadOrCreateKey(), workers, vlanAware);
    }

    /// <summary>A run that trains a model for sites that have learned nothing yet: it starts from nothing and needs no key.</summary>
    public static RunSetup ForModel(string[] paths, int workers, bool vlanAware) =>
        new(Open(paths, CaptureLibrary.BuiltIn), paths, Site.Empty, null, workers, vlanAware);

    public void Dispose() => Source.Dispose();

    private static (Site Site, byte[]? Key) Load(SiteFolder folder) => (folder.LoadWithModels(), folder.LoadKey());

    private static IFrameSource Open(string[] paths, CaptureLibrary library)
    {
        var sources = new List<IFrameSource>();
        try
        {
            foreach (var path in paths)
                sources.Add(library.OpenFile(path));
            return sources.Count == 1 ? sources[0] : new MergedSource(sources);
        }
        catch
        {
            foreach (var source in sources)
                source.Dispose();
            throw;
        }
    }
}
