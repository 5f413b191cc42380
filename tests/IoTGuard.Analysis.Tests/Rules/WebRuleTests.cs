using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Application.Dicom;
using IoTGuard.Wire.Application.Files;
using static IoTGuard.Analysis.Tests.Rules.Scene;

namespace IoTGuard.Analysis.Tests.Rules;

/// <summary>Each rule about HTTP: what fires it, and what comes close and must not.</summary>
public sealed class WebRuleTests
{
    private delegate void Fill(ref HttpFacts facts);

    private static Scene Ask(Scene scene, Fill fill, string client = Stranger, string server = Pacs) => scene.Other<HttpTransaction>(client, server, 8042, t =>
    {
        (t.Facts.Method, t.Facts.Status, t.Facts.Version) = ("GET", 200, 11);
        fill(ref t.Facts);
    });

    private static Scene Fault(Scene scene, HttpFault fault) => scene.Other<HttpTransaction>(Stranger, Pacs, 80, t => (t.Event, t.Facts.Fault) = (HttpEvent.Fault, fault));

    private static void Expect(Scene scene, string rule, bool fires)
    {
        scene.Finish();
        Assert.Equal(fires, scene.Of(rule).Any());
        Assert.All(scene.Closed, a => Assert.DoesNotContain('{', a.Description));
        Assert.All(scene.Closed, a => Assert.DoesNotContain('?', a.Description));
    }

    [Theory]
    [InlineData(HttpAuthentication.None, false, 200, true)]
    [InlineData(HttpAuthentication.Basic, true, 200, true)]
    [InlineData(HttpAuthentication.Basic, false, 200, false)]
    [InlineData(HttpAuthentication.None, false, 401, false)]
    public void Open_records_are_told_once(HttpAuthentication authentication, bool isDefault, short status, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < 3; i++)
            Ask(scene, (ref f) => (f.Service, f.Resource, f.Operation, f.Authentication, f.DefaultCredentials, f.Status) = (HttpService.Orthanc, "studies", "read", authentication, isDefault, status));
        Expect(scene, "web-open-records", fires);
        Assert.InRange(scene.Of("web-open-records").Count(), 0, 1);
    }

    [Fact]
    public void Open_web_pages_are_no_records()
    {
        var scene = new Scene();
        Ask(scene, (ref f) => f.Path = "/");
        Ask(scene, (ref f) => (f.Service, f.Operation) = (HttpService.Fhir, "capabilities"));
        Ask(scene, (ref f) => (f.Service, f.Resource) = (HttpService.Orthanc, "system"));
        Expect(scene, "web-open-records", false);
    }

    [Theory]
    [InlineData(20, HttpAuthentication.Basic, true)]
    [InlineData(10, HttpAuthentication.Basic, false)]
    [InlineData(30, HttpAuthentication.Ntlm, false)]
    [InlineData(100, HttpAuthentication.None, false)]
    public void Refused_passwords_are_guessing(int times, HttpAuthentication authentication, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < times; i++)
            Ask(scene.Wait(0.2), (ref f) => (f.Authentication, f.Status) = (authentication, 401));
        Expect(scene, "web-password-guessing", fires);
    }

    [Fact]
    public void An_outdated_password_is_no_guessing()
    {
        var scene = new Scene();
        for (var i = 0; i < 100; i++)
            Ask(scene.Wait(10), (ref f) => (f.Authentication, f.Status) = (HttpAuthentication.Basic, 401));
        Expect(scene, "web-password-guessing", false);
    }

    [Theory]
    [InlineData(30, 0, true)]
    [InlineData(10, 0, false)]
    [InlineData(30, 200, false)]
    [InlineData(60, 200, true)] // very many, though most of its requests succeed
    public void Many_missing_paths_are_a_scan(int missing, int found, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < Math.Max(missing, found); i++)
        {
            scene.Wait(0.1);
            if (i < found)
                Ask(scene, (ref f) => f.PathHash = 1);
            if (i < missing)
                Ask(scene, (ref f) => (f.PathHash, f.Status) = ((ulong)i + 100, 404));
        }

        Expect(scene, "web-scan", fires);
    }

    [Fact]
    public void Scanners_that_say_so_are_believed()
    {
        Expect(Ask(new Scene(), (ref f) => f.UserAgent = "Mozilla/5.0 (compatible; Nmap Scripting Engine; https://nmap.org/book/nse.html)"), "web-scan", true);
        Expect(Ask(new Scene(), (ref f) => f.UserAgent = "Mozilla/5.0 (Windows NT 10.0)"), "web-scan", false);
    }

    [Fact]
    public void Signs_of_attacks_are_told()
    {
        Expect(Ask(new Scene(), (ref f) => f.Sign = WebSign.PathTraversal), "web-attack", true);
        Expect(Ask(new Scene(), (ref f) => (f.Method, f.Service, f.Sign) = ("POST", HttpService.InterfaceEngine, WebSign.Deserialization)), "interface-engine-takeover", true);
        Expect(Ask(new Scene(), (ref f) => (f.Method, f.Service, f.Resource, f.Operation) = ("POST", HttpService.Orthanc, "tools", "execute-script")), "interface-engine-takeover", true);
        Expect(Ask(new Scene(), (ref f) => (f.Method, f.Service, f.Resource, f.Operation) = ("POST", HttpService.InterfaceEngine, "users", "create")), "interface-engine-takeover", false);
    }

    [Theory]
    [InlineData("patients,studies,instances", 0, true)]
    [InlineData("studies,instances", 4, true)]
    [InlineData("studies", 4, false)]
    [InlineData("studies,series", 0, false)]
    [InlineData("studies,studies,studies,studies,studies,studies", 0, true)]
    [InlineData("", 80, true)]
    [InlineData("", 40, false)]
    public void Lists_and_fetches_are_harvesting(string lists, int fetched, bool fires)
    {
        var scene = new Scene();
        foreach (var list in lists.Split(',', StringSplitOptions.RemoveEmptyEntries))
            Ask(scene.Wait(0.5), (ref f) => (f.Service, f.Resource, f.Operation, f.IsBroad) = (HttpService.Orthanc, list, "list", true));
        for (var i = 0; i < fetched; i++)
            Ask(scene.Wait(0.5), (ref f) => (f.Service, f.Resource, f.Operation, f.PathHash) = (HttpService.Orthanc, "instances", "retrieve", (ulong)i));
        Expect(scene, "web-record-harvesting", fires);
    }

    [Fact]
    public void A_viewer_that_reads_one_study_is_no_harvester()
    {
        var scene = new Scene();
        for (var i = 0; i < 50; i++)
            Ask(scene, (ref f) => (f.Service, f.Resource, f.Operation, f.Study, f.PathHash) = (HttpService.DicomWeb, "instances", "frames", new Pseudonym(1, 1), (ulong)i));
        Expect(scene, "web-record-harvesting", false);
        scene = new Scene();
        for (var i = 0; i < 20; i++)
            Ask(scene.Wait(1), (ref f) => (f.Service, f.Resource, f.Operation, f.Study) = (HttpService.DicomWeb, "studies", "metadata", new Pseudonym(1, (ulong)i + 1)));
        Expect(scene, "web-record-harvesting", true);
    }

    [Fact]
    public void A_mirror_that_was_learned_goes_on()
    {
        static void Mirror(Scene scene, int files)
        {
            for (var i = 0; i < files; i++)
                Ask(scene.Wait(0.5), (ref f) => (f.Service, f.Resource, f.Operation, f.PathHash) = (HttpService.Orthanc, "instances", "retrieve", (ulong)i), client: Workstation);
        }

        var first = new Scene();
        Mirror(first, 40);
        first.Finish();
        var second = new Scene(first.Detector.Learn()) { Seconds = 90_000 };
        Mirror(second, 100);
        Expect(second, "web-record-harvesting", false);
    }

    [Fact]
    public void Exports_and_deletions()
    {
        Expect(Ask(new Scene(), (ref f) => (f.Service, f.Operation, f.Status) = (HttpService.Fhir, "export", 202)), "fhir-bulk-export", true);
        Expect(Ask(new Scene(), (ref f) => (f.Service, f.Operation, f.Status) = (HttpService.Fhir, "export", 403)), "fhir-bulk-export", false);
        Expect(Ask(new Scene(), (ref f) => (f.Method, f.Service, f.Resource, f.Operation) = ("DELETE", HttpService.Orthanc, "patients", "delete")), "web-record-deletion", true);
        Expect(Ask(new Scene(), (ref f) => (f.Method, f.Service, f.Resource, f.Operation, f.Authentication) = ("DELETE", HttpService.Orthanc, "patients", "delete", HttpAuthentication.Bearer)),
            "web-record-deletion", false);
    }

    [Fact]
    public void Programs_in_disguise()
    {
        Expect(Ask(new Scene(), (ref f) => (f.Method, f.Objects, f.Preamble) = ("POST", 1, PreambleKind.PortableExecutable)), "disguised-program", true);
        Expect(Ask(new Scene(), (ref f) => (f.Method, f.Objects, f.Preamble) = ("POST", 1, PreambleKind.Tiff)), "disguised-program", false);
        Expect(Ask(new Scene(), (ref f) => (f.ResponseContent, f.ResponseType) = (FileKind.PortableExecutable, "image/png")), "disguised-program", true);
        Expect(Ask(new Scene(), (ref f) => (f.ResponseContent, f.ResponseType) = (FileKind.PortableExecutable, "application/octet-stream")), "disguised-program", false);
        Expect(new Scene().Other<DicomFileTransaction>(Stranger, Pacs, 20, t => t.Preamble = PreambleKind.Elf), "disguised-program", true);
        Expect(new Scene().Other<DicomFileTransaction>(Stranger, Pacs, 20, t => t.Preamble = PreambleKind.Zero), "disguised-program", false);
    }

    [Theory]
    [InlineData(HttpFault.LengthAndEncoding, 2, "http-request-smuggling", true)]
    [InlineData(HttpFault.LengthAndEncoding, 1, "http-request-smuggling", false)]
    [InlineData(HttpFault.BareLineFeed, 50, "http-request-smuggling", false)]
    [InlineData(HttpFault.SlowHead, 12, "http-slow-requests", true)]
    [InlineData(HttpFault.SlowHead, 5, "http-slow-requests", false)]
    public void Faults_that_are_attacks(HttpFault fault, int times, string rule, bool fires)
    {
        var scene = new Scene();
        for (var i = 0; i < times; i++)
            Fault(scene.Wait(1), fault);
        Expect(scene, rule, fires);
    }

    [Fact]
    public void Hl7_in_http_makes_no_hl7_port_of_a_web_server()
    {
        foreach (var overHttp in new[] { true, false })
        {
            var scene = new Scene().Hl7(Sender, Engine, fill: t => t.OverHttp = overHttp).Exchange(Sender, Engine, 2575, IoTGuard.Analysis.Flows.ApplicationProtocol.Http);
            scene.Exchange(Sender, Engine, 2575, IoTGuard.Analysis.Flows.ApplicationProtocol.Http).Exchange(Sender, Engine, 2575, IoTGuard.Analysis.Flows.ApplicationProtocol.Http);
            Expect(scene, "hl7-malformed", !overHttp);
        }
    }

    [Fact]
    public void A_password_in_the_clear_is_told_once()
    {
        var scene = new Scene();
        for (var i = 0; i < 5; i++)
            Ask(scene, (ref f) => f.Authentication = HttpAuthentication.Basic);
        Expect(scene, "web-clear-credentials", true);
        Assert.Single(scene.Of("web-clear-credentials"));
        Expect(Ask(new Scene(), (ref f) => f.Authentication = HttpAuthentication.Basic, Workstation, Outside), "web-clear-credentials", false);
    }
}
