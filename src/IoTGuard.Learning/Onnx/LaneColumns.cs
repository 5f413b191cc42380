namespace IoTGuard.Learning.Onnx;

/// <summary>Follows each feature through the steps that change it alone (scaling, imputing), up to the trees that test it.</summary>
internal static class LaneColumns
{
    private const int Constant = -2;
    private const int Mixed = -1;

    /// <summary>
    /// The only tree ensemble, when every lane that it tests holds one feature; with the feature of each lane. Otherwise its splits cannot be
    /// credited to features.
    /// </summary>
    public static (TreeEnsemble? Trees, int[] ColumnOf) Trace(Step[] steps, int lanes, int columns, IEnumerable<int> constants)
    {
        if (steps.OfType<TreeEnsembleStep>().Take(2).ToArray() is not [var trees])
            return (null, []);
        var columnOf = new int[lanes];
        Array.Fill(columnOf, Mixed);
        for (var i = 0; i < columns; i++)
            columnOf[i] = i;
        foreach (var lane in constants)
            columnOf[lane / CompiledModel.BlockRows] = Constant;
        foreach (var step in steps.TakeWhile(s => s != trees))
        {
            foreach (var (reads, writes) in step.Pairs())
                columnOf[writes / CompiledModel.BlockRows] = ColumnOfAll(reads, columnOf);
        }

        return trees.Reads.All(lane => columnOf[lane / CompiledModel.BlockRows] >= 0) ? (trees.Ensemble, columnOf) : (null, []);
    }

    private static int ColumnOfAll(IEnumerable<int> reads, int[] columnOf)
    {
        var only = Constant;
        foreach (var lane in reads)
        {
            var column = columnOf[lane / CompiledModel.BlockRows];
            if (column == Constant || column == only)
                continue;
            if (column == Mixed || only != Constant)
                return Mixed;
            only = column;
        }

        return only;
    }
}
