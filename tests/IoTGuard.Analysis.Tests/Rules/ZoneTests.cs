using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Policies;
using static IoTGuard.Analysis.Tests.Rules.Scene;

namespace IoTGuard.Analysis.Tests.Rules;

public sealed class ZoneTests
{
    private static readonly ZonePolicy Policy = new()
    {
        Zones = [new Zone("servers", [Network("10.0.0.8/29")]), new Zone("rest", [Network("10.0.0.0/24")])],
        Traffic =
        [
            new ZoneTraffic(["rest"], ["servers"], [Service("dicom"), Service("tcp/2000-2010")], IsAllowed: true),
            new ZoneTraffic(["*"], ["outside"], [], IsAllowed: false),
        ],
        AllowsByDefault = false,
    };

    [Theory]
    [InlineData(Stranger, Pacs, 2005, ApplicationProtocol.Unknown, false)]
    [InlineData(Stranger, Pacs, 2011, ApplicationProtocol.Unknown, true)]
    [InlineData(Stranger, Pacs, 9999, ApplicationProtocol.Dicom, false)]
    [InlineData(Stranger, Pacs, 104, ApplicationProtocol.Hl7, true)]
    [InlineData(Pacs, Stranger, 443, ApplicationProtocol.Unknown, true)]
    [InlineData(Pacs, Modality, 443, ApplicationProtocol.Unknown, false)]
    [InlineData(Stranger, Outside, 443, ApplicationProtocol.Unknown, true)]
    [InlineData(Stranger, "10.9.9.9", 443, ApplicationProtocol.Unknown, false)]
    public void Forbidden_connections_are_told_once_per_pair(string client, string server, ushort port, ApplicationProtocol application, bool fires)
    {
        var scene = new Scene(options: new DetectorOptions { Policy = Policy });
        scene.Exchange(client, server, port, application).Exchange(client, server, port, application);
        scene.Finish();
        var alerts = scene.Of("zone-violation").ToList();
        Assert.Equal(fires ? 1 : 0, alerts.Count);
        if (fires)
            Assert.Equal((2, Policy.ZoneOf(Ip(client))), (alerts[0].Count, alerts[0].Device.Zone));
    }

    [Fact]
    public void What_is_refused_or_not_answered_breaks_no_rule()
    {
        var scene = new Scene(options: new DetectorOptions { Policy = Policy });
        scene.Try(Stranger, Pacs, 3000).Try(Pacs, Stranger, 443, refused: false);
        Assert.Empty(scene.Finish());
    }

    [Fact]
    public void Own_scanners_explore_without_a_finding()
    {
        foreach (var exempt in new[] { false, true })
        {
            var scene = new Scene(options: new DetectorOptions { ExemptScanners = exempt ? [Network(Stranger)] : [] });
            for (ushort port = 1; port < 300; port++)
                scene.Try(Stranger, Pacs, port).Wait(0.01);
            scene.Finish();
            Assert.Equal(!exempt, scene.Of("port-scan").Any());
        }
    }

    private static AddressPrefix Network(string text) => AddressPrefix.TryParse(text, out var network) ? network : throw new ArgumentException(text, nameof(text));

    private static ZoneService Service(string text) => ZoneService.TryParse(text, out var service) ? service : throw new ArgumentException(text, nameof(text));
}
