using IoTGuard.Learning.Onnx;
using IoTGuard.Learning.Training;

namespace IoTGuard.Learning;

/// <summary>Grows one boosted tree after the other over the same bins, reusing its buffers.</summary>
internal sealed class BoostedTreeGrower(BinnedMatrix bins, TrainingTask task)
{
    private const int Slots = BinnedMatrix.MaxBins + 1;

    private readonly int _depth = task.Whole("depth");
    private readonly double _learningRate = task["learning_rate"], _leastWeight = task["least_weight"], _penalty = task["penalty"];
    private readonly double _rowShare = task["row_share"], _columnShare = task["column_share"];
    private readonly int[] _rows = new int[task.Rows.RowCount];
    private readonly int[] _moved = new int[task.Rows.RowCount];
    private readonly List<TreeNode> _nodes = [];
    private readonly double[] _sums = new double[2 * Slots];
    private readonly int[] _counts = new int[Slots];
    private double[] _gradients = [], _curvatures = [];
    private int[] _columns = [];

    /// <summary>Grows a tree, and moves all margins by it.</summary>
    public TreeNode[] Grow(double[] gradients, double[] curvatures, double[] margins, Xoshiro256 random)
    {
        (_gradients, _curvatures) = (gradients, curvatures);
        _nodes.Clear();
        var drawn = 0;
        for (var r = 0; r < _rows.Length; r++)
        {
            if (_rowShare >= 1 || random.NextDouble() < _rowShare)
                _rows[drawn++] = r;
        }

        _columns = [.. Enumerable.Range(0, bins.Columns).Where(_ => _columnShare >= 1 || random.NextDouble() < _columnShare)];
        if (_columns.Length == 0)
            _columns = [random.Next(bins.Columns)];
        GrowNode(_rows.AsSpan(0, drawn), _moved, 0);
        var tree = _nodes.ToArray();
        for (var r = 0; r < _rows.Length; r++)
            margins[r] += LeafOf(tree, r);
        return tree;
    }

    private int GrowNode(Span<int> rows, Span<int> moved, int depth)
    {
        var index = _nodes.Count;
        double gradient = 0, curvature = 0;
        foreach (var r in rows)
        {
            gradient += _gradients[r];
            curvature += _curvatures[r];
        }

        var split = depth < _depth ? FindSplit(rows, gradient, curvature) : default;
        if (split.Gain <= 1e-9)
        {
            var value = -gradient / (curvature + _penalty) * _learningRate;
            _nodes.Add(TreeNode.Leaf(rows.Length, (float)value));
            return index;
        }

        _nodes.Add(default);
        var middle = Partition(rows, moved, bins.Column(split.Column), split.Bin);
        var left = GrowNode(rows[..middle], moved, depth + 1);
        var right = GrowNode(rows[middle..], moved, depth + 1);
        var edges = bins.Edges[split.Column];

        // A split after the last bin parts present values from missing ones.
        var threshold = split.Bin < edges.Length ? edges[split.Bin] : float.PositiveInfinity;
        _nodes[index] = new TreeNode(split.Column, threshold, left, right, rows.Length, 0);
        return index;
    }

    private (double Gain, int Column, int Bin) FindSplit(ReadOnlySpan<int> rows, double gradient, double curvature)
    {
        (double Gain, int Column, int Bin) best = default;
        var parent = gradient * gradient / (curvature + _penalty);
        foreach (var column in _columns)
        {
            var used = bins.Edges[column].Length + 1;
            FillHistogram(rows, bins.Column(column));
            double left = 0, leftCurvature = 0;
            for (var bin = 0; bin < used; bin++)
            {
                left += _sums[2 * bin];
                leftCurvature += _sums[(2 * bin) + 1];
                if (_counts[bin] == 0)
                    continue;
                var (right, rightCurvature) = (gradient - left, curvature - leftCurvature);
                if (leftCurvature < _leastWeight || rightCurvature < _leastWeight)
                    continue;
                var gain = (left * left / (leftCurvature + _penalty)) + (right * right / (rightCurvature + _penalty)) - parent;
                if (gain > best.Gain)
                    best = (gain, column, bin);
            }
        }

        return best;
    }

    private void FillHistogram(ReadOnlySpan<int> rows, byte[] column)
    {
        Array.Clear(_sums);
        Array.Clear(_counts);
        foreach (var r in rows)
        {
            var bin = column[r];
            _sums[2 * bin] += _gradients[r];
            _sums[(2 * bin) + 1] += _curvatures[r];
            _counts[bin]++;
        }
    }

    /// <summary>Left rows first, each side in its old order.</summary>
    private static int Partition(Span<int> rows, Span<int> moved, byte[] column, int bin)
    {
        int left = 0, right = 0;
        foreach (var r in rows)
        {
            if (column[r] <= bin && column[r] != BinnedMatrix.Missing)
                rows[left++] = r;
            else
                moved[right++] = r;
        }

        moved[..right].CopyTo(rows[left..]);
        return left;
    }

    private float LeafOf(TreeNode[] tree, int row)
    {
        var at = 0;
        while (tree[at].Feature >= 0)
        {
            ref readonly var node = ref tree[at];
            var bin = bins.Column(node.Feature)[row];
            var edges = bins.Edges[node.Feature];
            var left = bin != BinnedMatrix.Missing && (float.IsPositiveInfinity(node.Threshold) || (bin < edges.Length && edges[bin] <= node.Threshold));
            at = left ? node.Left : node.Right;
        }

        return tree[at].Value;
    }
}
