using System.Globalization;
using System.Text.Json;
using IoTGuard.Analysis.Inventory;
using IoTGuard.Wire.Link;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Baselines;

/// <summary>Files to site. Every problem becomes a <see cref="SiteException"/> that names file and line.</summary>
internal static class SiteReader
{
    /// <summary>How much more a learned name counts than one seen once.</summary>
    private const int LearnedWeight = 1000;

    public static Site Read(IReadOnlyDictionary<string, byte[]> files)
    {
        var devices = new List<Device>();
        var facts = new Dictionary<Fact, FactHistory>();
        var rates = new Dictionary<RateKey, RateProfile>();
        Site? head = null;
        (int Devices, int Facts, int Rates) stated = default;

        Lines(files, SiteFormat.Site, json =>
        {
            var version = json.GetProperty("version").GetInt32();
            if (version != SiteFormat.Version)
                throw new FormatException($"version {version} is not the one this program reads ({SiteFormat.Version})");
            stated = (json.GetProperty("devices").GetInt32(), json.GetProperty("facts").GetInt32(), json.GetProperty("rates").GetInt32());
            head = ReadHead(json);
        });
        if (head is null)
            throw new SiteException(SiteFormat.Site, 0, "the file is empty");
        Lines(files, SiteFormat.Devices, json => devices.Add(ReadDevice(json)));
        Lines(files, SiteFormat.Facts, json => ReadFact(json, facts));
        Lines(files, SiteFormat.Rates, json => ReadRate(json, rates));
        Require(SiteFormat.Devices, stated.Devices, devices.Count);
        Require(SiteFormat.Facts, stated.Facts, facts.Count);
        Require(SiteFormat.Rates, stated.Rates, rates.Count);
        return head with { Devices = devices, Facts = facts, Rates = rates };
    }

    private static void Require(string file, int stated, int found)
    {
        if (stated != found)
            throw new SiteException(file, 0, $"{stated} entries are stated in {SiteFormat.Site}, {found} were found");
    }

    private static void Lines(IReadOnlyDictionary<string, byte[]> files, string name, Action<JsonElement> read)
    {
        if (!files.TryGetValue(name, out var content))
            throw new SiteException(name, 0, "the file is missing");
        var rest = new ReadOnlyMemory<byte>(content);
        for (var line = 1; !rest.IsEmpty; line++)
        {
            var end = rest.Span.IndexOf((byte)'\n');
            var text = end < 0 ? rest : rest[..end];
            rest = end < 0 ? default : rest[(end + 1)..];
            try
            {
                using var json = JsonDocument.Parse(text);
                read(json.RootElement);
            }
            catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or OverflowException)
            {
                var problem = e is FormatException ? e.Message : "not the JSON object that stands here in a sound file";
                throw new SiteException(name, line, problem, e);
            }
        }
    }

    private static Site ReadHead(JsonElement json) => new()
    {
        ScoredFlowsPerHour = json.GetProperty("scored_flows_per_hour").GetDouble(),
        ScoredWindowsPerHour = json.TryGetProperty("scored_windows_per_hour", out var windows) ? windows.GetDouble() : 0,
        NewDevicesPerHour = json.GetProperty("new_devices_per_hour").GetDouble(),
        NewPerHour = json.GetProperty("new_per_hour").EnumerateObject().ToDictionary(static p => Enumeration<FactKind>(p.Name), static p => p.Value.GetDouble()),
        Periods = [.. json.GetProperty("periods").EnumerateArray()
            .Select(ReadPeriod)],
    };

    private static Device ReadDevice(JsonElement json)
    {
        var addresses = json.GetProperty("addresses").EnumerateArray().Select(static a => Address(a.GetString())).ToList();
        if (addresses.Count == 0)
            throw new FormatException("a device without an address");
        var mac = json.TryGetProperty("mac", out var macText) ? Mac(macText.GetString()) : default;
        var device = new Device(addresses[0], mac, json.GetProperty("first_seen_ns").GetInt64())
        {
            LastSeenNs = json.GetProperty("last_seen_ns").GetInt64(),
            MacFromArp = json.GetProperty("mac_from_arp").GetBoolean(),
            IsRouter = json.GetProperty("router").GetBoolean(),
            IsLearned = true,
            IsConfirmed = true,
            Vendor = Text(json, "vendor"),
            Model = Text(json, "model"),
            Software = Text(json, "software"),
            Serial = Text(json, "serial"),
            Modality = Text(json, "modality"),
        };
        if (json.TryGetProperty("rhythm", out var rhythm))
            device.Learned(ReadRhythm(rhythm));
        foreach (var address in addresses.Skip(1))
            device.AddAddress(address);
        foreach (var name in json.GetProperty("names").EnumerateArray())
            device.AddName(name.GetString(), LearnedWeight);
        foreach (var title in json.GetProperty("ae_titles").EnumerateArray())
            device.AddAeTitle(title.GetString(), LearnedWeight);
        foreach (var name in Texts(json, "host_names"))
            device.AddHostName(name, LearnedWeight);
        foreach (var fingerprint in Texts(json, "fingerprints"))
            device.AddFingerprint(fingerprint);
        foreach (var name in Texts(json, "classes"))
            device.AddClass(name);
        foreach (var service in json.GetProperty("offered").EnumerateArray())
            device.AddOffered(Service(service.GetString()));
        foreach (var service in json.GetProperty("used").EnumerateArray())
            device.AddUsed(Service(service.GetString()));
        foreach (var deed in json.GetProperty("deeds").EnumerateObject())
        {
            if (!device.Deeds.TrySet(deed.Name, deed.Value.GetInt32()))
                throw new FormatException($"deeds: \"{deed.Name}\" is not known");
        }

        return device;
    }

    private static ActivityRhythm ReadRhythm(JsonElement json) => new()
    {
        LongestNs = json.GetProperty("longest_pause_ns").GetInt64(),
        SecondNs = json.GetProperty("second_pause_ns").GetInt64(),
        Count = json.GetProperty("heard").GetInt64(),
        Absences = json.GetProperty("absences").GetInt32(),
        Hours = json.GetProperty("hours").GetUInt32(),
        Days = json.GetProperty("days").GetByte(),
    };

    /// <summary>The texts of a list; none when it is absent, as in sites of earlier versions.</summary>
    private static IEnumerable<string> Texts(JsonElement json, string name) =>
        json.TryGetProperty(name, out var list) ? list.EnumerateArray().Select(static t => t.GetString()).OfType<string>() : [];

    private static void ReadFact(JsonElement json, Dictionary<Fact, FactHistory> facts)
    {
        var fact = new Fact(
            Enumeration<FactKind>(json.GetProperty("kind").GetString()),
            Text(json, "a") is { } a ? Address(a) : default,
            Text(json, "b") is { } b ? Address(b) : default,
            json.TryGetProperty("number", out var number) ? number.GetInt32() : 0,
            Text(json, "text"),
            Text(json, "other_text"));
        var history = new FactHistory(json.GetProperty("first_ns").GetInt64(), json.GetProperty("last_ns").GetInt64(), json.GetProperty("count").GetInt64());
        if (!facts.TryAdd(fact, history))
            throw new FormatException("the fact stands here a second time");
    }

    private static void ReadRate(JsonElement json, Dictionary<RateKey, RateProfile> rates)
    {
        var key = new RateKey(Address(json.GetProperty("device").GetString()), Enumeration<RateKind>(json.GetProperty("kind").GetString()));
        var profile = new RateProfile(json.GetProperty("largest").GetDouble(), json.GetProperty("second").GetDouble(), json.GetProperty("windows").GetInt64());
        if (!rates.TryAdd(key, profile))
            throw new FormatException("the rate stands here a second time");
    }

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static T Enumeration<T>(string? text)
        where T : struct, Enum =>
        Enum.TryParse<T>(text, out var value) && Enum.IsDefined(value) ? value : throw new FormatException($"kind: \"{text}\" is not known");

    private static IpAddress Address(string? text) =>
        text is not null && IpAddress.TryParse(text, out var address) ? address : throw new FormatException($"\"{text}\" is not an IP address");

    private static MacAddress Mac(string? text)
    {
        var digits = text?.Replace(":", "", StringComparison.Ordinal);
        return digits?.Length == 12 && ulong.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
            ? new MacAddress(value)
            : throw new FormatException($"mac: \"{text}\" is not a hardware address");
    }

    private static ServicePort Service(string? text)
    {
        var parts = text?.Split('/');
        byte protocol = 0;
        ushort port = 0;
        var ok = parts is { Length: 2 } && ushort.TryParse(parts[1], out port) && (parts[0] switch
        {
            "tcp" => (protocol = 6) > 0,
            "udp" => (protocol = 17) > 0,
            "sctp" => (protocol = 132) > 0,
            var other => byte.TryParse(other, out protocol),
        });
        return ok ? new ServicePort(protocol, port) : throw new FormatException($"\"{text}\" is not a service such as tcp/104");
    }

    // Sites of earlier versions do not say what was watched: all of it.
    private static LearningPeriod ReadPeriod(JsonElement json)
    {
        var period = new LearningPeriod(json.GetProperty("start_ns").GetInt64(), json.GetProperty("end_ns").GetInt64());
        return json.TryGetProperty("watched_ns", out var watched) ? period with { WatchedNs = Math.Clamp(watched.GetInt64(), 0, period.WatchedNs) } : period;
    }
}
