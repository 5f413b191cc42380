namespace IoTGuard.Learning.Onnx;

/// <summary>
/// Makes a <see cref="TreeEnsemble"/> from the attributes of a tree ensemble of ai.onnx.ml. Every tree is checked to be one: ids
/// known and unique, one root, every node reached exactly once, columns in range, values finite.
/// </summary>
internal sealed class TreeEnsembleBuilder
{
    private readonly string _operator, _targets;
    private readonly long[] _treeIds, _nodeIds, _features, _trueIds, _falseIds, _missingTracksTrue;
    private readonly long[] _targetTrees, _targetNodes, _targetIds;
    private readonly float[] _thresholds, _hitRates, _weights;
    private readonly string[] _modes;
    private readonly Dictionary<(long Tree, long Node), int> _indexOf;
    private readonly int[] _lanes;

    /// <param name="attributes">Of the node.</param>
    /// <param name="name">Its operator.</param>
    /// <param name="targets">How the attributes of leaves begin: "target" or "class".</param>
    /// <param name="lanes">Where each column lies.</param>
    public TreeEnsembleBuilder(NodeAttributes attributes, string name, string targets, int[] lanes)
    {
        (_operator, _targets, _lanes) = (name, targets, lanes);
        _treeIds = attributes.TakeInts("nodes_treeids");
        var count = _treeIds.Length;
        if (count == 0)
            throw Damaged("no nodes");
        if (count > OnnxLimits.MaxTreeNodes)
            throw ModelException.TooLarge("tree nodes", count, OnnxLimits.MaxTreeNodes);
        _nodeIds = Same(attributes.TakeInts("nodes_nodeids"), count, "nodes_nodeids");
        _features = Same(attributes.TakeInts("nodes_featureids"), count, "nodes_featureids");
        _trueIds = Same(attributes.TakeInts("nodes_truenodeids"), count, "nodes_truenodeids");
        _falseIds = Same(attributes.TakeInts("nodes_falsenodeids"), count, "nodes_falsenodeids");
        _thresholds = Same(attributes.TakeFloats("nodes_values"), count, "nodes_values");
        _modes = Same(attributes.TakeStrings("nodes_modes"), count, "nodes_modes");
        _hitRates = SameOrNone(attributes.TakeFloats("nodes_hitrates"), count, "nodes_hitrates");
        _missingTracksTrue = SameOrNone(attributes.TakeInts("nodes_missing_value_tracks_true"), count, "nodes_missing_value_tracks_true");
        _indexOf = new(count);
        for (var i = 0; i < count; i++)
        {
            if (!_indexOf.TryAdd((_treeIds[i], _nodeIds[i]), i))
                throw Damaged($"tree {_treeIds[i]} has node {_nodeIds[i]} twice");
        }

        _targetTrees = attributes.TakeInts($"{targets}_treeids");
        _targetNodes = Same(attributes.TakeInts($"{targets}_nodeids"), _targetTrees.Length, $"{targets}_nodeids");
        _targetIds = Same(attributes.TakeInts($"{targets}_ids"), _targetTrees.Length, $"{targets}_ids");
        _weights = Same(attributes.TakeFloats($"{targets}_weights"), _targetTrees.Length, $"{targets}_weights");
    }

    /// <summary>The target that all weights are for; null when they are for several.</summary>
    public int? OnlyTarget => _targetIds.Distinct().Take(2).ToArray() is [var one] ? (int)one : null;

    /// <summary>Whether no weight is below 0.</summary>
    public bool WeightsArePositive => _weights.All(w => w >= 0);

    /// <summary>Refuses weights of targets that are not there.</summary>
    public void CheckTargets(int targets)
    {
        foreach (var id in _targetIds)
        {
            if (id < 0 || id >= targets)
                throw Damaged($"{_targets} {id} of {targets}");
        }
    }

    /// <summary>The ensemble of one target.</summary>
    public TreeEnsemble Build(int target, float offset, string aggregate)
    {
        if (!float.IsFinite(offset))
            throw Damaged("a base value is not finite");
        return LayOut(ReadLeafValues(target), offset, aggregate);
    }

    private float[] ReadLeafValues(int target)
    {
        var values = new float[_treeIds.Length];
        Array.Fill(values, float.NaN);
        for (var i = 0; i < _weights.Length; i++)
        {
            if (!_indexOf.TryGetValue((_targetTrees[i], _targetNodes[i]), out var at))
                throw Damaged($"a weight for node {_targetNodes[i]} of tree {_targetTrees[i]}, which is not there");
            if (!IsLeaf(at))
                throw Damaged($"a weight for node {_targetNodes[i]} of tree {_targetTrees[i]}, which is no leaf");
            if (!float.IsFinite(_weights[i]))
                throw Damaged($"the weight of node {_targetNodes[i]} of tree {_targetTrees[i]} is not finite");
            if (_targetIds[i] != target)
                continue;
            if (!float.IsNaN(values[at]))
                throw Damaged($"two weights for node {_targetNodes[i]} of tree {_targetTrees[i]}");
            values[at] = _weights[i];
        }

        return values;
    }

    /// <summary>Walks every tree from its root, breadth first, giving the nodes their places in the flat array.</summary>
    private TreeEnsemble LayOut(float[] leafValues, float offset, string aggregate)
    {
        var count = _treeIds.Length;
        var roots = FindRoots();
        var scale = aggregate switch
        {
            "SUM" => 1f,
            "AVERAGE" => 1f / roots.Count,
            _ => throw ModelException.Unsupported($"{_operator}: aggregate_function {aggregate}"),
        };
        var nodes = new TreeEnsemble.Node[count];
        var expected = new float[count];
        var covers = new double[count];
        var source = new int[count];
        var depths = new int[count];
        bool[]? missing = null;
        var trees = new List<TreeEnsemble.Tree>(roots.Count);
        var used = 0;
        foreach (var root in roots)
        {
            var first = used;
            source[used++] = root;
            depths[first] = 0;
            for (var at = first; at < used; at++)
            {
                var from = source[at];
                if (IsLeaf(from))
                {
                    var value = float.IsNaN(leafValues[from]) ? 0 : leafValues[from];
                    nodes[at] = new(float.NaN, 0, at, value);
                    expected[at] = value;
                    covers[at] = _hitRates.Length == 0 ? 1 : _hitRates[from] is > 0 and < 1e30f ? _hitRates[from] : 0;
                    continue;
                }

                if (depths[at] == OnnxLimits.MaxTreeDepth)
                    throw ModelException.TooLarge($"depth of tree {_treeIds[root]}", depths[at] + 1, OnnxLimits.MaxTreeDepth);
                var (left, right, threshold, missingLeft) = ReadSplit(from);
                nodes[at] = new(threshold, _lanes[_features[from]], used + 1, 0);
                if (missingLeft)
                    (missing ??= new bool[count])[at] = true;
                depths[used] = depths[used + 1] = depths[at] + 1;
                source[used++] = left;
                source[used++] = right;
            }

            trees.Add(new(first, depths[used - 1]));
            for (var at = used - 1; at >= first; at--)
            {
                var right = nodes[at].Right;
                if (right == at)
                    continue;
                covers[at] = covers[right - 1] + covers[right];
                var share = covers[at] > 0 ? covers[right] / covers[at] : 0.5;
                expected[at] = (float)((expected[right - 1] * (1 - share)) + (expected[right] * share));
            }
        }

        if (used != count)
            throw Damaged($"{count - used} nodes are not reached from a root (a cycle)");
        return new TreeEnsemble(nodes, [.. trees], missing, expected, offset, scale);
    }

    /// <summary>The nodes that are nobody's child. That no node is the child of two is checked here, so walks cannot meet.</summary>
    private List<int> FindRoots()
    {
        var hasParent = new bool[_treeIds.Length];
        for (var i = 0; i < hasParent.Length; i++)
        {
            if (IsLeaf(i))
                continue;
            foreach (var id in (ReadOnlySpan<long>)[_trueIds[i], _falseIds[i]])
            {
                var child = Child(i, id);
                if (hasParent[child])
                    throw Damaged($"node {id} of tree {_treeIds[i]} has two parents");
                hasParent[child] = true;
            }
        }

        var roots = new List<int>();
        var rooted = new HashSet<long>();
        for (var i = 0; i < hasParent.Length; i++)
        {
            if (hasParent[i])
                continue;
            if (!rooted.Add(_treeIds[i]))
                throw Damaged($"tree {_treeIds[i]} has two roots");
            if (roots.Count == OnnxLimits.MaxTrees)
                throw ModelException.TooLarge("trees", roots.Count + 1, OnnxLimits.MaxTrees);
            roots.Add(i);
        }

        return roots;
    }

    private int Child(int parent, long id) =>
        _indexOf.TryGetValue((_treeIds[parent], id), out var child)
            ? child
            : throw Damaged($"node {_nodeIds[parent]} of tree {_treeIds[parent]} has child {id}, which is not there");

    /// <summary>Brings every mode to "left when value ≤ threshold".</summary>
    private (int Left, int Right, float Threshold, bool MissingLeft) ReadSplit(int at)
    {
        var threshold = _thresholds[at];
        if (float.IsNaN(threshold))
            throw Damaged($"the threshold of node {_nodeIds[at]} of tree {_treeIds[at]} is NaN");
        if (_features[at] < 0 || _features[at] >= _lanes.Length)
            throw Damaged($"node {_nodeIds[at]} of tree {_treeIds[at]} tests column {_features[at]} of {_lanes.Length}");
        var (whenTrue, whenFalse) = (Child(at, _trueIds[at]), Child(at, _falseIds[at]));
        var missingTrue = _missingTracksTrue.Length > 0 && _missingTracksTrue[at] != 0;

        // x < t is x ≤ the next float below t; nothing is below −∞, which only NaN as threshold says: it is refused.
        return _modes[at] switch
        {
            "BRANCH_LEQ" => (whenTrue, whenFalse, threshold, missingTrue),
            "BRANCH_LT" when threshold > float.NegativeInfinity => (whenTrue, whenFalse, MathF.BitDecrement(threshold), missingTrue),
            "BRANCH_GT" => (whenFalse, whenTrue, threshold, !missingTrue),
            "BRANCH_GTE" when threshold > float.NegativeInfinity => (whenFalse, whenTrue, MathF.BitDecrement(threshold), !missingTrue),
            var mode => throw ModelException.Unsupported($"{_operator}: node mode {mode}"),
        };
    }

    private bool IsLeaf(int at) => _modes[at] == "LEAF";

    private T[] Same<T>(T[] values, int count, string name) =>
        values.Length == count ? values : throw Damaged($"{name} has {values.Length} entries, not {count}");

    private T[] SameOrNone<T>(T[] values, int count, string name) => values.Length == 0 ? values : Same(values, count, name);

    private ModelException Damaged(string what) => ModelException.Damaged($"{_operator}: {what}");
}
