using System.Buffers;
using IoTGuard.Outputs;

namespace IoTGuard.Tests.Outputs;

public sealed class OutputFileTests
{
    [Fact]
    public void What_was_written_between_opening_a_file_again_and_taking_it_over_stays()
    {
        using var folder = new TemporaryFolder();
        using (var before = OutputFile.Append(folder["lines"], static _ => { }))
        {
            Write(before, "first");
            before.Flush();
            using var after = OutputFile.Append(folder["lines"], static _ => { });
            Write(before, "second, the longest of all");
            before.Flush();
            Write(before, "third");
            after.TakeOver(before);
            Write(after, "fourth");
        }

        Assert.Equal(["first", "second, the longest of all", "third", "fourth"], File.ReadAllLines(folder["lines"]));
    }

    private static void Write(OutputFile file, string line)
    {
        file.Buffer.Write(System.Text.Encoding.ASCII.GetBytes(line));
        file.EndLine();
    }
}
