using System.Globalization;
using IoTGuard.Analysis;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Inventory;
using IoTGuard.Pipeline;
using IoTGuard.Wire.Tunnels;
using IoTGuard.Sites.Devices;
using IoTGuard.Sites.State;
using Spectre.Console;

namespace IoTGuard.Outputs;

/// <summary>What a run found, for people: what was read and lost, devices, protocol activity, alerts.</summary>
internal sealed class RunSummary(AnalysisRun run, IReadOnlyList<Alert> alerts, Suppressions? suppressions = null)
{
    /// <summary>Most devices listed; the others are counted.</summary>
    private const int MaximumDevices = 40;

    /// <summary>Most input files listed by name.</summary>
    private const int MaximumInputs = 3;

    /// <summary>Most alerts printed in full; the others are counted.</summary>
    private const int MaximumAlerts = 50;

    public void Print(IAnsiConsole console)
    {
        PrintRead(console);
        PrintDevices(console);
        PrintActivity(console);
        PrintAlerts(console);
    }

    /// <summary>What was read, how long it took, and what was lost.</summary>
    public void PrintRead(IAnsiConsole console)
    {
        var captured = run.Captured;
        var seconds = Math.Max(run.Elapsed.TotalSeconds, 1e-6);
        Heading(console, "Read");
        var rows = Terminal.Table("", "");
        rows.HideHeaders();
        rows.Columns[1].NoWrap = false;
        Row(rows, "Capture", Inputs());
        Row(rows, "Packets", $"{Number(captured.Frames)}, {Bytes(captured.Bytes)}");
        Row(rows, "Time span", captured.Frames == 0 ? "none: no packets" : $"{PacketTime.ForPeople(run.FirstNs)} to {PacketTime.ForPeople(run.LastNs)} ({Duration(run.LastNs - run.FirstNs)})");
        Row(rows, "Flows", Number(run.Counters.FlowsOpened));
        if (Tunnels() is { Length: > 0 } tunnels)
            Row(rows, "Encapsulation", tunnels);
        if (ModelSummary.Of(run.Detector) is { Length: > 0 } models)
            Row(rows, "Models", models);
        Row(rows, "Analysed in", $"{seconds.ToString("F2", CultureInfo.InvariantCulture)} s ({Number((long)(captured.Frames / seconds))} packets/s, {(captured.Bytes * 8 / seconds / 1e9).ToString("F2", CultureInfo.InvariantCulture)} Gbit/s)");
        foreach (var (name, text) in Losses())
            Row(rows, name, text);
        console.Write(rows);
    }

    private string Tunnels()
    {
        var counts = run.Counters.Tunnels;
        return string.Join(", ", Enumerable.Range(1, TunnelKinds.Count - 1)
            .Select(kind => (TunnelKind)kind)
            .Where(kind => counts.Of(kind) > 0)
            .OrderByDescending(kind => counts.Of(kind))
            .Select(kind => $"{TunnelKinds.NameOf(kind)} {Number(counts.Of(kind))} packets"));
    }

    private string Inputs()
    {
        var inputs = run.Setup.Inputs;
        return inputs.Count <= MaximumInputs ? string.Join(", ", inputs) : $"{inputs.Count} files, {inputs[0]} to {inputs[^1]}";
    }

    private IEnumerable<(string Name, string Text)> Losses()
    {
        var counts = LossTable.Of(run.Counters).Where(c => c.Count > 0).ToList();
        var problems = run.Problems;
        if (problems.Count > 0)
            yield return ("Not read", string.Join("; ", problems.Select(p => $"{p.Source} from offset {Number(p.Offset)}: {p.Reason}")));
        yield return ("Losses", counts.TrueForAll(c => !c.IsLoss) ? (problems.Count == 0 ? "none" : "none of what was read") : string.Join(", ", counts.Where(c => c.IsLoss).Select(Text)));
        var notes = counts.Where(c => !c.IsLoss).ToList();
        if (notes.Count > 0)
            yield return ("Also counted", string.Join(", ", notes.Select(Text)));

        static string Text(CountedFact fact) => $"{Number(fact.Count)} {fact.Text}";
    }

    private void PrintDevices(IAnsiConsole console)
    {
        var devices = run.Detector.Devices.Devices.Where(d => d.LastSeenNs >= run.FirstNs).OrderBy(d => d.Address).ToList();
        Heading(console, $"Devices ({Number(devices.Count)})");
        if (devices.Count == 0)
        {
            console.WriteLine("none");
            return;
        }

        var table = Terminal.Table("Address", "MAC", "Role", "Sure", "Name", "Vendor and model", "Offers");
        table.Columns[5].NoWrap = table.Columns[6].NoWrap = false;
        var vendors = MacVendors.Load();
        foreach (var device in devices.OrderByDescending(d => d.Deeds.IsMedical).ThenBy(d => d.Address).Take(MaximumDevices))
        {
            table.AddRow(
                new Text(device.Address.ToString()),
                new Text(device.Mac.IsNone ? "behind a router" : device.Mac.ToString()),
                new Text(RoleJudgement.NameOf(device.Role.Role)),
                new Text(device.Role.Role == DeviceRole.Unknown ? "" : $"{device.Role.Confidence * 100:F0} %"),
                new Text(device.DisplayName ?? ""),
                new Text(device.Vendor is null && device.Model is null
                    ? MacVendors.CardOf(vendors.Of(device.Mac.ToString()))
                    : string.Join(' ', new[] { device.Vendor, device.Model }.OfType<string>())),
                new Text(string.Join(' ', device.Offered.Take(4)) + (device.Offered.Count > 4 ? $" +{device.Offered.Count - 4}" : "")));
        }

        console.Write(table);
        if (devices.Count > MaximumDevices)
            console.WriteLine($"and {Number(devices.Count - MaximumDevices)} more");
    }

    private void PrintActivity(IAnsiConsole console)
    {
        Heading(console, "Protocol activity");
        var rows = run.Totals.Rows.ToList();
        if (rows.Count == 0)
        {
            console.WriteLine("none");
            return;
        }

        var table = Terminal.Table("Protocol", "Event", "Count", "Bytes");
        table.Columns[2].RightAligned();
        table.Columns[3].RightAligned();
        foreach (var (protocol, name, count, bytes) in rows)
            table.AddRow(new Text(protocol), new Text(name), new Text(Number(count)), new Text(bytes == 0 ? "" : Bytes(bytes)));
        console.Write(table);
    }

    private void PrintAlerts(IAnsiConsole console)
    {
        var told = alerts.Where(a => suppressions?.Of(a) is null).ToList();
        Heading(console, $"Alerts ({Number(told.Count)})");
        if (told.Count == 0)
            console.WriteLine("none");
        foreach (var alert in told.OrderByDescending(a => a.Severity).ThenBy(a => a.FirstSeenNs).Take(MaximumAlerts))
        {
            var colour = alert.Severity switch { >= 8 => "red", >= 5 => "yellow", _ => "blue" };
            console.MarkupLineInterpolated($"[{colour}]{alert.Severity,2}/10[/]  [bold]{alert.Title}[/]  ({alert.Rule}, {alert.Category})");
            var patients = alert.PatientsAffected is > 0 and { } n ? $", {Number(n)} patient{(n == 1 ? "" : "s")} affected" : "";
            Indented(console, $"{PacketTime.ForPeople(alert.FirstSeenNs)}, {Number(alert.Count)} time{(alert.Count == 1 ? "" : "s")}{patients}");
            Indented(console, alert.Description);
            Indented(console, "Do: " + alert.Recommendation);
            console.WriteLine();
        }

        if (told.Count > MaximumAlerts)
            console.WriteLine($"and {Number(told.Count - MaximumAlerts)} more; --alerts FILE writes them all");
        foreach (var group in alerts.Select(a => suppressions?.Of(a)).OfType<Suppression>().GroupBy(s => s).OrderBy(g => g.Key.Id))
            console.WriteLine($"{Number(group.Count())} suppressed by {group.Key.Id} ({group.Key.Scope}): {group.Key.Reason}");
    }

    private static void Indented(IAnsiConsole console, string text) => console.Write(new Padder(new Text(text), new Padding(7, 0, 0, 0)));

    private static void Heading(IAnsiConsole console, string text)
    {
        console.WriteLine();
        console.MarkupLineInterpolated($"[bold]{text}[/]");
    }

    private static void Row(Table table, string name, string value) => table.AddRow(new Text(name), new Text(value));

    internal static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    internal static string Bytes(long bytes) => bytes switch
    {
        >= 1_000_000_000 => (bytes / 1e9).ToString("F2", CultureInfo.InvariantCulture) + " GB",
        >= 1_000_000 => (bytes / 1e6).ToString("F1", CultureInfo.InvariantCulture) + " MB",
        >= 1_000 => (bytes / 1e3).ToString("F1", CultureInfo.InvariantCulture) + " kB",
        _ => bytes.ToString(CultureInfo.InvariantCulture) + " B",
    };

    private static string Duration(long ns)
    {
        var span = TimeSpan.FromTicks(ns / 100);
        return span.TotalDays >= 1 ? $"{(int)span.TotalDays} d {span.Hours} h {span.Minutes} min"
            : span.TotalHours >= 1 ? $"{span.Hours} h {span.Minutes} min {span.Seconds} s"
            : span.TotalMinutes >= 1 ? $"{span.Minutes} min {span.Seconds} s"
            : span.TotalSeconds.ToString("F3", CultureInfo.InvariantCulture) + " s";
    }
}
