using IoTGuard.Analysis.Inventory;

namespace IoTGuard.Analysis.Features;

/// <summary>Rows that wait to be judged together, each with what it is about.</summary>
/// <typeparam name="TSubject">What a row is about.</typeparam>
/// <param name="columns">Features of a row.</param>
internal sealed class RowBatch<TSubject>(int columns)
{
    private readonly float[] _rows = new float[Judge.BatchRows * columns];
    private readonly DeviceRole[] _roles = new DeviceRole[Judge.BatchRows];
    private readonly TSubject[] _subjects = new TSubject[Judge.BatchRows];
    private readonly double[] _pValues = new double[Judge.BatchRows];
    private readonly double[] _shadowPValues = new double[Judge.BatchRows];

    public int Count { get; private set; }

    public bool IsFull => Count == Judge.BatchRows;

    /// <summary>Takes a row in; the caller writes its features into what is returned.</summary>
    public Span<float> Add(in TSubject subject, DeviceRole role)
    {
        _subjects[Count] = subject;
        _roles[Count] = role;
        return _rows.AsSpan(Count++ * columns, columns);
    }

    public ref readonly TSubject Subject(int index) => ref _subjects[index];

    public DeviceRole Role(int index) => _roles[index];

    public float[] Row(int index) => _rows[(index * columns)..((index + 1) * columns)];

    public double PValue(int index) => _pValues[index];

    /// <summary>Has the rows judged, and compares with a judge that only looks on.</summary>
    /// <param name="judge">Whose p-values count.</param>
    /// <param name="shadow">Who looks on; null = nobody.</param>
    /// <param name="level">p-value at which a row is rare enough for an alert.</param>
    /// <param name="figures">Counts.</param>
    public void Score(Judge judge, Judge? shadow, double level, ref JudgeFigures figures)
    {
        var rows = _rows.AsSpan(0, Count * columns);
        var roles = _roles.AsSpan(0, Count);
        judge.Score(rows, roles, _pValues);
        shadow?.Score(rows, roles, _shadowPValues);
        figures.Scored += Count;
        for (var i = 0; i < Count; i++)
        {
            var isRare = _pValues[i] <= level;
            var isRareToShadow = shadow is not null && _shadowPValues[i] <= level;
            figures.Rare += isRare ? 1 : 0;
            figures.ShadowRare += isRareToShadow ? 1 : 0;
            figures.BothRare += isRare && isRareToShadow ? 1 : 0;
        }
    }

    public void Clear()
    {
        Array.Clear(_subjects, 0, Count);
        Count = 0;
    }
}

/// <summary>What the active models and their shadow made of the same rows.</summary>
public struct JudgeFigures
{
    /// <summary>Rows judged.</summary>
    public long Scored;

    /// <summary>Rows rare enough for an alert.</summary>
    public long Rare;

    /// <summary>Rows that are rare enough for the shadow.</summary>
    public long ShadowRare;

    /// <summary>Rows that both say so of.</summary>
    public long BothRare;
}
