namespace IoTGuard.Commands.Doctor;

/// <summary>How good a finding is.</summary>
internal enum Verdict
{
    Ok,

    /// <summary>Worth knowing; nothing has to be done.</summary>
    Note,

    /// <summary>The sensor works, but sees or tells less than it could.</summary>
    Warning,

    /// <summary>The sensor cannot do its work like this.</summary>
    Fault,
}

/// <summary>One line of the doctor.</summary>
/// <param name="Verdict">How good it is.</param>
/// <param name="Subject">What was looked at, in a word or two.</param>
/// <param name="Text">What was found.</param>
/// <param name="Remedy">What to do; null when nothing has to be done.</param>
internal sealed record Finding(Verdict Verdict, string Subject, string Text, string? Remedy = null)
{
    public static Finding Ok(string subject, string text) => new(Verdict.Ok, subject, text);

    public static Finding Note(string subject, string text, string? remedy = null) => new(Verdict.Note, subject, text, remedy);

    public static Finding Warning(string subject, string text, string remedy) => new(Verdict.Warning, subject, text, remedy);

    public static Finding Fault(string subject, string text, string remedy) => new(Verdict.Fault, subject, text, remedy);
}
