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
public sealed class ModelException(ModelFault fault, string message, Exception? inner = null) : Exception(OneLine(message, MaxMessage), inner)
{
    /// <summary>Characters of a message; a model's own names cannot make it longer.</summary>
    public const int MaxMessage = 300;

    /// <summary>The kind of reason.</summary>
    public ModelFault Fault { get; } = fault;

    /// <summary>Text out of a file, made fit for a message: cut, and without control characters.</summary>
    internal static string OneLine(string text, int length)
    {
        var clean = string.Concat(text.Take(length).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c));
        return text.Length > length ? clean + "…" : clean;
    }

    internal static ModelException Damaged(string what, Exception? inner = null) =>
        new(ModelFault.Damaged, $"damaged model: {what}", inner);

    internal static ModelException Unsupported(string what) => new(ModelFault.Unsupported, $"unsupported model: {what}");

    internal static ModelException TooLarge(string what, long value, long limit) =>
        new(ModelFault.TooLarge, $"model too large: {what} {value}, the limit is {limit}");
}
