using System.Globalization;
using System.Net.NetworkInformation;
using IoTGuard.Capture;
using IoTGuard.Pipeline;
using IoTGuard.Settings;

namespace IoTGuard.Commands.Doctor;

/// <summary>What the interface of the mirror port is like.</summary>
internal static class InterfaceChecks
{
    public static IEnumerable<Finding> Of(SensorSettings settings)
    {
        var name = settings.Interface!;
        var found = Array.Find(NetworkInterface.GetAllNetworkInterfaces(), i => i.Name == name);
        switch (found)
        {
            case null:
                yield return Finding.Fault("interface", $"there is no interface {name}", "'ip link' lists them");
                yield break;
            case { OperationalStatus: OperationalStatus.Down }:
                yield return Finding.Fault("interface", $"{name} is down", $"'ip link set {name} up' brings it up; check the cable");
                yield break;
        }

        var mtu = ReadNumber(name, "mtu");
        yield return Finding.Ok("interface", $"{name} is up{(mtu is null ? "" : $", MTU {mtu}")}{(ReadNumber(name, "speed") is > 0 and var speed ? $", {speed} Mbit/s" : "")}");
        foreach (var finding in Offloads(name))
            yield return finding;
        if (found.GetIPProperties().UnicastAddresses.Any(static a => !a.Address.IsIPv6LinkLocal))
        {
            yield return Finding.Note("addresses", $"{name} has an address of its own, so the machine may answer on the mirror port",
                "a mirror port needs none: take the address away, so that this machine stays silent there");
        }

        foreach (var finding in Ring(settings))
            yield return finding;
    }

    private static IEnumerable<Finding> Offloads(string name)
    {
        var facts = InterfaceFacts.Of(name);
        if (facts.LargeReceive == true)
        {
            yield return Finding.Warning("offload LRO", $"{name} joins segments in the network card: sizes, times and counts of packets are not those of the network, and retransmissions vanish",
                $"ethtool -K {name} lro off");
        }

        yield return facts.GenericReceive switch
        {
            true => Finding.Warning("offload GRO", $"{name} joins segments to frames of up to 64 KiB before they are captured: contents stay whole, but packet counts, sizes and times of flows differ from those the model was trained on",
                $"ethtool -K {name} gro off"),
            false => Finding.Ok("offload GRO", "off: packets are captured as they were on the wire"),
            _ => Finding.Note("offload GRO", "the driver does not tell"),
        };
    }

    private static IReadOnlyList<Finding> Ring(SensorSettings settings)
    {
        try
        {
            using var ring = PacketRing.Open(CaptureRings.OptionsOf(settings));
            return [Finding.Ok("capture ring", $"of {settings.RingMegabytes} MB can be opened"), Promiscuity(settings)];
        }
        catch (CaptureException e)
        {
            return [Finding.Fault("capture ring", e.Message, "see above for what this user and machine lack")];
        }
    }

    /// <summary>Asked while a ring is open: the flag is the interface's (IFF_PROMISC, netdevice(7)).</summary>
    private static Finding Promiscuity(SensorSettings settings)
    {
        const string Subject = "promiscuity";
        const int IFF_PROMISC = 0x100;
        if (ReadText(settings.Interface!, "flags") is not { } flags)
            return Finding.Note(Subject, "the system does not tell");
        if ((Convert.ToInt32(flags, 16) & IFF_PROMISC) != 0)
            return Finding.Ok(Subject, "the interface takes what is not addressed to it too");
        return settings.Promiscuous
            ? Finding.Warning(Subject, "the interface takes only what is addressed to it, though the ring asked for all", $"'ip link set {settings.Interface} promisc on'; in a virtual machine allow it on the virtual switch")
            : Finding.Warning(Subject, "switched off, so only broadcasts and what is addressed to this machine arrive", "take 'promiscuous: false' out of the configuration");
    }

    private static long? ReadNumber(string name, string file) => long.TryParse(ReadText(name, file), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string? ReadText(string name, string file)
    {
        try
        {
            return File.ReadAllText($"/sys/class/net/{name}/{file}").Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
