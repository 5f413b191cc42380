using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Application.Dns;
using static IoTGuard.Analysis.Tests.Rules.Scene;

namespace IoTGuard.Analysis.Tests.Rules;

/// <summary>Each rule about names: a sequence that fires it, and one that comes close and must not.</summary>
public sealed class NameRuleTests
{
    [Theory]
    [InlineData(120, 40, DnsType.A, true)]
    [InlineData(120, 10, DnsType.A, false)]
    [InlineData(60, 40, DnsType.A, false)]
    [InlineData(60, 15, DnsType.Txt, true)]
    [InlineData(30, 15, DnsType.Null, false)]
    public void Many_long_names_below_one_domain_are_a_tunnel(int names, int length, DnsType type, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < names; i++)
            Ask(scene, $"{new string('q', length - 4)}{i:0000}.t.example.com", type).Wait(0.5);
        scene.Finish();
        Assert.Equal(fires, scene.Of("dns-tunnel").Any());
        if (fires)
            Assert.Contains("example.com", Assert.Single(scene.Closed).Description, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_name_again_and_again_is_no_tunnel()
    {
        var scene = new Scene();
        for (var i = 0; i < 2000; i++)
            Ask(scene, $"{new string('q', 50)}{i % 20}.cdn.example.com", DnsType.Txt).Wait(0.1);
        Assert.Empty(scene.Finish());
    }

    [Fact]
    public void Reverse_look_ups_and_resolvers_are_no_tunnels()
    {
        var scene = new Scene();
        scene.Exchange(Workstation, Pacs, 53, protocol: 17);
        for (var i = 0; i < 3000; i++)
        {
            Ask(scene, $"{i & 255}.{i >> 8}.0.10.in-addr.arpa", DnsType.Ptr);
            scene.Wait(0.05);
        }

        Assert.DoesNotContain(scene.Finish(), a => a.Rule.StartsWith("dns", StringComparison.Ordinal));
    }

    [Fact]
    public void Much_said_in_names_is_exfiltration()
    {
        var scene = new Scene();
        for (var i = 0; i < 300; i++)
            Ask(scene, $"{new string('q', 200)}{i:0000}.x.example.co.uk", DnsType.A).Wait(1);
        scene.Finish();
        Assert.Single(scene.Of("dns-exfiltration"));
    }

    [Theory]
    [InlineData(80, 3, true)]
    [InlineData(80, 0, false)]
    [InlineData(40, 3, false)]
    public void Names_that_do_not_exist_are_a_burst(int domains, int code, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < domains; i++)
            Ask(scene, $"x{i}y.net", DnsType.A, code).Wait(1);
        scene.Finish();
        Assert.Equal(fires, scene.Of("nxdomain-burst").Any());
    }

    [Theory]
    [InlineData("10.0.0.99", true)]
    [InlineData("10.0.0.53", false)]
    public void A_dns_server_that_nobody_used_is_news(string server, bool fires)
    {
        var learn = new Scene();
        for (var i = 0; i < 40; i++)
            learn.Exchange(Workstation, "10.0.0.53", 53, ApplicationProtocol.Dns, protocol: 17).Wait(60);
        learn.Finish();
        var scene = new Scene(learn.Detector.Learn()) { Seconds = 90_000 };
        scene.Say<DnsTransaction>(Modality, server, 53, t => { t.Name.Set("pacs.example"u8); t.NameLength = 12; t.ResponseCode = 0; t.IsAnswered = true; });
        scene.Finish();
        Assert.Equal(fires, scene.Of("new-dns-server").Any());
    }

    [Theory]
    [InlineData(ApplicationProtocol.Llmnr, "host", 6, true)]
    [InlineData(ApplicationProtocol.Nbns, "host", 6, true)]
    [InlineData(ApplicationProtocol.Llmnr, "host", 3, false)]
    [InlineData(ApplicationProtocol.Mdns, "host", 50, false)]
    [InlineData(ApplicationProtocol.Llmnr, "wpad", 1, true)]
    public void One_host_that_answers_for_many_names_poisons(ApplicationProtocol kind, string name, int names, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < names; i++)
            Answer(scene, kind, names == 1 ? name : name + i, Stranger).Wait(5);
        scene.Finish();
        Assert.Equal(fires, scene.Of("name-poisoning").Any());
        if (fires)
            Assert.Equal(Stranger, Assert.Single(scene.Closed).Device.Ip);
    }

    [Fact]
    public void Hosts_that_answer_for_themselves_do_not_poison()
    {
        var scene = new Scene();
        for (var i = 0; i < 200; i++)
            Answer(scene, ApplicationProtocol.Llmnr, "host" + (i % 50), $"10.0.3.{1 + (i % 50)}").Wait(1);
        Assert.Empty(scene.Finish());
    }

    [Fact]
    public void Domains_are_what_somebody_registered()
    {
        Assert.Equal("example.com", Domain("a.b.example.com"));
        Assert.Equal("example.co.uk", Domain("a.example.co.uk"));
        Assert.Equal("example.de", Domain("www.example.de"));
        Assert.Equal("localhost", Domain("localhost"));

        static string Domain(string name) =>
            System.Text.Encoding.ASCII.GetString(IoTGuard.Analysis.Rules.NameDetection.DomainOf(System.Text.Encoding.ASCII.GetBytes(name)));
    }

    internal static Scene Ask(Scene scene, string name, DnsType type, int code = 0, string client = Workstation) =>
        scene.Say<DnsTransaction>(client, "10.0.0.53", 53, t =>
        {
            t.Name.Set(System.Text.Encoding.ASCII.GetBytes(name));
            t.NameLength = name.Length;
            t.Type = type;
            t.ResponseCode = code;
            t.IsAnswered = true;
        });

    private static Scene Answer(Scene scene, ApplicationProtocol kind, string name, string server) =>
        scene.Say<DnsTransaction>(Workstation, server, 5355, t =>
        {
            t.Kind = kind;
            t.Event = DnsEvent.Response;
            t.Name.Set(System.Text.Encoding.ASCII.GetBytes(name));
            t.NameLength = name.Length;
            t.Suffix = kind == ApplicationProtocol.Nbns ? 0x20 : -1;
            t.ResponseCode = 0;
            t.Answers = 1;
        });
}
