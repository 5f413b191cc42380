using System.Globalization;
using System.Text;

namespace IoTGuard.Sites.Devices;

/// <summary>Who a hardware address was given to: makers of medical devices that the program knows, and the whole IEEE registry where the system has it.</summary>
internal sealed class MacVendors
{
    /// <summary>Where Debian's ieee-data puts the registry.</summary>
    private const string SystemRegistry = "/usr/share/ieee-data/oui.txt";

    private readonly Dictionary<int, string> _names = [];

    private MacVendors()
    {
    }

    public static MacVendors Load()
    {
        var vendors = new MacVendors();
        using (var resource = typeof(MacVendors).Assembly.GetManifestResourceStream("mac-vendors.tsv")!)
        using (var reader = new StreamReader(resource, Encoding.UTF8))
        {
            while (reader.ReadLine() is { } line)
            {
                if (line.Split('\t') is [var prefix, var name])
                    vendors.Add(prefix, name);
            }
        }

        vendors.ReadSystemRegistry();
        return vendors;
    }

    /// <summary>The vendor of an address such as 00:06:6b:2c:77:22; null when it is not known.</summary>
    public string? Of(string? mac)
    {
        if (mac is not { Length: 17 } || !int.TryParse(mac[..8].Replace(":", "", StringComparison.Ordinal), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var prefix))
            return null;

        // The second-lowest bit of the first octet: given out locally (IEEE 802, clause 8), by a virtual machine or for privacy.
        return (prefix & 0x02_0000) != 0 ? "(given out locally)" : _names.GetValueOrDefault(prefix);
    }

    private void ReadSystemRegistry()
    {
        try
        {
            if (!File.Exists(SystemRegistry))
                return;
            foreach (var line in File.ReadLines(SystemRegistry))
            {
                var mark = line.IndexOf("(base 16)", StringComparison.Ordinal);
                if (mark > 6)
                    Add(line[..6], line[(mark + 9)..].Trim());
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Names for people only: what the program knows by itself suffices.
        }
    }

    private void Add(string prefix, string name)
    {
        if (int.TryParse(prefix, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number))
            _names.TryAdd(number, name);
    }
}
