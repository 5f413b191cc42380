using System.Text;
using IoTGuard.Analysis.Flows;

namespace IoTGuard.Benchmarks.Inputs;

/// <summary>An admission of about 500 bytes over MLLP, and its acknowledgement.</summary>
internal static class Hl7Turns
{
    public static Turn[] Admit { get; } =
    [
        new(FlowDirection.FromOriginator, Framed(
            "MSH|^~\\&|REG|WARD^1.2.3^ISO|LAB|HOSP|20260102030405+0100||ADT^A01^ADT_A01|C4711|P|2.5|||AL|NE\r"
            + "EVN|A01|20260102030405|||USER^NAME\r"
            + "PID|1||4711^^^HOSP^MR||SYNTHETIC^PATIENT||19700101|F|||1 STREET^^CITY^^00000||555-0100\r"
            + "NK1|1|SYNTHETIC^RELATIVE|SPO\r"
            + "PV1|1|I|W^1^2||||1234^DOCTOR^A|||MED||||ADM|A0||1234^DOCTOR^A||V99|||||||||||||||||||||||||20260102030405\r"
            + "OBX|1|NM|8302-2^HEIGHT^LN||170|cm|||||F\r"
            + "OBX|2|NM|29463-7^WEIGHT^LN||70|kg|||||F\r"
            + "AL1|1||1605^PENICILLIN^L|MO|RASH\r")),
        new(FlowDirection.FromResponder, Framed("MSH|^~\\&|LAB|HOSP|REG|WARD|20260102030406||ACK^A01^ACK|R4711|P|2.5\rMSA|AA|C4711\r")),
    ];

    private static byte[] Framed(string message) => Encoding.Latin1.GetBytes("\v" + message + "\u001c\r");
}
