namespace IoTGuard.Learning;

/// <summary>Why a model was refused.</summary>
public enum ModelFault
{
    /// <summary>The bytes are not a well-formed model.</summary>
    Damaged,

    /// <summary>A well-formed model with an operator, type or option that is not evaluated here.</summary>
    Unsupported,

    /// <summary>A named limit is passed.</summary>
    TooLarge,

    /// <summary>The model was made for another feature schema.</summary>
    SchemaMismatch,
}

/// <summary>A model that cannot be used; the message is one line that says why and, where there is one, the remedy.</summary>
public sealed class ModelException(ModelFault fault, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The kind of reason.</summary>
    public ModelFault Fault { get; } = fault;

    internal static ModelException Damaged(string what, Exception? inner = null) =>
        new(ModelFault.Damaged, $"damaged model: {what}", inner);

    internal static ModelException Unsupported(string what) => new(ModelFault.Unsupported, $"unsupported model: {what}");

    internal static ModelException TooLarge(string what, long value, long limit) =>
        new(ModelFault.TooLarge, $"model too large: {what} {value}, the limit is {limit}");
}
