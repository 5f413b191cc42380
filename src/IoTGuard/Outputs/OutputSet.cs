using IoTGuard.Outputs.Delivery;
using IoTGuard.Service;
using IoTGuard.Settings;

namespace IoTGuard.Outputs;

/// <summary>The outputs of the live sensor that settings name, opened together, so that a reload can exchange them.</summary>
/// <param name="Alerts">File for alerts, or null.</param>
/// <param name="Transactions">File for transactions, or null.</param>
/// <param name="Outputs">Outputs that alerts are sent to; they are opened by what takes the set.</param>
internal sealed record OutputSet(OutputFile? Alerts, OutputFile? Transactions, IReadOnlyList<OutputSettings> Outputs) : IDisposable
{
    /// <summary>Opens all; what cannot be opened ends it, and nothing stays open.</summary>
    /// <exception cref="UserException">One of them cannot be used.</exception>
    public static OutputSet Open(SensorSettings settings)
    {
        var outputs = AlertOutputs.SettingsOf(settings);
        OutputFile? alerts = null;
        try
        {
            alerts = Append(settings.Alerts);
            return new OutputSet(alerts, Append(settings.Transactions), outputs);
        }
        catch
        {
            alerts?.Dispose();
            throw;
        }
    }

    /// <summary>Files among them.</summary>
    public IEnumerable<OutputFile> Files => new[] { Alerts, Transactions }.OfType<OutputFile>();

    /// <summary>True when standard output belongs to one of them.</summary>
    public bool UsesStandardOutput => Files.Any(static f => f.Name == OutputFile.StandardOutput);

    /// <summary>Lines that were lost so far.</summary>
    public long Lost => Files.Sum(static f => f.LostLines);

    /// <summary>Ends the files; adds what each lost, and why last, to what it lost in other sets.</summary>
    public void Close(Dictionary<string, (long Lines, string Reason)> losses)
    {
        foreach (var file in Files)
        {
            file.Complete();
            if (file.LossReason is { } reason)
                losses[file.Name] = (losses.GetValueOrDefault(file.Name).Lines + file.LostLines, reason);
        }
    }

    public void Dispose()
    {
        foreach (var file in Files)
            file.Dispose();
    }

    private static OutputFile? Append(string? path) => path is null ? null : OutputFile.Append(path, ServiceLog.Write);
}
