using System.Text;
using IoTGuard.Analysis.Sessions;

namespace IoTGuard.Analysis.Tests.Sessions;

public sealed class TextMemoTests
{
    [Fact]
    public void GivesBackWhatBelongsToTheText()
    {
        var random = new Random(1);
        var memo = new TextMemo<string>(16);
        var known = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var text = new string((char)('A' + random.Next(26)), random.Next(TextMemo<string>.MaximumBytes + 1));
            ref var value = ref memo.Of(Encoding.ASCII.GetBytes(text), out var isKnown);
            if (isKnown)
            {
                Assert.Equal(text, value);
                known++;
            }

            value = text;
        }

        Assert.True(known > 0);
    }

    [Fact]
    public void TheEmptyTextIsUnknownAtFirst()
    {
        var memo = new TextMemo<int>(4);
        memo.Of([], out var isKnown) = 7;
        Assert.False(isKnown);
        Assert.Equal(7, memo.Of([], out isKnown));
        Assert.True(isKnown);
    }

    [Fact]
    public void TextsAreTheSameWithAndWithoutMemoryOfThem()
    {
        var random = new Random(2);
        var kept = new TextInterner();
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = new byte[random.Next(1, 6)];
            random.NextBytes(bytes);
            if (random.Next(2) == 0)
                bytes.AsSpan().Fill((byte)random.Next(256));
            Assert.Equal(new TextInterner().Of(bytes), kept.Of(bytes));
            Assert.Equal(new TextInterner().Of(bytes, Encoding.UTF8), kept.Of(bytes, Encoding.UTF8));
        }
    }
}
