namespace IoTGuard;

/// <summary>Exit statuses of the program, as documented in --help.</summary>
internal static class ExitStatus
{
    public const int Done = 0;

    /// <summary>A fault of the program itself; never expected.</summary>
    public const int InternalError = 1;

    /// <summary>Unusable arguments or configuration.</summary>
    public const int Unusable = 2;

    /// <summary>Input that could not be read, or not to its end.</summary>
    public const int UnreadableInput = 3;

    /// <summary>Finished, but something was lost.</summary>
    public const int Lost = 4;
}

/// <summary>Ends the command with one line for the user: what, where, and what to do.</summary>
internal sealed class UserException(int exitStatus, string message, Exception? inner = null) : Exception(message, inner)
{
    public int ExitStatus { get; } = exitStatus;
}
