namespace IoTGuard.Learning.Onnx;

/// <summary>What a model may use. A model beyond a limit is refused, never cut.</summary>
public static class OnnxLimits
{
    /// <summary>File size in bytes. Everything that reading allocates is a small multiple of it.</summary>
    public const int MaxModelBytes = 16 * 1024 * 1024;

    /// <summary>Nodes of the graph.</summary>
    public const int MaxGraphNodes = 16_384;

    /// <summary>Initializers of the graph, and separately its inputs and its outputs.</summary>
    public const int MaxGraphValues = 16_384;

    /// <summary>Attributes of one node.</summary>
    public const int MaxAttributes = 64;

    /// <summary>Entries of one list attribute, and elements of one tensor.</summary>
    public const int MaxListLength = 1 << 20;

    /// <summary>Dimensions of one tensor.</summary>
    public const int MaxDimensions = 8;

    /// <summary>Columns of the input, and of every value in between.</summary>
    public const int MaxColumns = 4096;

    /// <summary>Floats that all values of the graph take for one block of rows: 16 MiB.</summary>
    public const int MaxScratchFloats = 4 * 1024 * 1024;

    /// <summary>Elements that operators list in another order (Concat, Gather, broadcasting …), all together: 16 MiB.</summary>
    public const int MaxViewElements = 4 * 1024 * 1024;

    /// <summary>Steps that a graph becomes.</summary>
    public const int MaxSteps = 65_536;

    /// <summary>Targets or classes of one tree ensemble.</summary>
    public const int MaxTargets = 64;

    /// <summary>Trees of one ensemble.</summary>
    public const int MaxTrees = 10_000;

    /// <summary>Nodes of all trees of one ensemble.</summary>
    public const int MaxTreeNodes = 1 << 20;

    /// <summary>Splits between the root and the deepest leaf of a tree.</summary>
    public const int MaxTreeDepth = 512;

    /// <summary>Entries of the metadata.</summary>
    public const int MaxMetadata = 256;
}
