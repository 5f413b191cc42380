namespace IoTGuard.Learning.Tests.Oracles;

/// <summary>The part of a page that a test writes: what stands between its two marks. The rest is written by hand and stays as it is.</summary>
internal static class WrittenPart
{
    private const string End = "<!-- end of the written part -->";

    public static void ReplaceIn(string path, string writer, string text) => File.WriteAllText(path, Replace(File.ReadAllText(path), writer, text));

    public static string Replace(string page, string writer, string text)
    {
        var begin = $"<!-- written by {writer} -->";
        var from = page.IndexOf(begin, StringComparison.Ordinal);
        var to = from < 0 ? -1 : page.IndexOf(End, from, StringComparison.Ordinal);
        if (to < 0)
            throw new InvalidDataException($"the page has no lines \"{begin}\" and \"{End}\", between which the text would go");
        return $"{page[..from]}{begin}\n\n{text.Trim('\n')}\n\n{page[to..]}";
    }
}
