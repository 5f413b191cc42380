using IoTGuard.Analysis.Baselines;
using IoTGuard.Outputs;

namespace IoTGuard.Tests.Outputs;

public sealed class LearnSummaryTests
{
    [Fact]
    public void EveryKindOfFactHasWordsOfItsOwn()
    {
        var kinds = Enum.GetValues<FactKind>();
        Assert.All(kinds, static kind => Assert.NotEqual(kind.ToString(), LearnSummary.Words(kind)));
        Assert.Equal(kinds.Length, kinds.Select(LearnSummary.Words).Distinct().Count());
    }
}
