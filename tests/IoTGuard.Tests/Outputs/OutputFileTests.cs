using System.Buffers;
using System.IO.Compression;
using IoTGuard.Outputs;

namespace IoTGuard.Tests.Outputs;

public sealed class OutputFileTests
{
    [Theory]
    [InlineData("lines")]
    [InlineData("lines.gz")]
    public void What_was_written_between_opening_a_file_again_and_taking_it_over_stays(string name)
    {
        using var folder = new TemporaryFolder();
        using (var before = OutputFile.Append(folder[name], static _ => { }))
        {
            Write(before, "first");
            before.Flush();
            using var after = OutputFile.Append(folder[name], static _ => { });
            Write(before, "second, the longest of all");
            before.Flush();
            Write(before, "third");
            after.TakeOver(before);
            Write(after, "fourth");
        }

        Assert.Equal(["first", "second, the longest of all", "third", "fourth"], Lines(folder[name]));
    }

    [Fact]
    public void A_gzip_file_holds_whole_members_whenever_its_writer_ends()
    {
        using var folder = new TemporaryFolder();
        string[] expected = ["first", "second", "third", "fourth"];
        using var killed = OutputFile.Append(folder["lines.gz"], static _ => { });
        for (var i = 0; i < expected.Length; i++)
        {
            Write(killed, expected[i]);
            killed.Flush();
            Assert.Equal(expected[..(i + 1)], Lines(folder["lines.gz"]));
        }
    }

    [Fact]
    public void A_line_that_a_crash_cut_off_is_ended_before_the_next()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["lines"], "whole\ncut o");
        using (var file = OutputFile.Append(folder["lines"], static _ => { }))
            Write(file, "next");
        Assert.Equal(["whole", "cut o", "next"], Lines(folder["lines"]));
    }

    private static List<string> Lines(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress) : file);
        var lines = new List<string>();
        while (reader.ReadLine() is { } line)
            lines.Add(line);
        return lines;
    }

    private static void Write(OutputFile file, string line)
    {
        file.Buffer.Write(System.Text.Encoding.ASCII.GetBytes(line));
        file.EndLine();
    }
}
