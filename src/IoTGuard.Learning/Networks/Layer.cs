using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace IoTGuard.Learning;

/// <summary>
/// A dense layer that learns by Adam (Kingma and Ba 2015). Values are stored unit after unit, each with the rows of a batch, so that all arithmetic
/// is element by element or a sum in a fixed order: the same seed gives the same weights on every processor.
/// </summary>
internal sealed class Layer
{
    private const float FirstDecay = 0.9f, SecondDecay = 0.999f, Epsilon = 1e-8f;

    private readonly float[] _gradients, _first, _second, _scratch;
    private readonly int _batch;

    /// <param name="inputs">Units before.</param>
    /// <param name="outputs">Units of the layer.</param>
    /// <param name="isRectified">Whether what is below 0 becomes 0.</param>
    /// <param name="batch">Rows of a batch; a multiple of 16.</param>
    /// <param name="random">For the first weights (He 2015).</param>
    public Layer(int inputs, int outputs, bool isRectified, int batch, ref Xoshiro256 random)
    {
        (Inputs, Outputs, IsRectified, _batch) = (inputs, outputs, isRectified, batch);
        Parameters = new float[outputs * (inputs + 1)];
        _gradients = new float[Parameters.Length];
        _first = new float[Parameters.Length];
        _second = new float[Parameters.Length];
        _scratch = new float[Parameters.Length];
        Values = new float[outputs * batch];
        Errors = new float[outputs * batch];
        var width = Math.Sqrt(6.0 / inputs) * (isRectified ? 1 : 0.7);
        for (var i = 0; i < outputs * inputs; i++)
            Parameters[i] = (float)(((2 * random.NextDouble()) - 1) * width);
    }

    public int Inputs { get; }

    public int Outputs { get; }

    public bool IsRectified { get; }

    /// <summary>Weights, [outputs, inputs], then one offset per output.</summary>
    public float[] Parameters { get; }

    /// <summary>What the layer gave for the batch.</summary>
    public float[] Values { get; }

    /// <summary>By how much the loss grows with each value.</summary>
    public float[] Errors { get; }

    public void Forward(ReadOnlySpan<float> inputs)
    {
        for (var j = 0; j < Outputs; j++)
        {
            var to = Values.AsSpan(j * _batch, _batch);
            to.Fill(Parameters[(Outputs * Inputs) + j]);
            for (var i = 0; i < Inputs; i++)
                TensorPrimitives.MultiplyAdd(inputs.Slice(i * _batch, _batch), Parameters[(j * Inputs) + i], to, to);
            if (IsRectified)
                TensorPrimitives.Max(to, 0, to);
        }
    }

    /// <summary>Takes the gradients of the weights, and hands the errors on to the layer before.</summary>
    public void Backward(ReadOnlySpan<float> inputs, Span<float> errorsBefore)
    {
        errorsBefore.Clear();
        for (var j = 0; j < Outputs; j++)
        {
            var errors = Errors.AsSpan(j * _batch, _batch);
            if (IsRectified)
            {
                var values = Values.AsSpan(j * _batch, _batch);
                for (var r = 0; r < errors.Length; r++)
                    errors[r] = values[r] > 0 ? errors[r] : 0;
            }

            _gradients[(Outputs * Inputs) + j] = Sum(errors, []);
            for (var i = 0; i < Inputs; i++)
            {
                _gradients[(j * Inputs) + i] = Sum(errors, inputs.Slice(i * _batch, _batch));
                if (!errorsBefore.IsEmpty)
                {
                    var before = errorsBefore.Slice(i * _batch, _batch);
                    TensorPrimitives.MultiplyAdd(errors, Parameters[(j * Inputs) + i], before, before);
                }
            }
        }
    }

    /// <summary>Moves the weights against the gradients.</summary>
    public void Learn(float rate, int step)
    {
        TensorPrimitives.Multiply(_first, FirstDecay, _first);
        TensorPrimitives.MultiplyAdd(_gradients, 1 - FirstDecay, _first, _first);
        TensorPrimitives.Multiply(_gradients, _gradients, _scratch);
        TensorPrimitives.Multiply(_second, SecondDecay, _second);
        TensorPrimitives.MultiplyAdd(_scratch, 1 - SecondDecay, _second, _second);
        var scale = rate * Math.Sqrt(1 - Math.Pow(SecondDecay, step)) / (1 - Math.Pow(FirstDecay, step));
        TensorPrimitives.Sqrt(_second, _scratch);
        TensorPrimitives.Add(_scratch, Epsilon, _scratch);
        TensorPrimitives.Divide(_first, _scratch, _scratch);
        TensorPrimitives.MultiplyAdd(_scratch, -(float)scale, Parameters, Parameters);
    }

    /// <summary>Sum of the products, or of the values; in sixteen partial sums whatever the processor's vectors are.</summary>
    private static float Sum(ReadOnlySpan<float> x, ReadOnlySpan<float> y)
    {
        var sums = Vector512<float>.Zero;
        var left = MemoryMarshal.Cast<float, Vector512<float>>(x);
        var right = MemoryMarshal.Cast<float, Vector512<float>>(y);
        for (var i = 0; i < left.Length; i++)
            sums += right.IsEmpty ? left[i] : left[i] * right[i];
        var total = 0f;
        for (var i = 0; i < Vector512<float>.Count; i++)
            total += sums[i];
        return total;
    }
}
