using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Rules;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Analysis.Tests.Rules;
using IoTGuard.Wire.Link;
using static IoTGuard.Analysis.Tests.Rules.Scene;
using Rule = IoTGuard.Analysis.Rules.Rule;

namespace IoTGuard.Analysis.Tests.Alerts;

public sealed class IncidentTests
{
    private const long Minute = 60_000_000_000;
    private static readonly Rule Attack = NetworkRules.PortScan;
    private static readonly Rule State = NetworkRules.InsecureService;

    private readonly IncidentBook _book = new(30 * Minute);
    private int _alerts;

    [Fact]
    public void Alerts_about_one_device_are_one_incident_until_it_was_quiet_for_the_window()
    {
        var first = Join(Attack, Stranger, Pacs, 0);
        Assert.Same(first, Join(Attack, Stranger, Modality, 20));
        Assert.Same(first, Join(State, Stranger, null, 45));
        Assert.NotSame(first, Join(Attack, Stranger, Pacs, 100));
    }

    [Fact]
    public void Attackers_of_one_victim_are_one_incident()
    {
        var first = Join(Attack, Stranger, Pacs, 0);
        Assert.Same(first, Join(Attack, "10.0.0.67", Pacs, 5));
        Assert.NotSame(first, Join(Attack, "10.0.0.68", Engine, 5));
    }

    [Fact]
    public void A_victim_that_attacks_in_turn_stays_in_the_incident()
    {
        var first = Join(Attack, Stranger, Workstation, 0);
        Assert.Same(first, Join(Attack, Workstation, Engine, 10));
    }

    [Fact]
    public void Findings_that_are_no_attacks_do_not_join_by_their_peers()
    {
        var first = Join(State, Modality, Pacs, 0);
        Assert.NotSame(first, Join(State, Workstation, Pacs, 1));
        Assert.NotSame(first, Join(Attack, Stranger, Pacs, 2));
    }

    [Fact]
    public void What_an_attacker_causes_at_others_belongs_to_it()
    {
        var first = Join(Attack, Stranger, Pacs, 0);
        Assert.Same(first, Join(State, Engine, Stranger, 3));
    }

    [Fact]
    public void More_parties_than_there_is_room_for_are_incidents_of_their_own()
    {
        for (var i = 0; i < IncidentBook.MaximumParties + 10; i++)
            Join(Attack, $"10.{100 + (i >> 16)}.{(i >> 8) & 255}.{i & 255}", null, 0);
        var late = Join(Attack, "10.99.0.1", null, 1);
        Assert.NotSame(late, Join(Attack, "10.99.0.1", null, 1));
    }

    [Fact]
    public void Ids_are_the_same_in_every_run_and_stand_in_alerts()
    {
        var runs = Enumerable.Range(0, 2).Select(_ =>
        {
            var scene = new Scene();
            for (var i = 0; i < 30; i++)
                scene.Dicom(Stranger, Pacs, DicomEvent.AssociateReject, t => (t.CalledAe, t.Source) = ($"X{i}", 1)).Try(Stranger, Pacs, (ushort)(1000 + i)).Wait(1);
            return scene.Finish().Select(a => (a.Rule, a.Incident)).ToList();
        }).ToList();
        Assert.Equal(runs[0], runs[1]);
        Assert.True(runs[0].Select(a => a.Rule).Distinct().Count() > 1);
        Assert.Single(runs[0].Select(a => a.Incident).Distinct());
        Assert.Equal(16, runs[0][0].Incident!.Length);
    }

    private Incident Join(Rule rule, string device, string? peer, int minutes) =>
        _book.Join(rule, new Party(Ip(device), default(MacAddress)), peer is null ? default : new Party(Ip(peer), default), $"alert {_alerts++}", minutes * Minute);
}
