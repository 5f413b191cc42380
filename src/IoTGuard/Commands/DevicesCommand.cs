using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using IoTGuard.Analysis.Inventory;
using IoTGuard.Outputs;
using IoTGuard.Sites.Devices;
using IoTGuard.Sites.State;
using Spectre.Console;

namespace IoTGuard.Commands;

/// <summary><c>iotguard devices</c>: the inventory of a site.</summary>
internal static class DevicesCommand
{
    /// <summary>Services shown per device in the table; the others are counted.</summary>
    private const int ServicesShown = 4;

    public static Command Create()
    {
        var site = ListOptions.Site();
        var format = ListOptions.Format();
        var role = ListOptions.Text("--role", $"Only devices of a role: {string.Join(", ", Roles)}", "ROLE");
        var zone = ListOptions.Text("--zone", "Only devices of a zone of the site's policy; - = in no zone", "ZONE");
        var since = ListOptions.Text("--new-since", "Only devices first seen since a time: 2026-11-21T08:00Z, or 12h, 7d ago", "TIME");
        var text = ListOptions.Text("--text", "Only devices in which an address, name, maker, model, service ... holds this text", "TEXT");
        var command = new Command("devices", """
            Lists the devices of a site: as they were learned, and as 'analyze --site' and 'sensor --site' last saw them. Times are packet times.
            --format json writes one array; absent facts are null. --format csv has a header line; lists are separated by blanks.

            Examples:
              iotguard devices --site /var/lib/iotguard/site
              iotguard devices --site /var/lib/iotguard/site --role modality --format csv
              iotguard devices --site /var/lib/iotguard/site --new-since 7d --text siemens
            """)
        {
            site, format, role, zone, since, text,
        };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(role) is { } wanted && !Roles.Contains(wanted, StringComparer.Ordinal))
                throw new UserException(ExitStatus.Unusable, $"there is no role {wanted}; roles are {string.Join(", ", Roles)}");
            var firstNs = parsed.GetValue(since) is { } time ? ListOptions.Time(time, "--new-since") : long.MinValue;
            var all = DeviceList.Of(parsed.GetValue(site)!);
            var devices = all.Where(d =>
                (parsed.GetValue(role) is not { } r || d.Role == r)
                && (parsed.GetValue(zone) is not { } z || (d.Zone ?? "-") == z)
                && d.FirstNs >= firstNs
                && (parsed.GetValue(text) is not { } t || Holds(d, t))).ToList();
            switch (parsed.GetValue(format))
            {
                case ListFormat.Json:
                    WriteJson(devices);
                    break;
                case ListFormat.Csv:
                    WriteCsv(devices);
                    break;
                default:
                    WriteTable(devices, all.Count);
                    break;
            }

            return ExitStatus.Done;
        });
        return command;
    }

    private static IEnumerable<string> Roles => Enum.GetValues<DeviceRole>().Select(RoleJudgement.NameOf);

    private static bool Holds(DeviceEntry device, string text) =>
        new[] { device.Mac, device.MacVendor, device.Role, device.RoleReason, device.Zone, device.Name, device.Vendor, device.Model, device.Software, device.Serial, device.Modality }
            .Concat(device.Addresses).Concat(device.Names).Concat(device.AeTitles).Concat(device.HostNames).Concat(device.Classes)
            .Concat(device.ServicesOffered).Concat(device.ServicesUsed).Concat(device.History.Select(h => h.Address))
            .Any(t => t is not null && t.Contains(text, StringComparison.OrdinalIgnoreCase));

    private static void WriteTable(List<DeviceEntry> devices, int all)
    {
        var console = Terminal.Output;
        if (devices.Count == 0)
        {
            console.WriteLine(all == 0 ? "No devices yet: 'iotguard learn' or 'iotguard analyze --site' brings them." : $"None of {RunSummary.Number(all)} devices.");
            return;
        }

        var zones = devices.Exists(d => d.Zone is not null);
        string[] headers = ["Address", "MAC", "Role", "Sure", "Name", .. zones ? ["Zone"] : Array.Empty<string>(), "What it is", "Offers", "Seen (UTC)"];
        var table = Terminal.Table(headers);
        for (var i = 0; i < headers.Length; i++)
            table.Columns[i].NoWrap = headers[i] is not ("What it is" or "Offers");
        foreach (var device in devices)
        {
            List<string> cells =
            [
                device.Address + (device.Addresses.Count > 1 ? $" +{device.Addresses.Count - 1}" : ""),
                device.Mac ?? "-",
                device.Role,
                device.Role == "unknown" ? "" : (device.RoleConfidence * 100).ToString("F0", CultureInfo.InvariantCulture) + " %",
                device.Name ?? (device.HostNames.Count > 0 ? device.HostNames[0] : ""),
            ];
            if (zones)
                cells.Add(device.Zone ?? "-");
            cells.Add(WhatItIs(device));
            cells.Add(string.Join(' ', device.ServicesOffered.Take(ServicesShown)) + (device.ServicesOffered.Count > ServicesShown ? $" +{device.ServicesOffered.Count - ServicesShown}" : ""));
            cells.Add($"{Minute(device.FirstNs)}\n{Minute(device.LastNs)}");
            table.AddRow(cells.Select(c => new Text(c)));
        }

        console.Write(table);
        console.WriteLine();
        console.WriteLine(devices.Count == all ? $"{RunSummary.Number(all)} devices" : $"{RunSummary.Number(devices.Count)} of {RunSummary.Number(all)} devices");
    }

    private static string WhatItIs(DeviceEntry device)
    {
        var said = string.Join(' ', new[] { device.Vendor, device.Model, device.Software, device.Serial is null ? null : "serial " + device.Serial }.OfType<string>());
        return said.Length > 0 ? said : MacVendors.CardOf(device.MacVendor);
    }

    private static string Minute(long timeNs) => DateTime.UnixEpoch.AddTicks(timeNs / 100).ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);

    private static void WriteJson(List<DeviceEntry> devices)
    {
        JsonForm.Print(json =>
        {
            json.WriteStartArray();
            foreach (var device in devices)
                JsonSerializer.Serialize(json, device, DeviceJson.Readable.DeviceEntry);
            json.WriteEndArray();
        });
    }

    private static void WriteCsv(List<DeviceEntry> devices)
    {
        var writer = Console.Out;
        ListOptions.Csv(writer, "address", "addresses", "mac", "mac_vendor", "role", "role_confidence", "role_reason", "name", "names", "ae_titles", "host_names", "vendor", "model",
            "software", "serial", "modality", "services_offered", "services_used", "zone", "router", "learned", "first_seen", "last_seen");
        foreach (var d in devices)
        {
            ListOptions.Csv(writer, d.Address, List(d.Addresses), d.Mac, d.MacVendor, d.Role, d.RoleConfidence, d.RoleReason, d.Name, List(d.Names), List(d.AeTitles), List(d.HostNames),
                d.Vendor, d.Model, d.Software, d.Serial, d.Modality, List(d.ServicesOffered), List(d.ServicesUsed), d.Zone, Truth(d.Router), Truth(d.Learned), d.FirstSeen, d.LastSeen);
        }

        static string List(IReadOnlyList<string> items) => string.Join(' ', items);
        static string Truth(bool value) => value ? "true" : "false";
    }
}
