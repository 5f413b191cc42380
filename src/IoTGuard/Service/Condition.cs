namespace IoTGuard.Service;

/// <summary>Something that is wrong with what the sensor gets or does, as <c>/health</c>, the log and outputs name it.</summary>
/// <param name="Name">Stable name, kebab-case.</param>
/// <param name="Title">What it is, in few words.</param>
/// <param name="Severity">0 to 10, as of alerts.</param>
/// <param name="Text">What was seen, in a sentence.</param>
/// <param name="Remedy">What to do.</param>
internal sealed record Condition(string Name, string Title, int Severity, string Text, string Remedy);
