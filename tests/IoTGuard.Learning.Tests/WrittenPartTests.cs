using IoTGuard.Learning.Tests.Oracles;

namespace IoTGuard.Learning.Tests;

public sealed class WrittenPartTests
{
    private const string Page = "# Page\n\nBy hand.\n\n<!-- written by A -->\n\nold\n\n<!-- end of the written part -->\n\nBy hand, too.\n";

    [Fact]
    public void What_is_written_by_hand_around_it_stays() =>
        Assert.Equal(
            "# Page\n\nBy hand.\n\n<!-- written by A -->\n\n| new |\n\n<!-- end of the written part -->\n\nBy hand, too.\n",
            WrittenPart.Replace(Page, "A", "\n| new |\n"));

    [Fact]
    public void Writing_the_same_again_changes_nothing() => Assert.Equal(Page, WrittenPart.Replace(Page, "A", "old"));

    [Theory]
    [InlineData("")]
    [InlineData("<!-- written by A -->\nno end")]
    [InlineData("<!-- written by B -->\n<!-- end of the written part -->\n")]
    public void A_page_without_its_marks_is_left_alone(string page) => Assert.Throws<InvalidDataException>(() => WrittenPart.Replace(page, "A", "new"));
}
