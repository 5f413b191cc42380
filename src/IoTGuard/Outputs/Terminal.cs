using Spectre.Console;

namespace IoTGuard.Outputs;

/// <summary>Consoles for people: colour and width of the terminal where there is one, plain text of a fixed width elsewhere.</summary>
internal static class Terminal
{
    /// <summary>Width of lines when the output is not a terminal, in characters.</summary>
    private const int PlainWidth = 140;

    public static IAnsiConsole Output { get; } = Create(Console.Out, Console.IsOutputRedirected);

    public static IAnsiConsole Error { get; } = Create(Console.Error, Console.IsErrorRedirected);

    /// <summary>A table without borders whose headers are underlined on terminals. Columns do not wrap unless they are told to.</summary>
    public static Table Table(params string[] headers)
    {
        var table = new Table { Border = TableBorder.None };
        foreach (var header in headers)
            table.AddColumn(new TableColumn(new Text(header, new Style(decoration: Decoration.Underline))) { Padding = new Padding(0, 0, 2, 0), NoWrap = true });
        return table;
    }

    private static IAnsiConsole Create(TextWriter writer, bool redirected)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(redirected ? new TrimmingWriter(writer) : writer),
            Ansi = redirected ? AnsiSupport.No : AnsiSupport.Detect,
            ColorSystem = redirected || Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 } ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
            Interactive = InteractionSupport.No,
        });
        if (redirected)
            console.Profile.Width = PlainWidth;
        return console;
    }
}
