using IoTGuard.Sites.State;

namespace IoTGuard.Sites.Devices;

/// <summary>All devices that a site knows: as last seen, and those that were learned and not seen since, with their history and makers.</summary>
internal static class DeviceList
{
    public static List<DeviceEntry> Of(string folder)
    {
        using var state = SiteState.OpenToRead(folder);
        var site = new SiteFolder(folder);
        var devices = state?.Devices() ?? [];
        var known = devices.SelectMany(d => d.Addresses).ToHashSet(StringComparer.Ordinal);
        if (site.Exists)
            devices.AddRange(site.Load().Devices.Select(DeviceEntry.Of).Where(d => !d.Addresses.Any(known.Contains)));
        else if (state is null)
            throw new UserException(ExitStatus.Unusable, $"{folder} is not a site folder; make one with 'iotguard learn CAPTURE --site {folder}'");

        var policy = Settings.SiteSettings.Load(folder).Policy.Policy;
        var vendors = MacVendors.Load();
        var sightings = state?.Sightings() ?? [];
        var byAddress = sightings.ToLookup(s => s.Address, StringComparer.Ordinal);
        var byMac = sightings.Where(s => s.Mac is not null).ToLookup(s => s.Mac!, StringComparer.Ordinal);
        return
        [
            .. devices
                .Select(d => d with { MacVendor = vendors.Of(d.Mac), Zone = ZoneOf(d), History = HistoryOf(d) })
                .OrderBy(d => Wire.Network.IpAddress.TryParse(d.Address, out var address) ? address : default),
        ];

        string? ZoneOf(DeviceEntry device) =>
            device.Addresses.Select(a => Wire.Network.IpAddress.TryParse(a, out var address) ? policy.ZoneOf(address) : null).FirstOrDefault(z => z is not null);

        List<AddressPeriod> HistoryOf(DeviceEntry device) =>
        [
            .. device.Addresses.SelectMany(a => byAddress[a])
                .Concat(device.Mac is null || device.Router ? [] : byMac[device.Mac])
                .Distinct()
                .OrderBy(s => s.FirstNs).ThenBy(s => s.Address, StringComparer.Ordinal)
                .Select(s => new AddressPeriod(s.Address, s.Mac, Outputs.PacketTime.ToText(s.FirstNs), Outputs.PacketTime.ToText(s.LastNs))),
        ];
    }
}
