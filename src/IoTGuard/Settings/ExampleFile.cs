using System.Text;

namespace IoTGuard.Settings;

/// <summary>A configuration file with every setting, its meaning, unit and default; all commented out. The package installs it.</summary>
internal static class ExampleFile
{
    private const int Width = 120;

    public static string Text()
    {
        var text = new StringBuilder("""
            # Configuration of the IoTGuard sensor. Every setting there is stands here, commented out, with its default (or an example where the
            # default is none). Unknown keys are errors. Check: iotguard config check --config FILE. In force: iotguard config show --config FILE.
            # Environment variables (IOTGUARD_INTERFACE ...) and options of the command line come before this file.
            # 'systemctl reload iotguard' puts changes marked [reload] into force without losing a packet; others need a restart.

            """);
        foreach (var group in SettingTable.Groups)
        {
            text.Append('\n').Append("# ---- ").Append(group.Title).Append(" ----\n");
            foreach (var setting in group.Settings)
            {
                text.Append('\n');
                Comment(text, setting.Description + (setting.Example == setting.Default ? "" : $" (default: {setting.Default})") + (setting.Unit.Length > 0 ? $" [{setting.Unit}]" : "") + (setting.Reloads ? " [reload]" : ""));
                foreach (var line in (setting.Example.Contains('\n', StringComparison.Ordinal) ? $"{setting.Key}:\n{setting.Example}" : $"{setting.Key}: {setting.Example}").Split('\n'))
                    text.Append('#').Append(line).Append('\n');
            }
        }

        return text.ToString();
    }

    private static void Comment(StringBuilder text, string words)
    {
        var column = 0;
        foreach (var word in words.Split(' '))
        {
            if (column == 0 || column + 1 + word.Length > Width)
            {
                text.Append(column == 0 ? "# " : "\n# ");
                column = 2;
            }
            else
            {
                text.Append(' ');
                column++;
            }

            text.Append(word);
            column += word.Length;
        }

        text.Append('\n');
    }
}
