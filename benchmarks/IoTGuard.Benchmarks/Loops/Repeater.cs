namespace IoTGuard.Benchmarks.Loops;

/// <summary>
/// Writes a capture several times behind itself, each time later by its length and ten minutes more, so that flows have ended and begin anew. The same bytes
/// come again with the same ports and sequence numbers.
/// </summary>
internal static unsafe class Repeater
{
    private const uint PauseSeconds = 600;

    public static int Run(string path, int times)
    {
        using var capture = new MappedCapture(path);
        var end = capture.Start + capture.Length;
        var (first, last) = Span(capture);
        var period = last - first + PauseSeconds;
        using var output = Console.OpenStandardOutput();
        output.Write(new ReadOnlySpan<byte>(capture.Start, 24));
        var buffer = new byte[4 << 20];
        for (uint pass = 0; pass < times; pass++)
        {
            var used = 0;
            for (var record = capture.Start + 24; record + 16 <= end;)
            {
                var length = 16 + *(int*)(record + 8);
                if (record + length > end)
                    break;
                if (used + length > buffer.Length)
                {
                    output.Write(buffer, 0, used);
                    used = 0;
                }

                new ReadOnlySpan<byte>(record, length).CopyTo(buffer.AsSpan(used));
                fixed (byte* seconds = &buffer[used])
                    *(uint*)seconds += pass * period;
                used += length;
                record += length;
            }

            output.Write(buffer, 0, used);
        }

        return 0;
    }

    private static (uint First, uint Last) Span(MappedCapture capture)
    {
        var end = capture.Start + capture.Length;
        uint first = uint.MaxValue, last = 0;
        for (var record = capture.Start + 24; record + 16 <= end; record += 16 + *(uint*)(record + 8))
        {
            first = Math.Min(first, *(uint*)record);
            last = Math.Max(last, *(uint*)record);
        }

        return (first, last);
    }
}
