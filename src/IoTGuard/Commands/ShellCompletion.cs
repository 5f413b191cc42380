using System.CommandLine;
using System.Text;

namespace IoTGuard.Commands;

/// <summary>Completion for shells, made of the command line itself: commands, options, and files or interfaces where a value is one.</summary>
internal static class ShellCompletion
{
    public static string Bash(Command root)
    {
        var text = new StringBuilder("""
            # bash completion for iotguard
            _iotguard()
            {
                local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} path= word
                for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
                    case "$path $word" in

            """);
        var commands = All(root, "").ToList();
        text.Append($"            {string.Join(" | ", commands.Select(static c => $"\"{c.Path}\""))}) path=\"$path $word\" ;;\n");
        text.Append("""
                    esac
                done
                case $previous in

            """);
        foreach (var kind in commands.SelectMany(static c => c.Command.Options).Where(static o => Values(o) is not null).GroupBy(static o => Values(o)!, StringComparer.Ordinal).OrderBy(static g => g.Key, StringComparer.Ordinal))
        {
            var names = string.Join(" | ", kind.Select(static o => o.Name).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
            text.Append($"        {names}) COMPREPLY=($({kind.Key} -- \"$current\")); return ;;\n");
        }

        text.Append("""
                esac
                case $path in

            """);
        foreach (var (path, command) in commands.Prepend(("", root)))
        {
            var words = command.Subcommands.Where(static c => !c.Hidden).Select(static c => c.Name).Concat(command.Options.Where(static o => !o.Hidden).Select(static o => o.Name)).ToList();
            var files = command.Arguments.Count > 0 ? "; [[ $current == -* ]] || COMPREPLY+=($(compgen -f -- \"$current\"))" : "";
            text.Append($"        \"{path}\") COMPREPLY=($(compgen -W \"{string.Join(' ', words)}\" -- \"$current\")){files} ;;\n");
        }

        text.Append("""
                esac
            }
            complete -o filenames -F _iotguard iotguard

            """);
        return text.ToString();
    }

    public static string Zsh(Command root)
    {
        var text = new StringBuilder("#compdef iotguard\n# zsh completion for iotguard\n\n");
        foreach (var (path, command) in All(root, "").Prepend(("", root)))
        {
            text.Append($"{FunctionOf(path)}() {{\n");
            if (command.Subcommands.Count > 0)
            {
                text.Append("    local -a commands=(\n");
                foreach (var child in command.Subcommands.Where(static c => !c.Hidden))
                    text.Append($"        {Quote($"{child.Name}:{FirstSentence(child.Description)}")}\n");
                text.Append($$"""
                        )
                        if (( CURRENT == 2 )); then
                            _describe -t commands command commands
                        else
                            shift words
                            (( CURRENT-- ))
                            local function={{FunctionOf(path)}}_${words[1]}
                            (( $+functions[$function] )) && $function
                        fi

                    """);
            }
            else
            {
                text.Append("    _arguments");
                foreach (var option in command.Options.Where(static o => !o.Hidden))
                {
                    var repeats = option.Arity.MaximumNumberOfValues > 1 ? "*" : "";
                    var value = option.HelpName is { Length: > 0 } name ? $":{name}:{ZshValues(name)}" : "";
                    text.Append($" \\\n        {Quote($"{repeats}{option.Name}[{FirstSentence(option.Description)}]{value}")}");
                }

                foreach (var argument in command.Arguments.Where(static a => !a.Hidden))
                    text.Append($" \\\n        '*:{argument.Name}:_files'");
                text.Append('\n');
            }

            text.Append("}\n\n");
        }

        return text.Append("_iotguard \"$@\"\n").ToString();
    }

    private static IEnumerable<(string Path, Command Command)> All(Command command, string path)
    {
        foreach (var child in command.Subcommands.Where(static c => !c.Hidden))
        {
            var own = $"{path} {child.Name}";
            yield return (own, child);
            foreach (var more in All(child, own))
                yield return more;
        }
    }

    /// <summary>The bash command that lists the values of an option; null when they cannot be listed.</summary>
    private static string? Values(Option option) => option.HelpName switch
    {
        "FILE" => "compgen -f",
        "DIR" => "compgen -d",
        "IF" => "compgen -W \"$(ls /sys/class/net)\"",
        "NAME" when option.Name == "--user" => "compgen -u",
        { } names when names.Contains('|', StringComparison.Ordinal) => $"compgen -W \"{names.Replace('|', ' ')}\"",
        _ => null,
    };

    private static string ZshValues(string name) => name switch
    {
        "FILE" => "_files",
        "DIR" => "_files -/",
        "IF" => "_net_interfaces",
        _ when name.Contains('|', StringComparison.Ordinal) => $"({name.Replace('|', ' ')})",
        _ => " ",
    };

    private static string FunctionOf(string path) => "_iotguard" + path.Replace(' ', '_');

    private static string FirstSentence(string? text) =>
        (text ?? "").ReplaceLineEndings(" ").Split(". ")[0].TrimEnd('.', ' ').Replace("[", "(", StringComparison.Ordinal).Replace("]", ")", StringComparison.Ordinal).Replace(":", " -", StringComparison.Ordinal);

    private static string Quote(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
