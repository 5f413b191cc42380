using IoTGuard.Analysis.Inventory;

namespace IoTGuard.Sites.State;

/// <summary>Hands devices that were seen lately on to the state, a few at a time, so that the detector never waits for thousands of them.</summary>
internal sealed class DeviceWatch(DeviceInventory inventory, StateWriter writer)
{
    /// <summary>A pass over all devices begins this often, ns of packet time.</summary>
    private const long PassNs = 60_000_000_000;

    /// <summary>Most devices looked at in one step.</summary>
    private const int Step = 256;

    private int _next = int.MaxValue;
    private long _passNs = long.MinValue;
    private long _sinceNs = long.MinValue;

    /// <summary>The clock went on, ns of packet time.</summary>
    public void OnClock(long clockNs)
    {
        var devices = inventory.Devices;
        if (_next >= devices.Count)
        {
            if (_passNs != long.MinValue && clockNs - _passNs < PassNs)
                return;
            _sinceNs = _passNs == long.MinValue ? clockNs - PassNs : _passNs;
            _passNs = clockNs;
            _next = 0;
        }

        for (var end = Math.Min(devices.Count, _next + Step); _next < end; _next++)
            Hand(devices[_next]);
    }

    /// <summary>Hands over everything seen since the last pass.</summary>
    public void Complete()
    {
        _sinceNs = _passNs;
        foreach (var device in inventory.Devices)
            Hand(device);
    }

    private void Hand(Device device)
    {
        if (device.IsConfirmed && device.LastSeenNs >= _sinceNs)
            writer.OnDevice(DeviceEntry.Of(device));
    }
}
