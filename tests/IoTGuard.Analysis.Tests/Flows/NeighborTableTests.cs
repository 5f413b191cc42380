using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Link;
using static IoTGuard.Analysis.Tests.Rules.Scene;

namespace IoTGuard.Analysis.Tests.Flows;

public sealed class NeighborTableTests
{
    private const long Second = 1_000_000_000;
    private static readonly MacAddress Owner = new(0x02_00_00_00_00_01);
    private static readonly MacAddress Rival = new(0x02_00_00_00_00_02);

    [Fact]
    public void Each_address_asked_for_is_news_once_a_minute()
    {
        var table = new NeighborTable();
        for (var i = 1; i < 100; i++)
            Assert.True(table.IsNews(Owner, Ip(Pacs), Ip($"10.0.1.{i}"), 0, i));
        Assert.False(table.IsNews(Owner, Ip(Pacs), Ip("10.0.1.99"), 0, 30 * Second));
        Assert.True(table.IsNews(Owner, Ip(Pacs), Ip("10.0.1.99"), 0, 61 * Second));
    }

    [Fact]
    public void A_claim_is_news_once_a_minute_and_a_contested_one_each_second()
    {
        var table = new NeighborTable();
        Assert.True(table.IsNews(Owner, Ip(Pacs), default, 0, 0));
        Assert.False(table.IsNews(Owner, Ip(Pacs), default, 0, 2 * Second));
        Assert.True(table.IsNews(Rival, Ip(Pacs), default, 0, 3 * Second));
        Assert.False(table.IsNews(Rival, Ip(Pacs), default, 0, 3 * Second));
        Assert.True(table.IsNews(Rival, Ip(Pacs), default, 0, 5 * Second));
        Assert.True(table.IsNews(Rival, Ip(Pacs), default, 0, 400 * Second));
        Assert.False(table.IsNews(Rival, Ip(Pacs), default, 0, 402 * Second));
    }
}
