using System.Numerics.Tensors;
using IoTGuard.Learning.Onnx;
using IoTGuard.Learning.Training;

namespace IoTGuard.Learning;

/// <summary>
/// A small network that learns to give back usual rows through a narrow middle (Hinton and Salakhutdinov 2006). A row's score is the squared error of what
/// comes back, in squared standard deviations; each column's share of it is its contribution.
/// </summary>
internal static class Autoencoder
{
    /// <summary>Rows that are learned from together.</summary>
    private const int Batch = 64;

    /// <summary>Trains and makes the graph.</summary>
    /// <param name="task">At least two rows, and the parameters of <c>autoencoder</c> in <see cref="OwnEngines"/>.</param>
    /// <exception cref="ArgumentException">Fewer than two rows.</exception>
    public static TrainedGraph Train(TrainingTask task)
    {
        var data = task.Rows;
        if (data.RowCount < 2)
            throw new ArgumentException($"an autoencoder needs at least 2 rows, there are {data.RowCount}", nameof(task));
        var columns = data.ColumnCount;
        var standardiser = Standardiser.Fit(data, (float)task["limit"]);
        var rows = standardiser.Apply(data);
        var random = new Xoshiro256(task.Seed, stream: 7);
        var hidden = task.Whole("hidden");
        int[] sizes = [columns, hidden, Math.Min(task.Whole("code"), hidden), hidden, columns];
        var layers = new Layer[sizes.Length - 1];
        for (var l = 0; l < layers.Length; l++)
            layers[l] = new Layer(sizes[l], sizes[l + 1], isRectified: l is 0 or 2, Batch, ref random);

        var order = Enumerable.Range(0, data.RowCount).ToArray();
        var batches = (order.Length + Batch - 1) / Batch;
        var input = new float[columns * Batch];
        var (epochs, rate) = (task.Whole("epochs"), task["learning_rate"]);
        var step = 0;
        for (var epoch = 0; epoch < epochs; epoch++)
        {
            Shuffle(order, ref random);
            for (var b = 0; b < batches; b++)
            {
                // The last batch is filled up from the beginning.
                for (var r = 0; r < Batch; r++)
                {
                    var row = rows.AsSpan(order[((b * Batch) + r) % order.Length] * columns, columns);
                    for (var c = 0; c < columns; c++)
                        input[(c * Batch) + r] = row[c];
                }

                // The step size falls to a tenth.
                var done = (double)step++ / (epochs * batches);
                LearnBatch(layers, input, (float)(rate * Math.Pow(0.1, done)), step);
                if (b % 64 == 0)
                    task.Report(done);
            }
        }

        return new TrainedGraph(Graph(standardiser, layers));
    }

    private static void LearnBatch(Layer[] layers, float[] input, float rate, int step)
    {
        for (var l = 0; l < layers.Length; l++)
            layers[l].Forward(l == 0 ? input : layers[l - 1].Values);
        var last = layers[^1];
        TensorPrimitives.Subtract(last.Values, input, last.Errors);
        TensorPrimitives.Multiply(last.Errors, 2f / last.Errors.Length, last.Errors);
        for (var l = layers.Length - 1; l >= 0; l--)
            layers[l].Backward(l == 0 ? input : layers[l - 1].Values, l == 0 ? [] : layers[l - 1].Errors);
        foreach (var layer in layers)
            layer.Learn(rate, step);
    }

    private static void Shuffle(int[] order, ref Xoshiro256 random)
    {
        for (var i = order.Length - 1; i > 0; i--)
        {
            var j = random.Next(i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }
    }

    private static OnnxGraph Graph(Standardiser standardiser, Layer[] layers)
    {
        var nodes = new List<OnnxNode>();
        var weights = new List<OnnxTensor>();
        for (var l = 0; l < layers.Length; l++)
        {
            var layer = layers[l];
            var count = layer.Outputs * layer.Inputs;
            weights.Add(new OnnxTensor($"weights{l}", [layer.Outputs, layer.Inputs], layer.Parameters[..count]));
            weights.Add(new OnnxTensor($"offsets{l}", [layer.Outputs], layer.Parameters[count..]));
            var output = l == layers.Length - 1 ? "reconstructed" : $"layer{l}";
            nodes.Add(new OnnxNode("Gemm", "", $"dense{l}", [l == 0 ? "standardised" : $"rectified{l - 1}", $"weights{l}", $"offsets{l}"], [output], [OnnxAttributeValue.Of("transB", 1)]));
            if (l < layers.Length - 1)
                nodes.Add(new OnnxNode(layer.IsRectified ? "Relu" : "Identity", "", $"activate{l}", [output], [$"rectified{l}"], []));
        }

        return ResidualGraph.Build("autoencoder", standardiser, nodes, weights);
    }
}
