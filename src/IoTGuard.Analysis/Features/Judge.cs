using IoTGuard.Analysis.Inventory;
using IoTGuard.Learning;

namespace IoTGuard.Analysis.Features;

/// <summary>
/// What the models of a set say together about the rows of one input. A row is judged by the opinions about its device's role, or, when there are
/// none, by those about any role. Its p-value is the largest of theirs: it is rare only when all opinions say so. The largest of valid p-values is
/// valid whatever the dependence between them, so an alert budget that each opinion would keep is kept together too.
/// <para>Rows wait in a batch and are scored together; nothing is allocated per row.</para>
/// </summary>
internal sealed class Judge
{
    /// <summary>Rows that wait to be scored together.</summary>
    public const int BatchRows = 64;

    private readonly Bench[] _benches;
    private readonly int[] _benchOfRole;
    private readonly int _columns;
    private readonly float[] _gathered;
    private readonly float[] _scores = new float[BatchRows];
    private readonly int[] _places = new int[BatchRows];

    /// <summary>The opinions about one role.</summary>
    private sealed record Bench(AnomalyModel[] Opinions, string[] Names);

    /// <param name="set">The models; those of the input that are calibrated are used.</param>
    /// <param name="input">What is judged.</param>
    public Judge(ModelSet set, ModelInput input)
    {
        _columns = ModelInputs.SchemaOf(input).Count;
        _gathered = new float[BatchRows * _columns];
        _benchOfRole = new int[Enum.GetValues<DeviceRole>().Length];
        var groups = set.Entries.Where(e => e.Input == input && e.Model.Calibration is not null).GroupBy(static e => e.Role).ToList();
        _benches = [.. groups.Select(static g => new Bench([.. g.Select(static e => e.Model.Fork())], [.. g.Select(static e => e.Opinion)]))];
        Array.Fill(_benchOfRole, groups.FindIndex(static g => g.Key is null));
        for (var i = 0; i < groups.Count; i++)
        {
            if (groups[i].Key is { } role)
                _benchOfRole[(int)role] = i;
        }
    }

    /// <summary>True when there is no model: every p-value is 1.</summary>
    public bool IsSilent => _benches.Length == 0;

    /// <summary>The joint p-values of a batch.</summary>
    /// <param name="rows">Row after row.</param>
    /// <param name="roles">Role of each row's device.</param>
    /// <param name="pValues">Receives one for each row; 1 where nobody has an opinion.</param>
    public void Score(ReadOnlySpan<float> rows, ReadOnlySpan<DeviceRole> roles, Span<double> pValues)
    {
        pValues[..roles.Length].Fill(1);
        for (var bench = 0; bench < _benches.Length; bench++)
        {
            var count = Gather(bench, rows, roles);
            if (count > 0)
                Score(_benches[bench].Opinions, count, pValues);
        }
    }

    /// <summary>The p-value of each opinion about a row.</summary>
    public IEnumerable<(string Opinion, double PValue)> OpinionsOf(DeviceRole role, float[] row)
    {
        if (BenchOf(role) is not { } bench)
            yield break;
        for (var i = 0; i < bench.Opinions.Length; i++)
        {
            bench.Opinions[i].Score(row, 1, _scores);
            yield return (bench.Names[i], bench.Opinions[i].PValue(_scores[0]));
        }
    }

    /// <summary>
    /// What made a row unusual: the share of each feature in what speaks for it being so, averaged over the opinions that explain themselves.
    /// </summary>
    /// <param name="role">Role of the row's device.</param>
    /// <param name="row">The row.</param>
    /// <param name="shares">Receives a share of 0 to 1 for each feature.</param>
    /// <returns>What is usual for each feature; null when nobody has an opinion.</returns>
    public IReadOnlyList<FeatureInfo>? Explain(DeviceRole role, ReadOnlySpan<float> row, Span<double> shares)
    {
        shares.Clear();
        if (BenchOf(role) is not { } bench)
            return null;
        Span<float> contributions = stackalloc float[_columns];
        var explained = 0;
        foreach (var opinion in bench.Opinions)
        {
            if (!opinion.CanExplain)
                continue;
            opinion.Explain(row, contributions);
            var total = 0.0;
            foreach (var contribution in contributions)
                total += Math.Max(0, contribution);
            if (total <= 0)
                continue;
            explained++;
            for (var i = 0; i < contributions.Length; i++)
                shares[i] += Math.Max(0, contributions[i]) / total;
        }

        foreach (ref var share in shares)
            share /= Math.Max(1, explained);
        return bench.Opinions[0].Info.Features;
    }

    private Bench? BenchOf(DeviceRole role) => _benchOfRole[(int)role] is >= 0 and var bench ? _benches[bench] : null;

    private int Gather(int bench, ReadOnlySpan<float> rows, ReadOnlySpan<DeviceRole> roles)
    {
        var count = 0;
        for (var i = 0; i < roles.Length; i++)
        {
            if (_benchOfRole[(int)roles[i]] != bench)
                continue;
            rows.Slice(i * _columns, _columns).CopyTo(_gathered.AsSpan(count * _columns));
            _places[count++] = i;
        }

        return count;
    }

    private void Score(AnomalyModel[] opinions, int count, Span<double> pValues)
    {
        for (var i = 0; i < count; i++)
            pValues[_places[i]] = 0;
        foreach (var opinion in opinions)
        {
            opinion.Score(_gathered.AsSpan(0, count * _columns), count, _scores);
            for (var i = 0; i < count; i++)
                pValues[_places[i]] = Math.Max(pValues[_places[i]], opinion.PValue(_scores[i]));
        }
    }
}
