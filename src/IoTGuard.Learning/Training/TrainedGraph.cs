using IoTGuard.Learning.Onnx;

namespace IoTGuard.Learning.Training;

/// <summary>What an engine makes: a graph that reads the features and gives a score, and, if it has them, files of its own kind.</summary>
/// <param name="Graph">One input of shape [N, columns]; the output is the score, higher means more anomalous (docs/models.md).</param>
public sealed record TrainedGraph(OnnxGraph Graph)
{
    /// <summary>Versions of the operators in the graph.</summary>
    public IReadOnlyList<OnnxOpset> Opsets { get; init; } = OnnxOpset.Ours;

    /// <summary>
    /// For a graph whose trees give path lengths: the path length that halves the score, so that contributions are bits. 0 when the trees' own sum is
    /// the score.
    /// </summary>
    public double PathNormaliser { get; init; }

    /// <summary>What the engine's own tools read, beside the ONNX file.</summary>
    public IReadOnlyList<ModelAttachment> Attachments { get; init; } = [];
}

/// <summary>A file that is written beside the model.</summary>
/// <param name="Extension">With its dot, such as ".zip": it stands in place of ".onnx".</param>
/// <param name="Content">Its bytes.</param>
/// <param name="Description">What it is for, in a clause.</param>
public sealed record ModelAttachment(string Extension, byte[] Content, string Description);
