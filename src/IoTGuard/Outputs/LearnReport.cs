using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Inventory;
using IoTGuard.Sites;
using IoTGuard.Wire.Network;

namespace IoTGuard.Outputs;

/// <summary>What a site has learned, as Markdown that a person can read and correct: each line has a number by which it can be forgotten.</summary>
internal static class LearnReport
{
    public static string Write(Site site, SiteFolder folder)
    {
        var text = new StringBuilder();
        var names = site.Devices.Where(static d => d.DisplayName is not null).SelectMany(static d => d.Addresses.Select(a => (a, d.DisplayName!))).ToLookup(static n => n.a, static n => n.Item2);
        Line($"# What the site {folder.Path} has learned");
        Line();
        Line($"{Plural(site.Periods.Count, "period")} of learning, {site.HoursLearned.ToString("F2", CultureInfo.InvariantCulture)} hours of packet time. What stands here is normal for the sensor: no alert is raised about it. Read it as if somebody");
        Line("had been on the network already, above all the devices that nobody knows, and take back what does not belong there:");
        Line();
        Line("```");
        Line($"iotguard learn --site {folder.Path} --forget ADDRESS --forget NUMBER");
        Line("```");
        Line();
        foreach (var period in site.Periods)
            Line($"- learned from {PacketTime.ForPeople(period.StartNs)} to {PacketTime.ForPeople(period.EndNs)}");
        Line();
        Line($"New things still appeared when learning ended: {Rate(site.NewDevicesPerHour)} devices an hour{string.Concat(site.NewPerHour.OrderBy(r => r.Key).Select(r => $", {Rate(r.Value)} of \"{LearnSummary.Words(r.Key)}\""))}. The more, the less a new one means later.");
        Line($"Model: {(folder.Models.Pointer().Active is { } version ? $"version {version}; its card is {ModelStore.FolderName}/{version}/{ModelStore.CardFile}" : "none")}.");
        Devices();
        foreach (var group in site.Facts.OrderBy(f => f.Key).GroupBy(f => f.Key.Kind))
            Facts(group);
        Volumes();
        return text.ToString();

        void Line(string line = "") => text.Append(line).Append('\n');

        void Devices()
        {
            Line();
            Line($"## Devices ({RunSummary.Number(site.Devices.Count)})");
            Line();
            Line("| address | MAC | role | why | names | what it is | offers | first seen | last seen |");
            Line("|---|---|---|---|---|---|---|---|---|");
            foreach (var d in site.Devices.OrderBy(d => d.Address))
            {
                var role = d.Role;
                Line($"| {string.Join(' ', d.Addresses)} | {(d.Mac.IsNone ? "-" : d.Mac.ToString())} | {RoleJudgement.NameOf(role.Role)} ({(role.Confidence * 100).ToString("F0", CultureInfo.InvariantCulture)} %) | {role.Reason} "
                    + $"| {Cell(string.Join(' ', d.AeTitles.Concat(d.Names).Concat(d.HostNames).Distinct(StringComparer.Ordinal)))} | {Cell(string.Join(' ', new[] { d.Vendor, d.Model, d.Software, d.Serial }.OfType<string>()))} "
                    + $"| {string.Join(' ', d.Offered)} | {PacketTime.ForPeople(d.FirstSeenNs)} | {PacketTime.ForPeople(d.LastSeenNs)} |");
            }
        }

        void Facts(IGrouping<FactKind, KeyValuePair<Fact, FactHistory>> group)
        {
            Line();
            Line($"## {char.ToUpperInvariant(LearnSummary.Words(group.Key)[0])}{LearnSummary.Words(group.Key)[1..]} ({RunSummary.Number(group.Count())})");
            Line();
            Line("| number | what | times | first | last |");
            Line("|---|---|---|---|---|");
            foreach (var (fact, history) in group)
                Line($"| {NumberOf(fact)} | {Cell(Words(names, fact))} | {RunSummary.Number(history.Count)} | {PacketTime.ForPeople(history.FirstNs)} | {PacketTime.ForPeople(history.LastNs)} |");
        }

        void Volumes()
        {
            if (site.Rates.Count == 0)
                return;
            Line();
            Line("## Volumes");
            Line();
            Line("| device | what | most in a window | second most | windows |");
            Line("|---|---|---|---|---|");
            foreach (var (key, profile) in site.Rates.OrderBy(r => r.Key.Device).ThenBy(r => r.Key.Kind))
                Line($"| {Name(names, key.Device)} | {key.Kind} | {Rate(profile.Largest)} | {Rate(profile.Second)} | {RunSummary.Number(profile.Windows)} |");
        }
    }

    /// <summary>The site without a device (and everything about it) or a line of the report; null when there is no such.</summary>
    public static Site? Without(Site site, string what)
    {
        if (IpAddress.TryParse(what, out var address))
        {
            var device = site.Devices.FirstOrDefault(d => d.Addresses.Contains(address));
            return device is null ? null : site.Where(d => d != device, f => !device.Addresses.Contains(f.A) && !device.Addresses.Contains(f.B));
        }

        return site.Facts.Keys.Any(f => NumberOf(f) == what) ? site.Where(static _ => true, f => NumberOf(f) != what) : null;
    }

    /// <summary>Number of a fact: the same as long as the fact is the same.</summary>
    private static string NumberOf(in Fact fact) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{fact.Kind}\n{fact.A}\n{fact.B}\n{fact.Number}\n{fact.Text}\n{fact.OtherText}")).AsSpan(0, 4));

    private static string Words(ILookup<IpAddress, string> names, in Fact fact)
    {
        var (a, b) = (Name(names, fact.A), fact.B == default ? "" : Name(names, fact.B));
        var service = new ServicePort((byte)(fact.Number >> 16), (ushort)fact.Number).ToString();
        return fact.Kind switch
        {
            FactKind.Peer => $"{a} uses {service} of {b}",
            FactKind.Service => $"{a} offers {service}",
            FactKind.OutsideService => $"{a} uses {service} outside of the site",
            FactKind.AePair => $"{a} calls {b} as {fact.Text} to {fact.OtherText}",
            FactKind.SopClass => $"{a} stores {fact.Text}",
            FactKind.DicomOperation => $"{a} does {fact.Text} at {b}",
            FactKind.MoveDestination => $"{a} has {b} send images to {fact.Text}",
            FactKind.BroadQuery => $"{a} asks {b} broad queries",
            FactKind.Hl7Sender => $"{a} sends HL7 as {fact.Text} of {fact.OtherText}",
            FactKind.Hl7Type => $"{a} sends {fact.Text} to {b}",
            FactKind.MedicalService => $"{a} offers {fact.Text} on port {fact.Number}",
            FactKind.Finding => $"the finding {fact.Text} about {a}{(b.Length > 0 ? " with " + b : "")} stood",
            _ => string.Join(' ', new[] { a, b, fact.Text, fact.OtherText, fact.Number == 0 ? null : fact.Number.ToString(CultureInfo.InvariantCulture) }.Where(t => !string.IsNullOrEmpty(t))),
        };
    }

    private static string Name(ILookup<IpAddress, string> names, IpAddress address) =>
        names[address].FirstOrDefault() is { } name ? $"{name} ({address})" : address.ToString();

    private static string Rate(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    private static string Plural(int count, string word) => $"{RunSummary.Number(count)} {word}{(count == 1 ? "" : "s")}";

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}
