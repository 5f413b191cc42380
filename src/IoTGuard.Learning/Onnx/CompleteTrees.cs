using System.Numerics;
using System.Runtime.CompilerServices;

namespace IoTGuard.Learning.Onnx;

/// <summary>
/// Shallow trees, each filled up to a complete one: the children of split i are 2i and 2i + 1, so that a step needs no pointer and a split is eight
/// bytes. A leaf above the bottom is repeated at all places below it.
/// </summary>
internal sealed class CompleteTrees
{
    /// <summary>Deepest tree that is laid out so.</summary>
    private const int MaxDepth = 10;

    /// <summary>Splits of all trees; more are not laid out so. 8 MiB.</summary>
    private const int MaxSplits = 1 << 20;

    private readonly Split[] _splits;
    private readonly float[] _leaves;
    private readonly Tree[] _trees;

    private CompleteTrees(Split[] splits, float[] leaves, Tree[] trees)
    {
        _splits = splits;
        _leaves = leaves;
        _trees = trees;
    }

    private readonly record struct Split(float Threshold, int Lane);

    /// <summary>A tree of depth d has 2^d leaves from <paramref name="Start"/>, and as many splits, of which the first is not used.</summary>
    private readonly record struct Tree(int Start, int Depth);

    /// <summary>Lays trees out; null when they are too deep or too many.</summary>
    public static CompleteTrees? TryMake(TreeEnsemble.Node[] nodes, TreeEnsemble.Tree[] trees)
    {
        if (trees.Any(t => t.Depth > MaxDepth))
            return null;
        var total = trees.Sum(t => 1L << t.Depth);
        if (total > MaxSplits)
            return null;
        var splits = new Split[total];
        var leaves = new float[total];
        var complete = new Tree[trees.Length];
        var start = 0;
        for (var t = 0; t < trees.Length; t++)
        {
            complete[t] = new Tree(start, trees[t].Depth);
            Fill(trees[t].Root, 1, trees[t].Depth);
            start += 1 << trees[t].Depth;
        }

        return new CompleteTrees(splits, leaves, complete);

        void Fill(int node, int place, int levelsLeft)
        {
            if (levelsLeft == 0)
            {
                leaves[start + place - (1 << BitOperations.Log2((uint)place))] = nodes[node].Value;
                return;
            }

            var right = nodes[node].Right;
            var isLeaf = right == node;
            splits[start + place] = isLeaf ? new Split(float.PositiveInfinity, 0) : new Split(nodes[node].Threshold, nodes[node].Lane);
            Fill(isLeaf ? node : right - 1, 2 * place, levelsLeft - 1);
            Fill(isLeaf ? node : right, (2 * place) + 1, levelsLeft - 1);
        }
    }

    /// <summary>Adds the sum over all trees to every result; a multiple of eight rows.</summary>
    public void AddTo(ReadOnlySpan<float> scratch, Span<float> results)
    {
        foreach (var tree in _trees)
        {
            var count = 1 << tree.Depth;
            var splits = _splits.AsSpan(tree.Start, count);
            var leaves = _leaves.AsSpan(tree.Start, count);
            for (var row = 0; row < results.Length; row += TreeEnsemble.Group)
                AddGroup(scratch[row..], splits, leaves, tree.Depth, results.Slice(row, TreeEnsemble.Group));
        }
    }

    /// <summary>Eight rows walk a tree side by side: their loads overlap instead of waiting for each other.</summary>
    private static void AddGroup(ReadOnlySpan<float> scratch, ReadOnlySpan<Split> splits, ReadOnlySpan<float> leaves, int depth, Span<float> results)
    {
        int n0 = 1, n1 = 1, n2 = 1, n3 = 1, n4 = 1, n5 = 1, n6 = 1, n7 = 1;
        for (; depth > 0; depth--)
        {
            n0 = Next(splits, n0, scratch, 0);
            n1 = Next(splits, n1, scratch, 1);
            n2 = Next(splits, n2, scratch, 2);
            n3 = Next(splits, n3, scratch, 3);
            n4 = Next(splits, n4, scratch, 4);
            n5 = Next(splits, n5, scratch, 5);
            n6 = Next(splits, n6, scratch, 6);
            n7 = Next(splits, n7, scratch, 7);
        }

        var first = leaves.Length;
        results[7] += leaves[n7 - first];
        results[6] += leaves[n6 - first];
        results[5] += leaves[n5 - first];
        results[4] += leaves[n4 - first];
        results[3] += leaves[n3 - first];
        results[2] += leaves[n2 - first];
        results[1] += leaves[n1 - first];
        results[0] += leaves[n0 - first];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Next(ReadOnlySpan<Split> splits, int at, ReadOnlySpan<float> scratch, int row)
    {
        var split = splits[at];
        return (2 * at) + 1 - Unsafe.BitCast<bool, byte>(scratch[split.Lane + row] <= split.Threshold);
    }
}
