using System.Text;
using IoTGuard.Wire.Application.Dicom;

namespace IoTGuard.Wire.Tests.Application.Dicom;

public sealed class DicomTextTests
{
    [Theory]
    [InlineData("1.2.840.10008.1.2", true)]
    [InlineData("1.2.840.10008.1.2\0", true)]
    [InlineData("1.2.3 ", true)]
    [InlineData("", true)]
    [InlineData("1.2..3", false)]
    [InlineData("../../etc/passwd", false)]
    [InlineData("1.2.3/4", false)]
    [InlineData("1.2\\1.3", false)]
    [InlineData("1.2.a", false)]
    public void UidsHaveDigitsAndDots(string uid, bool isUid) => Assert.Equal(isUid, DicomText.IsUid(Encoding.Latin1.GetBytes(uid)));

    [Theory]
    [InlineData("1.2\\1.3", true)]
    [InlineData("*", true)]
    [InlineData("..\\..", false)]
    [InlineData("1.2/3", false)]
    public void UidKeysMayBeListsAndWildcards(string uid, bool isKey) => Assert.Equal(isKey, DicomText.IsUidKey(Encoding.Latin1.GetBytes(uid)));

    [Theory]
    [InlineData("CT_ROOM 1       ", true)]
    [InlineData("ANY-SCP\0\0", true)]
    [InlineData("A\\B", false)]
    [InlineData("A/B", false)]
    [InlineData("..", false)]
    [InlineData("A\nB", false)]
    [InlineData("A\u00FFB", false)]
    public void AeTitlesHaveNoPathOrControlCharacters(string title, bool isTitle) => Assert.Equal(isTitle, DicomText.IsAeTitle(Encoding.Latin1.GetBytes(title)));

    [Theory]
    [InlineData(0x0000, DimseStatusClass.Success)]
    [InlineData(0xFF00, DimseStatusClass.Pending)]
    [InlineData(0xFF01, DimseStatusClass.Pending)]
    [InlineData(0xFE00, DimseStatusClass.Cancel)]
    [InlineData(0x0001, DimseStatusClass.Warning)]
    [InlineData(0x0107, DimseStatusClass.Warning)]
    [InlineData(0x0116, DimseStatusClass.Warning)]
    [InlineData(0xB000, DimseStatusClass.Warning)]
    [InlineData(0xB007, DimseStatusClass.Warning)]
    [InlineData(0xA700, DimseStatusClass.Failure)]
    [InlineData(0xA900, DimseStatusClass.Failure)]
    [InlineData(0xC000, DimseStatusClass.Failure)]
    [InlineData(0x0110, DimseStatusClass.Failure)]
    [InlineData(0x0122, DimseStatusClass.Failure)]
    [InlineData(0x0211, DimseStatusClass.Failure)]
    public void StatusesHaveTheClassesOfAnnexC(int status, DimseStatusClass expected) => Assert.Equal(expected, DimseStatus.ClassOf(status));

    [Theory]
    [InlineData(0x0001, DimseCommand.CStore)]
    [InlineData(0x8001, DimseCommand.CStore)]
    [InlineData(0x8150, DimseCommand.NDelete)]
    [InlineData(0x0FFF, DimseCommand.CCancel)]
    [InlineData(0x8FFF, DimseCommand.None)]
    [InlineData(0x0002, DimseCommand.None)]
    [InlineData(-1, DimseCommand.None)]
    public void CommandFieldsAreKnownOrNot(int field, DimseCommand command) => Assert.Equal(command, Dimse.CommandOf(field));
}
