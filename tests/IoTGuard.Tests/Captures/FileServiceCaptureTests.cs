using System.Text.Json;
using IoTGuard.TestSupport;

namespace IoTGuard.Tests.Captures;

/// <summary>The program tells of the file server and the services what really happened on them, and nothing of their secrets.</summary>
public sealed class FileServiceCaptureTests
{
    /// <summary>The rules that these captures are about; what others find in them (certificates, passwords in the clear) is not compared.</summary>
    private static readonly HashSet<string> Rules =
    [
        "smb-ransomware", "smb-mass-deletion", "smb-fan-out", "smb-administrative-share", "remote-service-creation", "account-enumeration", "credential-dumping", "smb-logon-failures", "smb-guest",
        "smb1-in-use", "smb1-exploit", "smb-program-copied", "smb-executable-image", "ldap-simple-bind", "ldap-harvesting", "mqtt-open", "mqtt-everything", "modbus-write", "modbus-scan",
        "file-services-outside", "database-open", "outside-volume", "service-silent", "device-silent",
    ];

    [Fact]
    public void A_day_at_the_file_server()
    {
        var lines = Analyze("smb.pcapng", out var alerts);
        Assert.Equal(["2.0.2", "2.1", "3.0", "3.1.1", "NT LM 0.12"], lines.Where(t => Is(t, "smb", "negotiate")).Select(t => Text(t, "dialect")).Distinct().Order(StringComparer.Ordinal));
        Assert.Contains(lines, t => Is(t, "smb", "session") && Flag(t, "guest"));
        Assert.Contains(lines, t => Is(t, "smb", "session") && Flag(t, "anonymous"));
        Assert.All(lines.Where(t => Is(t, "smb", "session") && !Flag(t, "anonymous")), t => Assert.Equal(("ntlm", "WS07"), (Text(t, "mechanism"), Text(t, "workstation"))));
        Assert.Contains(lines, t => Is(t, "smb", "tree") && Text(t, "status_name") == "bad_network_name");
        Assert.Contains(lines, t => Is(t, "smb", "pipe") && Text(t, "operation") == "NetrShareEnum");
        var files = Assert.Single(lines, t => Is(t, "smb", "files") && Number(t, "version") == 1 && Number(t, "writes") > 0);
        Assert.Equal((2, 1, 1, 1, 1), (Number(files, "writes"), Number(files, "reads"), Number(files, "renames"), Number(files, "deletes"), Number(files, "dicom_files")));
        Assert.Equal(["smb-guest", "smb1-in-use"], alerts);
    }

    [Fact]
    public void An_attack_on_the_file_server()
    {
        var lines = Analyze("smb-attacks.pcapng", out var alerts);
        Assert.Equal(14, lines.Count(t => Is(t, "smb", "session") && Text(t, "status_name") == "logon_failure"));
        string?[] operations = [.. lines.Where(t => Is(t, "smb", "pipe")).Select(t => Text(t, "operation"))];
        Assert.Superset(new HashSet<string?> { "SamrEnumerateUsersInDomain", "RCreateServiceW", "BaseRegSaveKey" }, operations.ToHashSet());
        Assert.Equal((30, 30, 30), (Sum("random_writes"), Sum("strange_extensions"), Sum("reads")));
        Assert.InRange(Sum("deletes"), 30, 31);
        Assert.Equal(1, Sum("dicom_executables"));
        string[] expected =
        [
            "credential-dumping", "remote-service-creation", "smb-administrative-share", "smb-executable-image", "smb-logon-failures", "smb-program-copied", "smb-ransomware",
        ];
        Assert.Equal(expected, alerts);

        long Sum(string field) => lines.Where(t => Is(t, "smb", "files")).Sum(t => Number(t, field));
    }

    [Fact]
    public void Directory_broker_controller_procedures_and_databases()
    {
        var lines = Analyze("services.pcapng", out var alerts);
        Assert.Contains(lines, t => Is(t, "ldap", "bind") && Number(t, "result") == 49);
        Assert.Contains(lines, t => Is(t, "ldap", "search") && Number(t, "entries") == 14 && Text(t, "base_shape") == "dc,dc");
        Assert.Contains(lines, t => Is(t, "ldap", "start_tls") && Number(t, "result") == 0);
        Assert.Contains(lines, t => Is(t, "mqtt", "subscribe") && Number(t, "everything") == 1);
        Assert.Contains(lines, t => Is(t, "mqtt", "connect") && Flag(t, "has_password") && Number(t, "code") == 0);
        Assert.Contains(lines, t => Is(t, "mqtt", "connect") && Number(t, "code") == 5);
        Assert.Contains(lines, t => Is(t, "modbus", "identification") && Text(t, "vendor") == "Lab Controls");
        Assert.Contains(lines, t => Is(t, "modbus", "function") && Text(t, "function_name") == "write_single_register");
        Assert.Contains(lines, t => Is(t, "oncrpc", "call") && Text(t, "program_name") == "portmap");
        Assert.Contains(lines, t => Is(t, "lpd", "command") && Text(t, "command") == "receive_job");
        Assert.Contains(lines, t => Is(t, "redis", "connect") && Text(t, "authentication") == "none" && Flag(t, "accepted"));
        Assert.Contains(lines, t => Is(t, "redis", "connect") && Flag(t, "refused"));
        Assert.Equal([false, true], lines.Where(t => Is(t, "mysql", "connect")).Select(t => Flag(t, "refused")));
        Assert.Equal([false, true], lines.Where(t => Is(t, "postgresql", "connect")).Select(t => Flag(t, "refused")));
        Assert.Equal(["database-open", "ldap-simple-bind", "modbus-write", "mqtt-everything", "mqtt-open"], alerts);
    }

    /// <summary>A capture of the week in which DoublePulsar became public.</summary>
    [Fact]
    public void A_real_double_pulsar()
    {
        var lines = Analyze(Repository.SharedDataOrSkip("captures", "ndpi", "tests", "cfgs", "default", "pcap", "smbv1.pcap"), out var alerts);
        Assert.Contains(lines, t => Is(t, "smb", "fault") && Text(t, "fault") == "transaction2_session_setup");
        Assert.Contains("smb1-exploit", alerts);
    }

    private static List<JsonElement> Analyze(string name, out string[] alerts)
    {
        using var folder = new TemporaryFolder();
        var run = ProgramRun.Of("analyze", Path.Combine(Repository.PathOf("captures"), name), "--transactions", folder["transactions.jsonl"], "--alerts", folder["alerts.jsonl"]);
        Assert.Equal(0, run.Status);
        var text = File.ReadAllText(folder["transactions.jsonl"]) + File.ReadAllText(folder["alerts.jsonl"]);
        Assert.All(["Lab-Only-7", "guess", "ward0", "lokked", "pump0", "daemon"], secret => Assert.DoesNotContain(secret, text.Replace("login-guessing", "", StringComparison.Ordinal).Replace("being guessed", "", StringComparison.Ordinal), StringComparison.Ordinal));
        alerts = [.. File.ReadLines(folder["alerts.jsonl"]).Select(l => Text(JsonDocument.Parse(l).RootElement, "rule")!).Where(Rules.Contains).Distinct().Order(StringComparer.Ordinal)];
        return [.. File.ReadLines(folder["transactions.jsonl"]).Select(l => JsonDocument.Parse(l).RootElement)];
    }

    private static bool Is(JsonElement t, string protocol, string kind) => Text(t, "protocol") == protocol && Text(t, "event") == kind;

    private static string? Text(JsonElement t, string name) => t.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static long Number(JsonElement t, string name) => t.TryGetProperty(name, out var value) ? value.GetInt64() : 0;

    private static bool Flag(JsonElement t, string name) => t.TryGetProperty(name, out var value) && value.GetBoolean();
}
