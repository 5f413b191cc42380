namespace IoTGuard.Capture;

/// <summary>An input that cannot be opened at all: what, why, and what to do about it, in one line.</summary>
public sealed class CaptureException : IOException
{
    /// <param name="source">Path or interface name.</param>
    /// <param name="reason">Why it cannot be opened.</param>
    /// <param name="remedy">What the person at the keyboard can do.</param>
    public CaptureException(string source, string reason, string remedy)
        : base($"{source}: {reason}; {remedy}")
    {
        Origin = source;
        Reason = reason;
        Remedy = remedy;
    }

    /// <summary>Path or interface name.</summary>
    public string Origin { get; }

    /// <summary>Why it cannot be opened.</summary>
    public string Reason { get; }

    /// <summary>What the person at the keyboard can do.</summary>
    public string Remedy { get; }
}
