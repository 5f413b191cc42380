namespace IoTGuard.Analysis.Tests.Hl7;

/// <summary>Synthetic messages.</summary>
internal static class Messages
{
    public const char Vt = '\v';
    public const string End = "\u001c\r";

    public static string Admit(string controlId, string tail = "") =>
        $"MSH|^~\\&|REG|WARD^1.2.3^ISO|LAB|HOSP|20260102030405+0100||ADT^A01^ADT_A01|{controlId}|P|2.5{tail}\r"
        + "EVN|A01|20260102030405\rPID|1||4711^^^HOSP^MR||DOE^JANE||19700101|F\rPV1|1|I|W^1^2||||||||||||||||V99\r";

    public static string Ack(string controlId, string code = "AA", string type = "ACK^A01^ACK", string id = "r1", string end = "\r") =>
        $"MSH|^~\\&|LAB|HOSP|REG|WARD|20260102030406||{type}|{id}|P|2.5\rMSA|{code}|{controlId}{end}";

    public static string Framed(string message) => Vt + message + End;
}
