using IoTGuard.Learning.Onnx;
using IoTGuard.Learning.Training;

namespace IoTGuard.Learning;

/// <summary>How a forest is grown.</summary>
public sealed record IsolationForestOptions
{
    /// <summary>Trees.</summary>
    public int Trees { get; init; } = 100;

    /// <summary>Rows drawn without replacement for each tree (ψ of Liu 2008); fewer when there are fewer rows.</summary>
    public int SampleSize { get; init; } = 256;

    /// <summary>The same seed, data and options give the same forest.</summary>
    public ulong Seed { get; init; } = 1;
}

/// <summary>
/// Isolation forest (Liu, Ting, Zhou 2008): random splits isolate unusual rows after fewer cuts. The score of a row is
/// 2^(−E[h] / c(ψ)), E[h] its mean path length over the trees: near 1 is anomalous, 0.5 and less is usual.
/// <para>
/// Missing values (NaN) always go right, in training and in scoring, and a column that is present in some rows of a node and
/// missing in the others can be split on that. Infinities are treated as the largest finite float. A column that is
/// constant is never split on.
/// </para>
/// </summary>
public sealed class IsolationForest
{
    private IsolationForest(IReadOnlyList<string> columns, TreeNode[][] trees, int sampleSize, int trainingRows, ulong seed)
    {
        Columns = columns;
        Trees = trees;
        SampleSize = sampleSize;
        TrainingRows = trainingRows;
        Seed = seed;
    }

    /// <summary>The columns that the forest was trained on, in order.</summary>
    public IReadOnlyList<string> Columns { get; }

    /// <summary>The trees; the first node of each is its root, and the value of a leaf is its depth plus c(its training rows).</summary>
    public IReadOnlyList<TreeNode[]> Trees { get; }

    /// <summary>Rows that each tree has seen.</summary>
    public int SampleSize { get; }

    /// <summary>Rows that there were to draw from.</summary>
    public int TrainingRows { get; }

    /// <summary>trees · c(ψ): path lengths over it are bits of the score.</summary>
    public double PathNormaliser => Trees.Count * AveragePathLength(SampleSize);

    /// <summary>The seed it was grown with.</summary>
    public ulong Seed { get; }

    /// <summary>Grows a forest.</summary>
    /// <exception cref="ArgumentException">Fewer than two rows, or options out of range.</exception>
    public static IsolationForest Train(FeatureMatrix data, IsolationForestOptions options)
    {
        if (data.RowCount < 2)
            throw new ArgumentException($"an isolation forest needs at least 2 rows, there are {data.RowCount}", nameof(data));
        if (options.Trees is < 1 or > OnnxLimits.MaxTrees)
            throw new ArgumentException($"trees must be 1 to {OnnxLimits.MaxTrees}, not {options.Trees}", nameof(options));
        if (options.SampleSize is < 2 or > 65_536)
            throw new ArgumentException($"the sample size must be 2 to 65536, not {options.SampleSize}", nameof(options));
        var sampleSize = Math.Min(options.SampleSize, data.RowCount);
        if ((long)options.Trees * ((2 * sampleSize) - 1) > OnnxLimits.MaxTreeNodes)
            throw new ArgumentException($"{options.Trees} trees of {sampleSize} samples pass {OnnxLimits.MaxTreeNodes} nodes", nameof(options));
        var grower = new IsolationTreeGrower(data, sampleSize, PathQuantum(options.Trees, sampleSize));
        var trees = new TreeNode[options.Trees][];
        for (var t = 0; t < trees.Length; t++)
            trees[t] = grower.Grow(new Xoshiro256(options.Seed, (ulong)t));
        return new IsolationForest([.. data.Columns], trees, sampleSize, data.RowCount, options.Seed);
    }

    /// <summary>The forest as a graph: 2^(−E[h] / c(ψ)).</summary>
    public TrainedGraph ToGraph() => new(IsolationForestGraph.Build(this)) { PathNormaliser = PathNormaliser };

    /// <summary>c(n) of Liu 2008: the mean path length of an unsuccessful search in a binary search tree of n rows.</summary>
    public static double AveragePathLength(int rows) => rows switch
    {
        <= 1 => 0,
        2 => 1,
        _ => (2 * (Math.Log(rows - 1) + EulerGamma)) - (2.0 * (rows - 1) / rows),
    };

    /// <summary>The depth at which growing stops: ⌈log₂ ψ⌉.</summary>
    internal static int DepthLimit(int sampleSize) => (int)Math.Ceiling(Math.Log2(sampleSize));

    /// <summary>Path lengths are rounded to a multiple of this (2⁻¹³ for 100 trees of 256), so that their sum is exact.</summary>
    private static double PathQuantum(int trees, int sampleSize) =>
        TreeEnsembleNode.ExactQuantum(trees * (DepthLimit(sampleSize) + AveragePathLength(sampleSize) + 1));

    private const double EulerGamma = 0.57721566490153286;
}
