using System.Security.Cryptography;
using System.Text;
using IoTGuard.Analysis.Alerts;

namespace IoTGuard.Service;

/// <summary>
/// What is wrong with the sensor as alerts of the category "sensor-health", so that whoever watches the receivers learns of it. They are about the sensor
/// itself: their times are those of the machine's clock, and captures never make them.
/// </summary>
/// <param name="interfaceName">Interface that the sensor listens on.</param>
internal sealed class HealthAlerts(string interfaceName)
{
    public const string Category = "sensor-health";

    private readonly Dictionary<string, Alert> _open = new(StringComparer.Ordinal);

    public Alert Open(Condition condition)
    {
        var now = NowNs();
        var alert = new Alert
        {
            Id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{condition.Name}\n{Environment.MachineName}\n{interfaceName}\n{now}")).AsSpan(0, 16)),
            Rule = "sensor-" + condition.Name,
            Title = condition.Title,
            Category = Category,
            Severity = condition.Severity,
            Confidence = 1,
            FirstSeenNs = now,
            LastSeenNs = now,
            RaisedNs = now,
            Count = 1,
            Device = new AlertEndpoint(null, null, "sensor", Environment.MachineName, null, null),
            Description = condition.Text,
            Recommendation = condition.Remedy,
        };
        _open[condition.Name] = alert;
        return alert;
    }

    public Alert? Close(Condition condition)
    {
        if (!_open.Remove(condition.Name, out var alert))
            return null;
        alert.LastSeenNs = Math.Max(alert.FirstSeenNs, NowNs());
        return alert;
    }

    private static long NowNs() => (DateTime.UtcNow - DateTime.UnixEpoch).Ticks * 100;
}
