using Microsoft.Win32.SafeHandles;

namespace IoTGuard.Capture.Files;

/// <summary>
/// A regular file, read in buffers of <see cref="CaptureLimits.BufferBytes"/>. Reading beats mapping here: from the page cache it takes less than half the
/// time of any mapping, windowed or whole, populated or not, since setting up page tables costs more than copying into memory that is
/// already in the cache of the processor. And a file that somebody shortens meanwhile just ends, where a mapping would end the process.
/// </summary>
internal sealed class FileInput(SafeFileHandle file) : ByteInput
{
    private long _length = RandomAccess.GetLength(file);

    public override long Remaining => Math.Max(0, _length - Offset);

    public override double? Progress => _length == 0 ? 1 : Math.Min(1, (double)Offset / _length);

    public override bool Extend()
    {
        var window = Window as BufferWindow;
        if (window is null || Position > window.Length || window.Length == window.Buffer.Length)
            window = Carry();
        var before = window.Length;
        while (window.Length < window.Buffer.Length)
        {
            var read = RandomAccess.Read(file, window.Buffer.AsSpan(window.Length), window.Offset + window.Length);
            if (read == 0)
                break;
            window.Length += read;
        }

        if (window.Length > before)
            return true;
        // The file may have grown or shrunk since it was opened.
        _length = RandomAccess.GetLength(file);
        return false;
    }

    protected override void Close() => file.Dispose();
}
