namespace IoTGuard.Capture.Files;

/// <summary>The bytes of an input from where it stands, as a stream for a decompressor.</summary>
internal sealed class UnreadStream(ByteInput input) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        if (input.Position >= input.Window.Length && !input.Extend())
            return 0;
        var count = Math.Min(buffer.Length, input.Window.Length - input.Position);
        input.Window.Memory.Span.Slice(input.Position, count).CopyTo(buffer);
        input.Position += count;
        return count;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
