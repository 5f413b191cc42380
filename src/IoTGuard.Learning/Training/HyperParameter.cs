namespace IoTGuard.Learning.Training;

/// <summary>A number that a person may choose before training.</summary>
/// <param name="Name">Name in files and on the command line, snake_case.</param>
/// <param name="Unit">Unit, such as "rows"; "1" for a plain number.</param>
/// <param name="Default">Its value when nothing is said.</param>
/// <param name="Least">Smallest value.</param>
/// <param name="Most">Largest value.</param>
/// <param name="IsWhole">Whether only whole numbers make sense.</param>
/// <param name="Description">What it does, in a clause.</param>
public sealed record HyperParameter(string Name, string Unit, double Default, double Least, double Most, bool IsWhole, string Description)
{
    /// <summary>Whether a value may be used.</summary>
    public bool Allows(double value) => value >= Least && value <= Most && (!IsWhole || value == Math.Truncate(value));
}
