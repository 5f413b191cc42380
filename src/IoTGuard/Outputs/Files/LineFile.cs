using IoTGuard.Outputs.Delivery;

namespace IoTGuard.Outputs.Files;

/// <summary>
/// A line per message, appended to a file (mode 0640). A line is settled once it is on the disk. What a full disk cut off is taken back, so that the file
/// holds whole lines only; a file that was moved away or emptied is opened anew.
/// </summary>
internal sealed class LineFile(string path) : OutputTransport
{
    private FileStream? _file;
    private long _end;
    private int _unsettled;

    public override int Accepted => _unsettled;

    public override Task SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellation)
    {
        Writing(() =>
        {
            if (_file is not null && (!File.Exists(path) || new FileInfo(path).Length < _end))
                Close();
            _file ??= Open();
            _file.Write(message.Span);
            _file.Write("\n"u8);
            _end = _file.Position;
        });
        _unsettled++;
        return Task.CompletedTask;
    }

    public override int TakeSettled()
    {
        if (_unsettled == 0)
            return 0;
        Writing(() => _file!.Flush(flushToDisk: true));
        var settled = _unsettled;
        _unsettled = 0;
        return settled;
    }

    public override Task FinishAsync(CancellationToken cancellation) => Task.CompletedTask;

    public override void Reset()
    {
        try
        {
            if (_file is not null && _file.Length > _end)
                _file.SetLength(_end);
        }
        catch (IOException)
        {
            // What is cut is then the next reader's to see; a line end follows before the next message.
        }

        Close();
        _unsettled = 0;
    }

    private FileStream Open()
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
        var file = new FileStream(path, options);
        _end = file.Length;
        if (_end > 0)
        {
            // A crash may have left a line without its end.
            file.Position = _end - 1;
            if (file.ReadByte() != '\n')
                file.Write("\n"u8);
            _end = file.Position;
        }

        return file;
    }

    private void Close()
    {
        _file?.Dispose();
        _file = null;
    }

    private static void Writing(Action write)
    {
        try
        {
            write();
        }
        catch (DirectoryNotFoundException e)
        {
            throw new DeliveryException("the folder does not exist", inner: e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new DeliveryException("permission denied, or it is a folder", inner: e);
        }
        catch (IOException e)
        {
            throw new DeliveryException(e.Message.TrimEnd('.'), inner: e);
        }
    }
}
