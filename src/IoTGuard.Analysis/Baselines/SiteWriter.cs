using System.Buffers;
using System.Text.Json;
using IoTGuard.Analysis.Inventory;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Baselines;

/// <summary>Names and version of the files of a site.</summary>
internal static class SiteFormat
{
    public const int Version = 1;
    public const string Site = "site.json";
    public const string Devices = "devices.jsonl";
    public const string Facts = "facts.jsonl";
    public const string Rates = "rates.jsonl";
}

/// <summary>Site to files. JSON and JSON lines in a fixed order: the same site gives the same bytes.</summary>
internal static class SiteWriter
{
    public static IReadOnlyDictionary<string, byte[]> Write(Site site)
    {
        return new SortedDictionary<string, byte[]>(StringComparer.Ordinal)
        {
            [SiteFormat.Site] = Lines([site], WriteSite),
            [SiteFormat.Devices] = Lines(site.Devices.OrderBy(static d => d.Address), WriteDevice),
            [SiteFormat.Facts] = Lines(site.Facts.OrderBy(static f => f.Key), WriteFact),
            [SiteFormat.Rates] = Lines(site.Rates.OrderBy(static r => r.Key.Device).ThenBy(static r => r.Key.Kind), WriteRate),
        };
    }

    private static byte[] Lines<T>(IEnumerable<T> items, Action<Utf8JsonWriter, T> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(buffer);
        foreach (var item in items)
        {
            writer.WriteStartObject();
            write(writer, item);
            writer.WriteEndObject();
            writer.Flush();
            writer.Reset();
            buffer.Write("\n"u8);
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteSite(Utf8JsonWriter json, Site site)
    {
        json.WriteNumber("version", SiteFormat.Version);
        json.WriteNumber("devices", site.Devices.Count);
        json.WriteNumber("facts", site.Facts.Count);
        json.WriteNumber("rates", site.Rates.Count);
        json.WriteNumber("scored_flows_per_hour", site.ScoredFlowsPerHour);
        json.WriteNumber("scored_windows_per_hour", site.ScoredWindowsPerHour);
        json.WriteNumber("new_devices_per_hour", site.NewDevicesPerHour);
        json.WriteStartObject("new_per_hour");
        foreach (var (kind, rate) in site.NewPerHour.OrderBy(static r => r.Key))
            json.WriteNumber(kind.ToString(), rate);
        json.WriteEndObject();
        json.WriteStartArray("periods");
        foreach (var period in site.Periods)
        {
            json.WriteStartObject();
            json.WriteNumber("start_ns", period.StartNs);
            json.WriteNumber("end_ns", period.EndNs);
            json.WriteNumber("watched_ns", period.WatchedNs);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteDevice(Utf8JsonWriter json, Device device)
    {
        json.WriteStartArray("addresses");
        foreach (var address in device.Addresses)
            json.WriteStringValue(address.ToString());
        json.WriteEndArray();
        if (!device.Mac.IsNone)
            json.WriteString("mac", device.Mac.ToString());
        json.WriteBoolean("mac_from_arp", device.MacFromArp);
        json.WriteBoolean("router", device.IsRouter);
        json.WriteNumber("first_seen_ns", device.FirstSeenNs);
        json.WriteNumber("last_seen_ns", device.LastSeenNs);
        ref readonly var rhythm = ref device.LearnedRhythm;
        json.WriteStartObject("rhythm");
        json.WriteNumber("longest_pause_ns", rhythm.LongestNs);
        json.WriteNumber("second_pause_ns", rhythm.SecondNs);
        json.WriteNumber("heard", rhythm.Count);
        json.WriteNumber("absences", rhythm.Absences);
        json.WriteNumber("hours", rhythm.Hours);
        json.WriteNumber("days", rhythm.Days);
        json.WriteEndObject();
        json.WriteString("role", RoleJudgement.NameOf(device.Role.Role));
        Text(json, "vendor", device.Vendor);
        Text(json, "model", device.Model);
        Text(json, "software", device.Software);
        Text(json, "serial", device.Serial);
        Text(json, "modality", device.Modality);
        Texts(json, "names", device.Names);
        Texts(json, "ae_titles", device.AeTitles);
        Texts(json, "host_names", device.HostNames);
        Texts(json, "fingerprints", device.Fingerprints);
        Texts(json, "classes", device.Classes);
        Texts(json, "offered", device.Offered.Select(static s => s.ToString()));
        Texts(json, "used", device.Used.Select(static s => s.ToString()));
        json.WriteStartObject("deeds");
        foreach (var (name, count) in device.Deeds.Named())
            json.WriteNumber(name, count);
        json.WriteEndObject();
    }

    private static void WriteFact(Utf8JsonWriter json, KeyValuePair<Fact, FactHistory> item)
    {
        var (fact, history) = item;
        json.WriteString("kind", fact.Kind.ToString());
        Address(json, "a", fact.A);
        Address(json, "b", fact.B);
        if (fact.Number != 0)
            json.WriteNumber("number", fact.Number);
        Text(json, "text", fact.Text);
        Text(json, "other_text", fact.OtherText);
        json.WriteNumber("first_ns", history.FirstNs);
        json.WriteNumber("last_ns", history.LastNs);
        json.WriteNumber("count", history.Count);
    }

    private static void WriteRate(Utf8JsonWriter json, KeyValuePair<RateKey, RateProfile> item)
    {
        json.WriteString("device", item.Key.Device.ToString());
        json.WriteString("kind", item.Key.Kind.ToString());
        json.WriteNumber("largest", item.Value.Largest);
        json.WriteNumber("second", item.Value.Second);
        json.WriteNumber("windows", item.Value.Windows);
    }

    private static void Address(Utf8JsonWriter json, string name, IpAddress address)
    {
        if (address != default)
            json.WriteString(name, address.ToString());
    }

    private static void Text(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
            json.WriteString(name, value);
    }

    private static void Texts(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }
}
