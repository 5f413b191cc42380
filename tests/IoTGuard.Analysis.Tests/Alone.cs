namespace IoTGuard.Analysis.Tests;

/// <summary>Tests that run with no other beside them.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}
