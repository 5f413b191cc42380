using System.Text.RegularExpressions;
using IoTGuard.Analysis.Features;
using IoTGuard.Analysis.Flows;
using IoTGuard.TestSupport;

namespace IoTGuard.Analysis.Tests.Features;

public sealed class FeatureSchemaTests
{
    [Fact]
    public void Names_are_unique_and_nothing_leaks()
    {
        var names = FlowFeatures.Schema.Columns.Select(f => f.Name).ToList();
        Assert.Equal(names.Count, names.Distinct(StringComparer.Ordinal).Count());
        Assert.All(names, n => Assert.Matches("^[a-z]+(_[a-z]+)*$", n));
        Assert.DoesNotContain(names, n => Regex.IsMatch(n, "address|port|ttl|mac|vlan|hour", RegexOptions.None, TimeSpan.FromSeconds(1)));
        Assert.Equal(64, FlowFeatures.Schema.Hash.Length);
    }

    [Fact]
    public void Nothing_is_computed_from_identity_or_time_of_day()
    {
        var flow = Example();
        var moved = flow with { Originator = new(1, 2), Responder = new(3, 4), OriginatorPort = 9, ResponderPort = 8, OriginatorTtl = 3, ResponderTtl = 4, Vlan = 7 };
        const long Hour = 3_600_000_000_000;
        moved.FirstNs += Hour;
        moved.LastNs += Hour;
        moved.FromOriginator.FirstNs += Hour;
        moved.FromResponder.FirstNs += Hour;
        Assert.Equal(Rows(flow), Rows(moved));
    }

    [Fact]
    public void An_empty_flow_has_finite_features()
    {
        var empty = new FlowRecord();
        empty.FromOriginator.Entropy = empty.FromResponder.Printable = float.NaN;
        Assert.All(Rows(empty), v => Assert.True(float.IsFinite(v)));
    }

    [Fact]
    public void Values_are_what_their_names_say()
    {
        var row = Rows(Example());
        float Of(string name) => row[FlowFeatures.Schema.Columns.ToList().FindIndex(f => f.Name == name)];
        Assert.Equal(10, Of("duration"));
        Assert.Equal(20, Of("packets_out"));
        Assert.Equal(0.75f, Of("byte_balance"));
        Assert.Equal(3, Of("packet_rate"));
        Assert.Equal(0.5f, Of("answer_delay"));
        Assert.Equal(-1, Of("entropy_in"));
        Assert.Equal(2.5f, Of("interim_per_request"));
    }

    [Fact]
    public void Extraction_allocates_nothing()
    {
        var flow = Example();
        var row = new float[FlowFeatures.Schema.Count];
        Assert.Equal(0, Allocations.Of(() =>
        {
            for (var i = 0; i < 1000; i++)
                FlowFeatures.Schema.Extract(in flow, row);
        }));
    }

    [Fact]
    public void A_sample_is_bounded_and_the_same_every_time()
    {
        static RowSample<FlowRecord> Sample()
        {
            var sample = new RowSample<FlowRecord>(FlowFeatures.Schema, 50);
            for (var i = 0; i < 2000; i++)
            {
                var flow = Example();
                flow.FromOriginator.Packets = i;
                sample.Offer(in flow, default);
            }

            return sample;
        }

        var rows = Sample().Rows();
        Assert.Equal(50, rows.Count);
        Assert.Equal(rows.SelectMany(r => r.Values), Sample().Rows().SelectMany(r => r.Values));
        Assert.InRange(rows.Average(r => r.Values[1]), 700, 1300);
    }

    private static float[] Rows(FlowRecord flow)
    {
        var row = new float[FlowFeatures.Schema.Count];
        FlowFeatures.Schema.Extract(in flow, row);
        return row;
    }

    private static FlowRecord Example()
    {
        var flow = new FlowRecord { FirstNs = 1_000_000_000, LastNs = 11_000_000_000 };
        flow.FromOriginator = new DirectionCounters { Packets = 20, Bytes = 3000, FirstNs = 1_000_000_000, Entropy = 4, Printable = 0.5f };
        flow.FromResponder = new DirectionCounters { Packets = 10, Bytes = 1000, FirstNs = 1_500_000_000, Entropy = float.NaN, Printable = float.NaN };
        flow.Counters = new ApplicationCounters { Requests = 2, Interim = 5 };
        return flow;
    }
}
