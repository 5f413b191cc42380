using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace IoTGuard.Analysis.Inventory;

/// <summary>How often a device was seen doing each <see cref="Deed"/>.</summary>
public struct Deeds
{
    private const int Kinds = (int)Deed.InfrastructureAnswers + 1;

    private static readonly string[] Names = [.. Enum.GetNames<Deed>().Select(JsonNamingPolicy.SnakeCaseLower.ConvertName)];

    private Counts _counts;

    /// <summary>The count of one deed.</summary>
    [UnscopedRef]
    public ref int this[Deed deed] => ref _counts[(int)deed];

    public readonly int Hl7Sent => Of(Deed.AdtSent) + Of(Deed.OrdersSent) + Of(Deed.ResultsSent) + Of(Deed.OtherHl7Sent);

    /// <summary>Orders that a system answers with results, which passes nothing on.</summary>
    public readonly int AnsweredOrders =>
        Of(Deed.AdtReceived) > 0 && Of(Deed.AdtSent) + Of(Deed.OrdersSent) + Of(Deed.ResultsReceived) == 0 ? Math.Min(Of(Deed.OrdersReceived), Of(Deed.ResultsSent)) : 0;

    /// <summary>Admissions and orders of a system that is sent results and nothing else.</summary>
    public readonly int ReportedOn =>
        Of(Deed.AdtReceived) + Of(Deed.OrdersReceived) == 0 ? Math.Min(Of(Deed.AdtSent) + Of(Deed.OrdersSent), Of(Deed.ResultsReceived)) : 0;

    /// <summary>True when the device took part in DICOM, HL7 or the protocols of laboratories and monitors.</summary>
    public readonly bool IsMedical => ((ReadOnlySpan<int>)_counts)[..(int)Deed.InfrastructureAnswers].ContainsAnyExcept(0);

    /// <summary>The counts above 0, by the names they have in site files.</summary>
    internal readonly IEnumerable<(string Name, int Count)> Named()
    {
        var counts = _counts;
        return Names.Select((name, deed) => (name, counts[deed])).Where(static d => d.Item2 != 0);
    }

    /// <summary>Sets a count by the name it has in site files; false when there is none of that name.</summary>
    internal bool TrySet(string name, int count)
    {
        var deed = Array.IndexOf(Names, name);
        if (deed < 0)
            return false;
        _counts[deed] = count;
        return true;
    }

    /// <summary>Adds the counts of another.</summary>
    internal void Add(in Deeds other)
    {
        for (var deed = 0; deed < Kinds; deed++)
            _counts[deed] += other._counts[deed];
    }

    private readonly int Of(Deed deed) => _counts[(int)deed];

    [InlineArray(Kinds)]
    private struct Counts
    {
        private int _first;
    }
}
