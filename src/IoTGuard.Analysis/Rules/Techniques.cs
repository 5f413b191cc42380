using IoTGuard.Analysis.Alerts;

namespace IoTGuard.Analysis.Rules;

/// <summary>ATT&amp;CK techniques by id: T1xxx of the Enterprise, T0xxx of the ICS matrix.</summary>
internal static class Techniques
{
    private static readonly Dictionary<string, string> Names = new(StringComparer.Ordinal)
    {
        ["T0802"] = "Automated Collection",
        ["T0809"] = "Data Destruction",
        ["T0811"] = "Data from Information Repositories",
        ["T0812"] = "Default Credentials",
        ["T0814"] = "Denial of Service",
        ["T0815"] = "Denial of View",
        ["T0826"] = "Loss of Availability",
        ["T0830"] = "Adversary-in-the-Middle",
        ["T0832"] = "Manipulation of View",
        ["T0836"] = "Modify Parameter",
        ["T0846"] = "Remote System Discovery",
        ["T0855"] = "Unauthorized Command Message",
        ["T0856"] = "Spoof Reporting Message",
        ["T0866"] = "Exploitation of Remote Services",
        ["T0886"] = "Remote Services",
        ["T0888"] = "Remote System Information Discovery",
        ["T1003"] = "OS Credential Dumping",
        ["T1003.006"] = "OS Credential Dumping: DCSync",
        ["T1018"] = "Remote System Discovery",
        ["T1020"] = "Automated Exfiltration",
        ["T1021"] = "Remote Services",
        ["T1021.002"] = "Remote Services: SMB/Windows Admin Shares",
        ["T1027.009"] = "Obfuscated Files or Information: Embedded Payloads",
        ["T1036.008"] = "Masquerading: Masquerade File Type",
        ["T1040"] = "Network Sniffing",
        ["T1041"] = "Exfiltration Over C2 Channel",
        ["T1046"] = "Network Service Discovery",
        ["T1048"] = "Exfiltration Over Alternative Protocol",
        ["T1048.003"] = "Exfiltration Over Unencrypted Non-C2 Protocol",
        ["T1053.005"] = "Scheduled Task/Job: Scheduled Task",
        ["T1071"] = "Application Layer Protocol",
        ["T1071.004"] = "Application Layer Protocol: DNS",
        ["T1078"] = "Valid Accounts",
        ["T1078.001"] = "Valid Accounts: Default Accounts",
        ["T1087"] = "Account Discovery",
        ["T1095"] = "Non-Application Layer Protocol",
        ["T1105"] = "Ingress Tool Transfer",
        ["T1110"] = "Brute Force",
        ["T1110.001"] = "Brute Force: Password Guessing",
        ["T1110.003"] = "Brute Force: Password Spraying",
        ["T1119"] = "Automated Collection",
        ["T1133"] = "External Remote Services",
        ["T1135"] = "Network Share Discovery",
        ["T1190"] = "Exploit Public-Facing Application",
        ["T1195"] = "Supply Chain Compromise",
        ["T1200"] = "Hardware Additions",
        ["T1204.002"] = "User Execution: Malicious File",
        ["T1210"] = "Exploitation of Remote Services",
        ["T1213"] = "Data from Information Repositories",
        ["T1485"] = "Data Destruction",
        ["T1486"] = "Data Encrypted for Impact",
        ["T1490"] = "Inhibit System Recovery",
        ["T1498"] = "Network Denial of Service",
        ["T1499.001"] = "Endpoint Denial of Service: OS Exhaustion Flood",
        ["T1499.002"] = "Endpoint Denial of Service: Service Exhaustion Flood",
        ["T1499.003"] = "Endpoint Denial of Service: Application Exhaustion Flood",
        ["T1499.004"] = "Endpoint Denial of Service: Application or System Exploitation",
        ["T1557"] = "Adversary-in-the-Middle",
        ["T1557.001"] = "Adversary-in-the-Middle: LLMNR/NBT-NS Poisoning and SMB Relay",
        ["T1557.002"] = "Adversary-in-the-Middle: ARP Cache Poisoning",
        ["T1557.003"] = "Adversary-in-the-Middle: DHCP Spoofing",
        ["T1558.003"] = "Steal or Forge Kerberos Tickets: Kerberoasting",
        ["T1558.004"] = "Steal or Forge Kerberos Tickets: AS-REP Roasting",
        ["T1565.001"] = "Data Manipulation: Stored Data Manipulation",
        ["T1565.002"] = "Data Manipulation: Transmitted Data Manipulation",
        ["T1568.002"] = "Dynamic Resolution: Domain Generation Algorithms",
        ["T1569.002"] = "System Services: Service Execution",
        ["T1570"] = "Lateral Tool Transfer",
        ["T1571"] = "Non-Standard Port",
        ["T1572"] = "Protocol Tunneling",
        ["T1573"] = "Encrypted Channel",
    };

    public static IReadOnlyList<AttackTechnique> Of(params ReadOnlySpan<string> ids)
    {
        var techniques = new AttackTechnique[ids.Length];
        for (var i = 0; i < ids.Length; i++)
            techniques[i] = new AttackTechnique(ids[i], Names[ids[i]]);
        return techniques;
    }
}
