using IoTGuard.Wire;

namespace IoTGuard.Capture;

/// <summary>The problems of one source, in order, at most <see cref="CaptureLimits.MaxProblems"/>. One thread writes, any may read.</summary>
internal sealed class ProblemLog(string source)
{
    private volatile CaptureProblem[] _items = [];
    private long _beyond;

    public IReadOnlyList<CaptureProblem> Items => _items;

    public void Add(long offset, string reason)
    {
        var items = _items;
        if (items.Length < CaptureLimits.MaxProblems)
            _items = [.. items, new CaptureProblem(source, offset, reason)];
        else
            _items = [.. items[..^1], new CaptureProblem(source, offset, $"{++_beyond + 1} further problems, the last here: {reason}")];
    }

    /// <summary>True when a text per problem is still worth making.</summary>
    public bool HasRoom => _items.Length < CaptureLimits.MaxProblems;
}
