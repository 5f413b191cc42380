using System.Text;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Sessions;
using static IoTGuard.Analysis.Tests.Hl7.Messages;

namespace IoTGuard.Analysis.Tests.Hl7;

public sealed class Hl7SessionTests
{
    [Fact]
    public void MessageIsEmittedWithItsAcknowledgementAndDuration()
    {
        var c = new Conversation();
        c.Send(Framed(Admit("A1")));
        Assert.Empty(c.Log);
        c.TimeNs += 5_000_000;
        c.Answer(Framed(Ack("A1")));

        Assert.Equal(2, c.Log.Count);
        Assert.StartsWith("message from=originator bytes=", c.Log[0], StringComparison.Ordinal);
        Assert.Contains(
            "duration=5000000 message_type=ADT^A01 message_structure=ADT_A01 event_type=A01 control_id=A1 sending_application=REG sending_facility=WARD^1.2.3^ISO "
            + "receiving_application=LAB receiving_facility=HOSP version=2.5 processing_id=P ack_code=AA segments=4 patients=1 patient=",
            c.Log[0], StringComparison.Ordinal);
        Assert.Contains("patient_class=I", c.Log[0], StringComparison.Ordinal);
        Assert.Contains("message_time_ns=1767319445000000000 framed=yes", c.Log[0], StringComparison.Ordinal);
        Assert.StartsWith("ack from=originator bytes=", c.Log[1], StringComparison.Ordinal);
        Assert.Contains(
            "duration=5000000 message_type=ACK^A01 message_structure=ACK control_id=r1 sending_application=LAB sending_facility=HOSP "
            + "receiving_application=REG receiving_facility=WARD version=2.5 processing_id=P ack_code=AA acknowledges=A1 segments=2 framed=yes",
            c.Log[1], StringComparison.Ordinal);
        Assert.Equal(1, c.Flow.Counters.Requests);
        Assert.Equal(1, c.Flow.Counters.Responses);
        Assert.Equal(Admit("A1").Length, c.Flow.Counters.ObjectBytes);
        Assert.Equal(ApplicationProtocol.Hl7, c.Flow.Application);
    }

    [Theory]
    [InlineData("ACK", "message_type=ACK control_id")]
    [InlineData("ACK^A01", "message_type=ACK^A01 control_id")]
    [InlineData("ACK^A01^ACK", "message_type=ACK^A01 message_structure=ACK control_id")]
    [InlineData("ACK^A01^ACK_A01", "message_type=ACK^A01 message_structure=ACK_A01 control_id")]
    [InlineData("ACK^^ACK", "message_type=ACK message_structure=ACK control_id")]
    public void AcknowledgementsOfAllFormsWithoutFinalCarriageReturn(string type, string expected)
    {
        var c = new Conversation().Send(Framed(Admit("A1"))).Answer(Framed(Ack("A1", type: type, end: "")));
        Assert.Equal(2, c.Log.Count);
        Assert.Contains("ack_code=AA", c.Log[0], StringComparison.Ordinal);
        Assert.Contains(expected, c.Log[1], StringComparison.Ordinal);
    }

    [Fact]
    public void NamesDatesAndIdentifiersNeverLeave()
    {
        var c = new Conversation().Send(Framed(Admit("A1") + "OBX|1|TX|X||free text|\r")).Answer(Framed(Ack("A1") + "ERR|||207^Application internal error|E||||JANE DOE 4711\r"));
        var all = string.Join('\n', c.Log);
        foreach (var secret in new[] { "JANE", "DOE", "4711", "19700101", "V99", "free text", "Application internal" })
            Assert.DoesNotContain(secret, all, StringComparison.Ordinal);
        Assert.Contains("error_code=207", all, StringComparison.Ordinal);
    }

    [Fact]
    public void PatientPseudonymIsThatOfTheIdentifierHoweverItIsWritten()
    {
        static string Patient(string pid)
        {
            var c = new Conversation().Send(Framed("MSH|^~\\&|A|B|C|D|||ADT^A01||P|2.5\r" + pid + "\r"));
            var line = Assert.Single(c.Log);
            var at = line.IndexOf(" patient=", StringComparison.Ordinal);
            return at < 0 ? "" : line.Substring(at + 9, 32);
        }

        var plain = Patient("PID|1||AB&C");
        Assert.NotEmpty(Patient("PID|1||77"));
        Assert.Equal(Patient("PID|1||77"), Patient("PID|1|77|\"\""));
        Assert.Equal(Patient("PID|1||77"), Patient("PID|1||77^^^X~88^^^Y"));
        Assert.Equal(plain, Patient("PID|1||AB\\T\\C^^^X"));
        Assert.Empty(Patient("PID|1|||"));
        Assert.NotEqual(plain, Patient("PID|1||77"));
    }

    [Fact]
    public void ServersThatAcknowledgeAllEarlierMessagesAgain()
    {
        var c = new Conversation();
        c.Send(Framed(Admit("1"))).Answer(Framed(Ack("1")));
        c.Send(Framed(Admit("2"))).Answer(Framed(Ack("1")) + Framed(Ack("2")));
        c.Send(Framed(Admit("3"))).Answer(Framed(Ack("1")) + Framed(Ack("2")) + Framed(Ack("3")));

        Assert.Equal(3, c.Log.Count(l => l.StartsWith("message", StringComparison.Ordinal)));
        Assert.Equal(["", "", "repeats=1", "", "", "repeats=2", "repeats=1", "", ""],
            c.Log.Select(l => l.Split(' ').FirstOrDefault(w => w.StartsWith("repeats", StringComparison.Ordinal)) ?? ""));
    }

    [Fact]
    public void EnhancedModeWaitsForTheApplicationAcknowledgement()
    {
        var c = new Conversation().Send(Framed(Admit("A1", "|||AL|AL"))).Answer(Framed(Ack("A1", "CA")));
        Assert.StartsWith("ack", Assert.Single(c.Log), StringComparison.Ordinal);
        c.TimeNs += Conversation.Second;
        c.Answer(Framed(Ack("A1", "AE")));
        Assert.Equal(3, c.Log.Count);
        Assert.Contains("duration=1000000000", c.Log[1], StringComparison.Ordinal);
        Assert.Contains("ack_code=AE", c.Log[1], StringComparison.Ordinal);
        Assert.Equal(1, c.Flow.Counters.Failures);

        c = new Conversation().Send(Framed(Admit("A1", "|||AL|NE"))).Answer(Framed(Ack("A1", "CA")));
        Assert.Equal(2, c.Log.Count);
        Assert.Contains("ack_code=CA", c.Log[0], StringComparison.Ordinal);
    }

    [Fact]
    public void SingleOctetAcknowledgementsOfMllpRelease2()
    {
        var c = new Conversation().Send(Framed(Admit("A1")) + Framed(Admit("A2"))).Answer("\v\u0006\u001c\r").Answer("\v\u0015\u001c\r");
        Assert.Equal(3, c.Log.Count);
        Assert.StartsWith("ack from=originator bytes=1 duration=0 ack_code=CA acknowledges=A1 segments=0 framed=yes", c.Log[0], StringComparison.Ordinal);
        Assert.Contains("control_id=A2", c.Log[1], StringComparison.Ordinal);
        Assert.Contains("ack_code=CR", c.Log[1], StringComparison.Ordinal);
        Assert.Contains("ack_code=CR acknowledges=A2", c.Log[2], StringComparison.Ordinal);
    }

    [Fact]
    public void UnacknowledgedMessagesAreEmittedWhenTheTableIsFullWhenTheyAreLateAndAtTheEnd()
    {
        var c = new Conversation();
        for (var i = 0; i < Hl7Session.MaximumOutstanding + 2; i++)
            c.Send(Framed(Admit($"M{i}")));
        Assert.Equal(2, c.Log.Count);
        Assert.Contains("control_id=M0", c.Log[0], StringComparison.Ordinal);
        c.End();
        Assert.Equal(Hl7Session.MaximumOutstanding + 2, c.Log.Count);

        c = new Conversation().Send(Framed(Admit("A1")));
        c.TimeNs += Hl7Session.AcknowledgementWaitNs + 1;
        c.Send("\v");
        Assert.Single(c.Log);

        c = new Conversation().Send(Framed(Admit("A1"))).HalfClose(FlowDirection.FromResponder);
        Assert.Single(c.Log);
        c.Send(Framed(Admit("A2")));
        Assert.Equal(2, c.Log.Count);
    }

    [Fact]
    public void BatchesGiveEveryMessageOnce()
    {
        var c = new Conversation().Send(Framed("FHS|^~\\&|X\rBHS|^~\\&|X\r" + Admit("1") + Admit("2") + "BTS|2\rFTS|1\r")).End();
        Assert.Equal(2, c.Log.Count);
        Assert.All(c.Log, l => Assert.Contains("batched=yes", l, StringComparison.Ordinal));
        Assert.All(c.Log, l => Assert.Contains($"bytes={Admit("1").Length} ", l, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData("\r")]
    public void AllLineEndingsGiveTheSameSegments(string newLine)
    {
        var c = new Conversation().Send(Framed((Admit("1") + "OBR|1\rOBX|1|TX\r").Replace("\r", newLine, StringComparison.Ordinal))).End();
        Assert.Contains("segments=6 observations=1 orders=1 ", Assert.Single(c.Log), StringComparison.Ordinal);
    }

    [Fact]
    public void LineFeedIsTextWhereCarriageReturnEndsSegments()
    {
        var c = new Conversation().Send(Framed(Admit("1") + "OBX|1|TX|||first\nsecond line\nPID|x\r")).End();
        Assert.Contains("segments=5 observations=1 patients=1 ", Assert.Single(c.Log), StringComparison.Ordinal);
        Assert.Equal(0, c.Flow.Counters.Faults);
    }

    [Fact]
    public void DeviceIdentifiersOfPrtAndObx()
    {
        var c = new Conversation().Send(Framed(Admit("1") + "PRT|A|B|C|D|E|F|G|H|I|PUMP7^X|||||||UDI1|20260101|20300101|LOT5|SN\\F\\6\r")).End();
        // PRT-16 is empty here: PRT-10 stands in.
        Assert.Contains("device_identifier=PUMP7", c.Log[0], StringComparison.Ordinal);
        c = new Conversation().Send(Framed(Admit("1") + "PRT||||||||||PUMP7||||||UDI1|20260101|20300101|LOT5|SN\\F\\6\r")).End();
        Assert.Contains("device_identifier=UDI1 device_lot=LOT5 device_serial=SN|6", c.Log[0], StringComparison.Ordinal);
        c = new Conversation().Send(Framed(Admit("1") + "OBX|1|NM|3|4|5|6|7|8|9|10|11|12|13|14|15|16|17|INF-3^M\r")).End();
        Assert.Contains("device_identifier=INF-3", c.Log[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("UNICODE UTF-8", "KÃ¼che", "Küche")]
    [InlineData("", "KÃ¼che", "Küche")]
    [InlineData("", "K\u00fcche", "Küche")]
    [InlineData("8859/1", "KÃ¼che", "KÃ¼che")]
    [InlineData("8859/15", "\u00a4", "€")]
    public void ApplicationNamesAreReadInTheirCharacterSet(string declared, string sent, string expected)
    {
        var c = new Conversation().Send(Framed($"MSH|^~\\&|{sent}|B|C|D|||ADT^A01||P|2.5||||||{declared}\r"));
        Assert.Contains($"sending_application={expected} ", Assert.Single(c.Log), StringComparison.Ordinal);
    }

    [Fact]
    public void OtherDelimiters()
    {
        var c = new Conversation().Send(Framed("MSH#:*!+#APP#FAC:1#C#D###ORU:R01:ORU_R01#77#P#2.4\rPID#1##9:8\r")).End();
        Assert.Contains("message_type=ORU^R01 message_structure=ORU_R01 control_id=77 sending_application=APP sending_facility=FAC:1 ", c.Log[0], StringComparison.Ordinal);
        Assert.Contains("patient=", c.Log[0], StringComparison.Ordinal);
        Assert.Equal(0, c.Flow.Counters.Faults);
    }

    [Fact]
    public void BareMessagesEndAtTheNextOneAtTheirAcknowledgementOrWithTheConnection()
    {
        var c = new Conversation().Send(Admit("1") + Admit("2")).Answer(Ack("2", end: ""));
        c.Answer("\r" + Ack("1")).End();
        Assert.Equal(["message", "ack", "message", "ack"], c.Log.Select(l => l.Split(' ')[0]));
        Assert.All(c.Log, l => Assert.Contains("framed=no", l, StringComparison.Ordinal));
        Assert.All(c.Log, l => Assert.Contains("ack_code=AA", l, StringComparison.Ordinal));
        Assert.Equal(0, c.Flow.Counters.Faults);
    }

    [Fact]
    public void LastSegmentOfABareMessageNeedsNoTerminator()
    {
        var c = new Conversation().Send(Admit("1")).Answer(Ack("1", "AR", end: "")).HalfClose(FlowDirection.FromResponder);
        Assert.Equal(2, c.Log.Count);
        Assert.Contains("ack_code=AR", c.Log[0], StringComparison.Ordinal);
    }

    [Fact]
    public void PseudonymOfLatin1BytesDoesNotFail() =>
        Assert.Single(new Conversation().Show(FlowDirection.FromOriginator, Encoding.Latin1.GetBytes(Framed("MSH|^~\\&|A|B|C|D|||ADT||P|2.5\rPID|||\u00ff\u00fe\r"))).Log);
}
