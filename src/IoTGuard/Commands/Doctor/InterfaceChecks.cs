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

        yield return Ring(settings);
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

    private static Finding Ring(SensorSettings settings)
    {
        try
        {
            using var ring = PacketRing.Open(CaptureRings.OptionsOf(settings));
            var flags = ReadText(settings.Interface!, "flags");
            var isPromiscuous = flags is not null && (Convert.ToInt32(flags, 16) & 0x100) != 0;
            return Finding.Ok("capture ring", $"of {settings.RingMegabytes} MB can be opened{(isPromiscuous ? ", promiscuous" : "")}");
        }
        catch (CaptureException e)
        {
            return Finding.Fault("capture ring", e.Message, "see above for what this user and machine lack");
        }
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
