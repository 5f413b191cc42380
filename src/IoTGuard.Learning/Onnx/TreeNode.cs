namespace IoTGuard.Learning.Onnx;

/// <summary>One node of a decision tree of any kind.</summary>
/// <param name="Feature">Column that is tested, or −1 in a leaf.</param>
/// <param name="Threshold">Rows with a value at or below it go left; greater values and NaN go right.</param>
/// <param name="Left">Index of the left child.</param>
/// <param name="Right">Index of the right child.</param>
/// <param name="Samples">Training rows that came here: the weight of the node in explanations.</param>
/// <param name="Value">In a leaf: what it adds to the sum over the trees.</param>
public readonly record struct TreeNode(int Feature, float Threshold, int Left, int Right, int Samples, float Value)
{
    /// <summary>A leaf.</summary>
    public static TreeNode Leaf(int samples, float value) => new(-1, 0, 0, 0, samples, value);
}
