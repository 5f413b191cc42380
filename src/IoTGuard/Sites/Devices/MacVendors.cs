using System.Buffers.Text;
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

    /// <summary>What to say of a device that tells no vendor of itself, by the maker of its network card; empty when that is not known.</summary>
    public static string CardOf(string? vendor) => vendor is null || vendor.StartsWith('(') ? "" : "card by " + vendor;

    /// <summary>Adds the registry's lines of the form "00000C     (base 16)		Cisco Systems, Inc"; a line at a time of its bytes, since the file has five megabytes.</summary>
    private void ReadSystemRegistry()
    {
        try
        {
            if (!File.Exists(SystemRegistry))
                return;
            ReadOnlySpan<byte> rest = File.ReadAllBytes(SystemRegistry);
            var mark = "(base 16)"u8;
            for (var at = rest.IndexOf(mark); at >= 0; at = rest.IndexOf(mark))
            {
                var head = rest[..at].TrimEnd((byte)' ');
                rest = rest[(at + mark.Length)..];
                var end = rest.IndexOf((byte)'\n');
                if (end < 0)
                    end = rest.Length;
                if (head.Length >= 6 && Utf8Parser.TryParse(head[^6..], out int prefix, out var used, 'x') && used == 6 && !_names.ContainsKey(prefix))
                    _names.Add(prefix, Encoding.UTF8.GetString(rest[..end].Trim("\t \r"u8)));
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
