using System.Text;
using System.Text.RegularExpressions;
using IoTGuard.Analysis.Flows;
using IoTGuard.TestSupport;

namespace IoTGuard.Analysis.Tests.Hl7;

/// <summary>Messages that others published, against a reader made of string splits.</summary>
public sealed partial class Hl7CorpusTests
{
    private static readonly string[] Columns = ["control_id", "sending_application", "sending_facility", "receiving_application", "receiving_facility"];

    [Fact]
    public void EveryMessageOfTheCorpusAppearsOnceWithItsHeader()
    {
        var folder = Repository.SharedDataOrSkip("hl7");
        var messages = 0;
        var c = new Conversation();
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var text = Encoding.Latin1.GetString(File.ReadAllBytes(file));
            if (!Start().IsMatch(text) || text.Contains('\u001c') || text.Contains('\v'))
                continue;
            var framed = Encoding.Latin1.GetBytes("\v" + text + "\u001c\r");
            c.Restart();
            c.Log.Clear();
            c.Show(FlowDirection.FromOriginator, framed).End();
            var whole = c.Log.ToArray();
            messages += Compare(file, text, whole);

            foreach (var size in new[] { 1, 1460 })
            {
                c.Restart();
                c.Log.Clear();
                Assert.Equal(whole, c.InPieces(FlowDirection.FromOriginator, framed, size).End().Log);
            }
        }

        Assert.True(messages > 250, $"{messages} messages compared");
    }

    private static int Compare(string file, string text, string[] log)
    {
        var expected = Header().Matches(text).Select(m => m.Value.TrimStart('\uFEFF').Split(m.Value[3])).ToList();
        var seen = log.Where(l => !l.StartsWith("fault", StringComparison.Ordinal)).ToList();
        Assert.True(expected.Count == seen.Count, $"{file}: {expected.Count} headers, {seen.Count} messages");
        // Those without a control id are emitted at once, before earlier ones that wait for an acknowledgement.
        foreach (var header in expected)
        {
            var values = new[] { At(header, 9), At(header, 2), At(header, 3), At(header, 4), At(header, 5) };
            if (values.Any(v => v.Length > 120 || v.Any(char.IsControl) || v.Any(c => c > 127)))
                continue;
            var pairs = string.Join(' ', Columns.Zip(values).Where(p => p.Second.Length > 0).Select(p => $"{p.First}={p.Second}"));
            Assert.True(seen.Exists(l => l.Contains(pairs, StringComparison.Ordinal)), $"{file}: {pairs}");
        }

        return expected.Count;
    }

    private static string At(string[] fields, int index) => index < fields.Length ? fields[index].Trim() : "";

    [GeneratedRegex(@"^(\u00EF\u00BB\u00BF)?[MFB][SH][HS][|]", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex Start();

    [GeneratedRegex(@"(?<=^|[\r\n]|\u00EF\u00BB\u00BF)MSH[|][^\r\n]*", RegexOptions.ExplicitCapture, 10_000)]
    private static partial Regex Header();
}
