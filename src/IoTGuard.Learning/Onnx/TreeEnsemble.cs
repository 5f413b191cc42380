using System.Runtime.CompilerServices;

namespace IoTGuard.Learning.Onnx;

/// <summary>
/// Trees as one flat array. The children of a split are neighbours, left before right. A leaf's threshold is NaN and its "right"
/// child is itself, so walking on from a leaf stays there: all rows take the same number of steps, without a branch. Shallow trees are
/// laid out once more as <see cref="CompleteTrees"/>, in which full blocks of rows are scored.
/// </summary>
internal sealed class TreeEnsemble
{
    private readonly Node[] _nodes;
    private readonly Tree[] _trees;
    private readonly CompleteTrees? _complete;

    /// <summary>Splits where NaN goes left; null in the usual case that there are none.</summary>
    private readonly bool[]? _missingGoesLeft;

    /// <summary>Mean of the leaf values under each node, weighted by the training rows that reached them.</summary>
    private readonly float[] _expected;

    internal TreeEnsemble(Node[] nodes, Tree[] trees, bool[]? missingGoesLeft, float[] expected, float offset, float scale)
    {
        _nodes = nodes;
        _trees = trees;
        _missingGoesLeft = missingGoesLeft;
        _expected = expected;
        Offset = offset;
        Scale = scale;
        if (missingGoesLeft is null)
            _complete = CompleteTrees.TryMake(nodes, trees);
    }

    /// <summary>Added to every output (base_values).</summary>
    public float Offset { get; }

    /// <summary>1 for a sum over the trees, 1 / trees for their mean.</summary>
    public float Scale { get; }

    /// <summary>The lanes that are read.</summary>
    public IEnumerable<int> Lanes => _nodes.Where((n, at) => n.Right != at).Select(n => n.Lane).Distinct();

    /// <summary>A node. Leaves: threshold NaN, <paramref name="Right"/> the node itself.</summary>
    /// <param name="Threshold">Values at or below it go to <paramref name="Right"/> − 1.</param>
    /// <param name="Lane">Where the lane of the column begins.</param>
    /// <param name="Right">Index of the right child.</param>
    /// <param name="Value">A leaf's value.</param>
    internal readonly record struct Node(float Threshold, int Lane, int Right, float Value);

    /// <summary>A tree: its root and the depth of its deepest leaf.</summary>
    internal readonly record struct Tree(int Root, int Depth);

    /// <summary>Evaluates the first rows of a block.</summary>
    /// <param name="scratch">All lanes.</param>
    /// <param name="results">One sum per row.</param>
    public void Evaluate(ReadOnlySpan<float> scratch, Span<float> results)
    {
        results.Clear();
        var rows = results.Length;
        if (_missingGoesLeft is null)
        {
            // Full groups of rows go tree by tree, which keeps the tree in the nearest cache; the rows left over go one by one.
            var together = rows - (rows % Group);
            if (together > 0 && _complete is not null)
            {
                _complete.AddTo(scratch, results[..together]);
            }
            else
            {
                foreach (var tree in _trees)
                {
                    for (var row = 0; row < together; row += Group)
                        AddGroup(scratch[row..], tree, results.Slice(row, Group));
                }
            }

            for (var row = together; row < rows; row++)
                results[row] = SumOfTrees(scratch[row..]);
        }
        else
        {
            for (var row = 0; row < rows; row++)
            {
                foreach (var tree in _trees)
                    results[row] += _nodes[FindLeaf(scratch[row..], tree, _missingGoesLeft)].Value;
            }
        }

        for (var row = 0; row < rows; row++)
            results[row] = (results[row] * Scale) + Offset;
    }

    /// <summary>
    /// Adds, for each column, by how much the splits on it moved the output away from the mean over the training rows
    /// (Saabas 2014). The sum over all columns is the row's output minus that mean.
    /// </summary>
    /// <param name="scratch">All lanes, with the row in the first place.</param>
    /// <param name="columnOf">The feature that each lane holds, by lane number.</param>
    /// <param name="contributions">One sum per feature.</param>
    public void AddContributions(ReadOnlySpan<float> scratch, ReadOnlySpan<int> columnOf, Span<float> contributions)
    {
        foreach (var tree in _trees)
        {
            var at = tree.Root;
            while (true)
            {
                ref readonly var node = ref _nodes[at];
                if (node.Right == at)
                    break;
                var next = Step(node, at, scratch[node.Lane], _missingGoesLeft);
                contributions[columnOf[node.Lane / CompiledModel.BlockRows]] += (_expected[next] - _expected[at]) * Scale;
                at = next;
            }
        }
    }

    /// <summary>
    /// Eight rows walk a tree side by side: their loads overlap instead of waiting for each other. Every few steps it is seen whether all have
    /// arrived, since a tree that is grown leaf by leaf is far deeper than most of its leaves.
    /// </summary>
    private void AddGroup(ReadOnlySpan<float> scratch, Tree tree, Span<float> results)
    {
        var nodes = _nodes;
        int n0 = tree.Root, n1 = n0, n2 = n0, n3 = n0, n4 = n0, n5 = n0, n6 = n0, n7 = n0;
        for (var depth = tree.Depth; depth > 0; depth -= StepsBetween)
        {
            for (var step = 0; step < StepsBetween; step++)
            {
                n0 = Next(nodes, n0, scratch, 0);
                n1 = Next(nodes, n1, scratch, 1);
                n2 = Next(nodes, n2, scratch, 2);
                n3 = Next(nodes, n3, scratch, 3);
                n4 = Next(nodes, n4, scratch, 4);
                n5 = Next(nodes, n5, scratch, 5);
                n6 = Next(nodes, n6, scratch, 6);
                n7 = Next(nodes, n7, scratch, 7);
            }

            if (nodes[n0].Right == n0 && nodes[n1].Right == n1 && nodes[n2].Right == n2 && nodes[n3].Right == n3
                && nodes[n4].Right == n4 && nodes[n5].Right == n5 && nodes[n6].Right == n6 && nodes[n7].Right == n7)
                break;
        }

        results[7] += nodes[n7].Value;
        results[6] += nodes[n6].Value;
        results[5] += nodes[n5].Value;
        results[4] += nodes[n4].Value;
        results[3] += nodes[n3].Value;
        results[2] += nodes[n2].Value;
        results[1] += nodes[n1].Value;
        results[0] += nodes[n0].Value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Next(Node[] nodes, int at, ReadOnlySpan<float> scratch, int row)
    {
        ref readonly var node = ref nodes[at];
        return node.Right - Unsafe.BitCast<bool, byte>(scratch[node.Lane + row] <= node.Threshold);
    }

    /// <summary>One row walks eight trees side by side, then the next eight. The values are added in the same order as above.</summary>
    private float SumOfTrees(ReadOnlySpan<float> scratch)
    {
        var nodes = _nodes;
        var sum = 0f;
        var trees = _trees.AsSpan();
        for (; trees.Length >= Group; trees = trees[Group..])
        {
            int n0 = trees[0].Root, n1 = trees[1].Root, n2 = trees[2].Root, n3 = trees[3].Root;
            int n4 = trees[4].Root, n5 = trees[5].Root, n6 = trees[6].Root, n7 = trees[7].Root;
            var depth = 0;
            foreach (var tree in trees[..Group])
                depth = Math.Max(depth, tree.Depth);
            for (; depth > 0; depth--)
            {
                n0 = Next(nodes, n0, scratch, 0);
                n1 = Next(nodes, n1, scratch, 0);
                n2 = Next(nodes, n2, scratch, 0);
                n3 = Next(nodes, n3, scratch, 0);
                n4 = Next(nodes, n4, scratch, 0);
                n5 = Next(nodes, n5, scratch, 0);
                n6 = Next(nodes, n6, scratch, 0);
                n7 = Next(nodes, n7, scratch, 0);
            }

            sum += nodes[n0].Value;
            sum += nodes[n1].Value;
            sum += nodes[n2].Value;
            sum += nodes[n3].Value;
            sum += nodes[n4].Value;
            sum += nodes[n5].Value;
            sum += nodes[n6].Value;
            sum += nodes[n7].Value;
        }

        foreach (var tree in trees)
        {
            var at = tree.Root;
            for (var depth = tree.Depth; depth > 0; depth--)
                at = Next(nodes, at, scratch, 0);
            sum += nodes[at].Value;
        }

        return sum;
    }

    private int FindLeaf(ReadOnlySpan<float> scratch, Tree tree, bool[] missingGoesLeft)
    {
        var at = tree.Root;
        while (_nodes[at].Right != at)
            at = Step(_nodes[at], at, scratch[_nodes[at].Lane], missingGoesLeft);
        return at;
    }

    private static int Step(in Node node, int at, float value, bool[]? missingGoesLeft)
    {
        var left = value <= node.Threshold || (missingGoesLeft is not null && missingGoesLeft[at] && float.IsNaN(value));
        return left ? node.Right - 1 : node.Right;
    }

    /// <summary>Rows that walk side by side.</summary>
    internal const int Group = 8;

    /// <summary>Steps after which it is seen whether all rows are in a leaf; further steps stay there.</summary>
    private const int StepsBetween = 4;
}
