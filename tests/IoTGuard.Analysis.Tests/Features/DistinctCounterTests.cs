using IoTGuard.Analysis.Features;
using IoTGuard.Analysis.Rules;
using IoTGuard.TestSupport;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Tests.Features;

public sealed class DistinctCounterTests
{
    [Fact]
    public void Counts_are_exact_up_to_the_limit()
    {
        var counter = new DistinctCounter();
        for (var i = 0; i < DistinctCounter.ExactLimit; i++)
        {
            counter.Add(Hash(i));
            counter.Add(Hash(i / 2));
            Assert.Equal(i + 1, counter.Count);
        }
    }

    [Theory]
    [InlineData(65)]
    [InlineData(200)]
    [InlineData(1000)]
    [InlineData(20_000)]
    public void Beyond_it_they_are_within_three_standard_errors(int values)
    {
        var counter = new DistinctCounter();
        for (var i = 0; i < values; i++)
            counter.Add(Hash(i));
        Assert.InRange(counter.Count, values * (1 - (3 * 0.065)), values * (1 + (3 * 0.065)));
    }

    [Fact]
    public void The_estimate_does_not_depend_on_the_order()
    {
        DistinctCounter up = new(), down = new();
        for (var i = 0; i < 500; i++)
        {
            up.Add(Hash(i));
            down.Add(Hash(499 - i));
        }

        Assert.Equal(up.Count, down.Count);
    }

    [Fact]
    public void Entropy_says_how_evenly_values_are_met()
    {
        var counter = new DistinctCounter();
        Assert.Equal(0, counter.Entropy());
        for (var i = 0; i < 8; i++)
            counter.Add(Hash(0));
        Assert.Equal(0, counter.Entropy());
        counter.Clear();
        for (var i = 0; i < 64; i++)
            counter.Add(Hash(i % 16));
        Assert.Equal(4, counter.Entropy(), 9);
    }

    [Fact]
    public void Nothing_is_left_after_clearing_and_adding_allocates_nothing()
    {
        var counter = new DistinctCounter();
        for (var i = 0; i < 1000; i++)
            counter.Add(Hash(i));
        counter.Clear();
        Assert.Equal(0, counter.Count);
        var allocations = Allocations.Start();
        for (var i = 0; i < 1000; i++)
            counter.Add((ulong)i * 0x9E37_79B9_7F4A_7C15);
        Assert.Equal(0, allocations.Bytes);
    }

    private static ulong Hash(int value) => Fingerprint.Of(new IpAddress(0, (ulong)value));
}
