using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Inventory;
using Microsoft.Data.Sqlite;

namespace IoTGuard.Sites.State;

/// <summary>
/// A site's state during a run over captures: suppressions are read at its beginning, and what was found is written at its end, at once. A
/// folder that may not be written is said in one line and changes nothing else; without a site there is no state.
/// </summary>
internal sealed class RunState : IDisposable
{
    private readonly SiteState? _state;
    private readonly List<AlertEvent> _events = [];

    private RunState(SiteState? state, Suppressions suppressions, string? notice)
    {
        _state = state;
        Suppressions = suppressions;
        Notice = notice;
    }

    /// <summary>State of no site.</summary>
    public static RunState None { get; } = new(null, Suppressions.None, null);

    public Suppressions Suppressions { get; }

    /// <summary>Why nothing will be remembered; null when it will, or when there is no site.</summary>
    public string? Notice { get; }

    /// <param name="folder">Folder of a site, or null.</param>
    public static RunState Open(string? folder)
    {
        if (folder is null)
            return None;
        if (SiteState.TryOpenToWrite(folder) is { } state)
            return new RunState(state, Read(state), null);
        using var readable = SiteState.OpenToRead(folder);
        return new RunState(null, readable is null ? Suppressions.None : Read(readable), NoticeOf(folder));
    }

    /// <summary>What is said of a folder that may not be written.</summary>
    public static string NoticeOf(string folder) =>
        $"the site folder {folder} cannot be written, so alerts and devices of this run are not remembered there";

    public void OnAlert(Alert alert, AlertPhase phase)
    {
        if (_state is not null)
            _events.Add(AlertEvent.Of(alert, phase));
    }

    /// <summary>Writes what the run found. Returns what was lost in one line, or null.</summary>
    /// <param name="alerts">Alerts in their final form.</param>
    /// <param name="devices">Devices.</param>
    /// <param name="sinceNs">Devices last seen before the run, ns of packet time, are left as they are.</param>
    public string? Save(IReadOnlyList<Alert> alerts, IEnumerable<Device> devices, long sinceNs)
    {
        if (_state is null)
            return null;
        try
        {
            using var json = new Outputs.AlertJson();
            _state.Write(_events, alerts.Select(a => StoredAlert.Of(a, AlertPhase.Closed, json)));
            _state.Write([.. devices.Where(d => d.IsConfirmed && d.LastSeenNs >= sinceNs).Select(DeviceEntry.Of)]);
            return null;
        }
        catch (SqliteException e)
        {
            return $"{alerts.Count:N0} alerts and the devices of this run could not be written to {_state.Path}: {StateFile.Reason(e)}; free some space and run again";
        }
    }

    public void Dispose() => _state?.Dispose();

    private static Suppressions Read(SiteState state)
    {
        try
        {
            return state.Suppressions();
        }
        catch (SqliteException e)
        {
            throw new UserException(ExitStatus.Unusable, $"cannot read {state.Path}: {StateFile.Reason(e)}; restore it from a backup, or move it away to begin a new one", e);
        }
    }
}
