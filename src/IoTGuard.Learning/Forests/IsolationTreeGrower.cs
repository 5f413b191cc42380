using IoTGuard.Learning.Onnx;

namespace IoTGuard.Learning;

/// <summary>Grows one isolation tree after the other over the same data, reusing its buffers.</summary>
internal sealed class IsolationTreeGrower(FeatureMatrix data, int sampleSize, double pathQuantum)
{
    private readonly int _depthLimit = IsolationForest.DepthLimit(sampleSize);
    private readonly int[] _rows = new int[sampleSize];
    private readonly int[] _candidates = new int[data.ColumnCount];
    private readonly List<TreeNode> _nodes = [];
    private Xoshiro256 _random;

    public TreeNode[] Grow(Xoshiro256 random)
    {
        _random = random;
        _nodes.Clear();
        DrawSample();
        GrowNode(_rows, 0);
        return [.. _nodes];
    }

    /// <summary>Floyd's sampling without replacement; every row is as likely as every other.</summary>
    private void DrawSample()
    {
        var drawn = new HashSet<int>(_rows.Length);
        for (int i = 0, top = data.RowCount - _rows.Length; i < _rows.Length; i++, top++)
        {
            var row = _random.Next(top + 1);
            if (!drawn.Add(row))
                drawn.Add(row = top);
            _rows[i] = row;
        }
    }

    private int GrowNode(Span<int> rows, int depth)
    {
        var index = _nodes.Count;
        if (depth == _depthLimit || rows.Length <= 1 || !TryDrawSplit(rows, out var feature, out var threshold))
        {
            var length = depth + IsolationForest.AveragePathLength(rows.Length);
            var rounded = (float)(Math.Round(length / pathQuantum) * pathQuantum);
            _nodes.Add(TreeNode.Leaf(rows.Length, rounded));
            return index;
        }

        _nodes.Add(default);
        var split = Partition(rows, feature, threshold);
        var left = GrowNode(rows[..split], depth + 1);
        var right = GrowNode(rows[split..], depth + 1);
        _nodes[index] = new TreeNode(feature, threshold, left, right, rows.Length, 0);
        return index;
    }

    /// <summary>A random column among those that can be split here, and a threshold uniform over its range in these rows.</summary>
    private bool TryDrawSplit(ReadOnlySpan<int> rows, out int feature, out float threshold)
    {
        for (var i = 0; i < _candidates.Length; i++)
            _candidates[i] = i;
        for (var left = _candidates.Length; left > 0; left--)
        {
            var pick = _random.Next(left);
            feature = _candidates[pick];
            _candidates[pick] = _candidates[left - 1];
            var (min, max, missing) = Range(rows, feature);
            if (min < max)
            {
                var drawn = (float)(min + (_random.NextDouble() * ((double)max - min)));
                threshold = Math.Clamp(drawn, min, MathF.BitDecrement(max));
                return true;
            }

            if (missing && min == max)
            {
                threshold = max == float.MaxValue ? float.PositiveInfinity : max;
                return true;
            }
        }

        (feature, threshold) = (-1, 0);
        return false;
    }

    private (float Min, float Max, bool Missing) Range(ReadOnlySpan<int> rows, int feature)
    {
        float min = float.PositiveInfinity, max = float.NegativeInfinity;
        var missing = false;
        foreach (var row in rows)
        {
            var value = Finite(data.Row(row)[feature]);
            missing |= float.IsNaN(value);
            min = value < min ? value : min;
            max = value > max ? value : max;
        }

        return (min, max, missing);
    }

    private int Partition(Span<int> rows, int feature, float threshold)
    {
        int left = 0, right = rows.Length - 1;
        while (left <= right)
        {
            if (data.Row(rows[left])[feature] <= threshold)
                left++;
            else
                (rows[left], rows[right]) = (rows[right--], rows[left]);
        }

        return left;
    }

    private static float Finite(float value) =>
        float.IsInfinity(value) ? MathF.CopySign(float.MaxValue, value) : value;
}
