using System.CommandLine;

namespace IoTGuard.Commands;

/// <summary><c>iotguard generate</c>, hidden: what the package holds that is made of the command line itself.</summary>
internal static class GenerateCommand
{
    public static Command Create(Command root)
    {
        var date = ListOptions.Text("--date", "Day that stands in the manual page", "DATE");
        var manual = new Command("manual", "Prints the manual page.") { date };
        manual.SetAction(parsed => Print(ManualPage.Of(root, parsed.GetValue(date) ?? "")));
        var bash = new Command("bash-completion", "Prints the completion for bash.");
        bash.SetAction(_ => Print(ShellCompletion.Bash(root)));
        var zsh = new Command("zsh-completion", "Prints the completion for zsh.");
        zsh.SetAction(_ => Print(ShellCompletion.Zsh(root)));
        return new Command("generate", "Prints parts of the package.") { manual, bash, zsh };
    }

    private static int Print(string text)
    {
        Console.Out.Write(text);
        return ExitStatus.Done;
    }
}
