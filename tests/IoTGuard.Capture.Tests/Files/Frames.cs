using IoTGuard.Wire;

namespace IoTGuard.Capture.Tests.Files;

/// <summary>A frame, copied out of its batch.</summary>
internal sealed record Captured(long TimeNs, int WireLength, LinkType Link, uint AuxVlan, byte[] Bytes)
{
    public bool Equals(Captured? other) =>
        other is not null && TimeNs == other.TimeNs && WireLength == other.WireLength && Link == other.Link && AuxVlan == other.AuxVlan
        && Bytes.AsSpan().SequenceEqual(other.Bytes);

    public override int GetHashCode() => HashCode.Combine(TimeNs, WireLength, Bytes.Length);
}

/// <summary>Ways to read a whole capture.</summary>
internal static class Frames
{
    /// <summary>All frames of a source, which is checked on the way for what every source promises.</summary>
    public static List<Captured> All(IFrameSource source)
    {
        var frames = new List<Captured>();
        var batch = new FrameBatch();
        var bytes = 0L;
        while (source.Read(batch))
        {
            Assert.Equal(frames.Count, batch.FirstFrame);
            foreach (var frame in batch.Frames)
            {
                Assert.InRange(frame.WireLength, frame.Length, int.MaxValue);
                frames.Add(new(frame.TimeNs, frame.WireLength, frame.Link, frame.AuxVlan, batch.Memory.Span.Slice(frame.Offset, frame.Length).ToArray()));
                bytes += frame.Length;
            }

            batch.Release();
        }

        Assert.False(source.Read(batch));
        Assert.Equal(frames.Count, source.Statistics.Frames);
        Assert.Equal(bytes, source.Statistics.Bytes);
        return frames;
    }

    public static (List<Captured> Frames, IReadOnlyList<CaptureProblem> Problems, long Unread) Read(byte[] capture)
    {
        using var source = Source(capture);
        var frames = All(source);
        return (frames, source.Problems, source.Statistics.UnreadBytes);
    }

    public static CaptureFile Source(byte[] capture, int piece = int.MaxValue) => CaptureFile.Open(new PieceStream(capture, piece), "test");
}

/// <summary>A pipe that gives at most so many bytes per read.</summary>
internal sealed class PieceStream(byte[] bytes, int piece) : Stream
{
    private int _at;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        var read = Math.Min(Math.Min(count, piece), bytes.Length - _at);
        bytes.AsSpan(_at, read).CopyTo(buffer.AsSpan(offset));
        _at += read;
        return read;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}

/// <summary>A file that is deleted at the end of the test.</summary>
internal sealed class TemporaryFile : IDisposable
{
    public TemporaryFile(byte[] content) => File.WriteAllBytes(Path, content);

    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"iotguard-{Guid.NewGuid():N}");

    public void Dispose() => File.Delete(Path);
}
