namespace IoTGuard.Analysis.Tests.Hl7;

public sealed class Hl7HeaderTests
{
    private static readonly string[] Delimiters = ["|^~\\&", "|^~\\&", "|^~\\&", "#^~\\&", "|:~\\&"];
    private static readonly string[] Names = ["", "LAB", "LAB^1.2.3^ISO", "L\u00E4b", "EPIC", " PACS ", "A:B", new string('N', 90)];
    private static readonly string[] Types = ["ADT^A01^ADT_A01", "ADT^A01", "ORU^R01", "ACK", "ACK^A01", "ADT:A08", "", "M\u00FC^A1"];
    private static readonly string[] Sets = ["", "8859/1", "UNICODE UTF-8", "8859/5~ASCII"];

    [Fact]
    public void AHeaderReadsTheSameAfterThousandsOfOthers()
    {
        var random = new Random(1);
        var used = new Conversation();
        for (var i = 0; i < 3000; i++)
        {
            var message = Message(random);
            used.Restart();
            used.Log.Clear();
            used.Send(message).End();
            var fresh = new Conversation().Send(message).End();
            Assert.NotEmpty(fresh.Log);
            Assert.Equal(fresh.Log, used.Log);
        }
    }

    private static string Message(Random random)
    {
        string Any(string[] texts) => texts[random.Next(texts.Length)];
        var delimiters = Any(Delimiters);
        string[] fields =
        [
            Any(Names), Any(Names), Any(Names), Any(Names), random.Next(2) == 0 ? "20260101120000" : "20260101120000.5+0100", "", Any(Types),
            "C" + random.Next(10), "P", "2.5." + random.Next(3), "", "", Any(["", "AL", "NE"]), Any(["", "AL"]), "", Any(Sets), "", "",
        ];
        var header = "MSH" + delimiters + delimiters[0] + string.Join(delimiters[0], fields.Take(random.Next(8, fields.Length + 1)));
        return "\v" + header + "\rEVN" + delimiters[0] + "A01\r\u001C\r";
    }
}
