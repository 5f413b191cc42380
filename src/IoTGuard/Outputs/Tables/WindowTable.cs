using IoTGuard.Analysis.Features;
using IoTGuard.Analysis.Inventory;

namespace IoTGuard.Outputs.Tables;

/// <summary>The table of windows: one row per device and window of packet time in which it did something.</summary>
internal static class WindowTable
{
    /// <summary>The columns before the features.</summary>
    public static IReadOnlyList<IdentityColumn<DeviceWindow>> Identity { get; } =
    [
        new("start", "time", "the window is after this time", static (line, in w) => line.Time(w.StartNs)),
        new("end", "time", "and up to this one", static (line, in w) => line.Time(w.EndNs)),
        new("device_ip", "text", "address that stands for the device", static (line, in w) => line.Address(w.Address)),
        new("role", "text", "role of the device when the window ended", static (line, in w) => line.Text(RoleJudgement.NameOf(w.Role))),
        new("judged", "integer", "1 when models judge such a window: not the first and the last of a run, which may be cut short, and of a device that is known", static (line, in w) => line.Whole(ModelInputs.IsJudged(w) ? 1 : 0)),
    ];
}
