namespace IoTGuard.Benchmarks.Baselines;

/// <summary>What a baseline says when its package is not there.</summary>
internal static class Absence
{
    public static int Say(string input, string packages)
    {
        Console.Error.WriteLine($"{input}: not measured, this was built without {packages}; to ask the package feed again: build/setup-named-packages --again");
        return 2;
    }
}
