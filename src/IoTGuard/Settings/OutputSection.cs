using IoTGuard.Outputs.Delivery;
using YamlDotNet.RepresentationModel;

namespace IoTGuard.Settings;

/// <summary>The section <c>outputs</c> of the configuration file: a list of mappings, each an address (<c>to</c>) and the options of <see cref="OutputOption"/>.</summary>
internal static class OutputSection
{
    private const string Remedy = "docs/outputs.md lists all options";

    public static Setting Setting { get; } = new()
    {
        Key = "outputs",
        Form = SettingForm.Section,
        Description = "Outputs with options of their own, beside those of syslog; docs/outputs.md says more",
        Example = Example(),
        Reloads = true,
        Show = static settings => settings.Outputs.Count == 0 ? "none" : string.Join(' ', settings.Outputs.Select(static o => o.Description)),
        Read = static (settings, file, node) => settings.Outputs = Read(file, node),
    };

    /// <summary>All options as comments, then outputs.</summary>
    private static string Example()
    {
        var width = OutputOption.All.Max(static o => o.Name.Length);
        return string.Join('\n', OutputOption.All.Select(o => $"# {o.Name.PadRight(width)}  {o.Meaning} (default: {o.Default})")) + """

            - {to: "tls://siem.example:6514", name: siem, format: cef, severity: 4, category: [access, exfiltration], ca: /etc/iotguard/siem-ca.pem}
            - {to: "tls://arr.example:6514", format: dicom-audit}
            - {to: "file:///var/log/iotguard/eve.json", format: eve, heartbeat: 0}
            """;
    }

    private static List<OutputSettings> Read(YamlFile file, YamlNode node)
    {
        var outputs = new List<OutputSettings>();
        if (node is not YamlSequenceNode list)
        {
            file.Fault(node, "outputs is not a list", "begin each output with '- to:'");
            return outputs;
        }

        foreach (var item in list)
        {
            var map = new YamlMap(file, item, "the output");
            var to = map.RequiredText("to", "write 'to: tls://host:6514', or another address");
            var options = OutputOption.All
                .Select(o => (o.Name, Values: map.Texts(o.Name)))
                .Where(static o => o.Values.Count > 0)
                .Select(static o => (o.Name, string.Join(',', o.Values.Select(static v => v.Text))))
                .ToList();
            map.End();
            if (to.Length == 0)
                continue;
            if (OutputSettings.TryParse(to, options, out var output, out var error))
                outputs.Add(output!);
            else
                file.Fault(map.Node, error!, Remedy);
        }

        return outputs;
    }
}
