using System.Text.Json;
using System.Text.Json.Serialization;
using IoTGuard.Analysis.Inventory;
using IoTGuard.Outputs;

namespace IoTGuard.Sites.State;

/// <summary>An address (and hardware address) that a device was seen with.</summary>
internal sealed record AddressPeriod(string Address, string? Mac, string FirstSeen, string LastSeen);

/// <summary>A device as it was last seen: what stands in a site's state, and in the JSON of <c>iotguard devices</c>. Times are RFC 3339 in UTC.</summary>
internal sealed record DeviceEntry
{
    public required string Address { get; init; }

    public IReadOnlyList<string> Addresses { get; init; } = [];

    public string? Mac { get; init; }

    /// <summary>Who the hardware address was given to; looked up when devices are listed.</summary>
    public string? MacVendor { get; init; }

    public required string Role { get; init; }

    /// <summary>0 to 1.</summary>
    public double RoleConfidence { get; init; }

    public string? RoleReason { get; init; }

    public string? Zone { get; init; }

    public string? Name { get; init; }

    /// <summary>DICOM station names and HL7 application names.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    public IReadOnlyList<string> AeTitles { get; init; } = [];

    public IReadOnlyList<string> HostNames { get; init; } = [];

    public string? Vendor { get; init; }

    public string? Model { get; init; }

    public string? Software { get; init; }

    public string? Serial { get; init; }

    public string? Modality { get; init; }

    public IReadOnlyList<string> ServicesOffered { get; init; } = [];

    public IReadOnlyList<string> ServicesUsed { get; init; } = [];

    public IReadOnlyList<string> Classes { get; init; } = [];

    public IReadOnlyList<string> Fingerprints { get; init; } = [];

    public bool Router { get; init; }

    /// <summary>True when the device was there when the site was learned.</summary>
    public bool Learned { get; init; }

    public required string FirstSeen { get; init; }

    public required string LastSeen { get; init; }

    /// <summary>Addresses over time, of the same hardware address too.</summary>
    public IReadOnlyList<AddressPeriod> History { get; init; } = [];

    [JsonIgnore]
    public long FirstNs { get; init; }

    [JsonIgnore]
    public long LastNs { get; init; }

    public static DeviceEntry Of(Device device)
    {
        var role = device.Role;
        return new DeviceEntry
        {
            Address = device.Address.ToString(),
            Addresses = [.. device.Addresses.Select(static a => a.ToString())],
            Mac = device.Mac.IsNone ? null : device.Mac.ToString(),
            Role = RoleJudgement.NameOf(role.Role),
            RoleConfidence = Math.Round(role.Confidence, 4),
            RoleReason = role.Role == DeviceRole.Unknown ? null : role.Reason,
            Name = device.DisplayName,
            Names = [.. device.Names],
            AeTitles = [.. device.AeTitles],
            HostNames = [.. device.HostNames],
            Vendor = device.Vendor,
            Model = device.Model,
            Software = device.Software,
            Serial = device.Serial,
            Modality = device.Modality,
            ServicesOffered = [.. device.Offered.Select(static s => s.ToString())],
            ServicesUsed = [.. device.Used.Select(static s => s.ToString())],
            Classes = [.. device.Classes],
            Fingerprints = [.. device.Fingerprints],
            Router = device.IsRouter,
            Learned = device.IsLearned,
            FirstSeen = PacketTime.ToText(device.FirstSeenNs),
            LastSeen = PacketTime.ToText(device.LastSeenNs),
            FirstNs = device.FirstSeenNs,
            LastNs = device.LastSeenNs,
        };
    }

    /// <summary>What both records know. An address that another hardware address has taken over is another device: nothing of the old one is kept.</summary>
    public DeviceEntry After(DeviceEntry earlier)
    {
        if (Mac is not null && earlier.Mac is not null && Mac != earlier.Mac)
            return this;
        var (newer, older) = LastNs >= earlier.LastNs ? (this, earlier) : (earlier, this);
        var role = newer.RoleConfidence >= older.RoleConfidence ? newer : older;
        return newer with
        {
            Addresses = Union(newer.Addresses, older.Addresses),
            Mac = newer.Mac ?? older.Mac,
            Role = role.Role,
            RoleConfidence = role.RoleConfidence,
            RoleReason = role.RoleReason,
            Name = newer.Name ?? older.Name,
            Names = Union(newer.Names, older.Names),
            AeTitles = Union(newer.AeTitles, older.AeTitles),
            HostNames = Union(newer.HostNames, older.HostNames),
            Vendor = newer.Vendor ?? older.Vendor,
            Model = newer.Model ?? older.Model,
            Software = newer.Software ?? older.Software,
            Serial = newer.Serial ?? older.Serial,
            Modality = newer.Modality ?? older.Modality,
            ServicesOffered = Union(newer.ServicesOffered, older.ServicesOffered),
            ServicesUsed = Union(newer.ServicesUsed, older.ServicesUsed),
            Classes = Union(newer.Classes, older.Classes),
            Fingerprints = Union(newer.Fingerprints, older.Fingerprints),
            Router = newer.Router,
            Learned = newer.Learned || older.Learned,
            FirstNs = Math.Min(newer.FirstNs, older.FirstNs),
            FirstSeen = newer.FirstNs <= older.FirstNs ? newer.FirstSeen : older.FirstSeen,
        };
    }

    private static List<string> Union(IReadOnlyList<string> newer, IReadOnlyList<string> older) =>
        [.. newer.Concat(older).Distinct(StringComparer.Ordinal).Take(Device.MaximumListed)];
}

/// <summary>Devices as JSON: snake_case, absent facts are null.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(DeviceEntry))]
internal sealed partial class DeviceJson : JsonSerializerContext
{
    /// <summary>Readable: "+" and "&amp;" are not escaped, as in all JSON of the program.</summary>
    public static DeviceJson Readable { get; } = new(
        new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, Encoder = JsonForm.Options.Encoder });
}
