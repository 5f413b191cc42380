using System.Buffers;
using System.IO.Compression;

namespace IoTGuard.Outputs;

/// <summary>
/// A file (or standard output) that lines are written to; gzip when its name ends in .gz. When the medium fails (disk full, pipe closed) it says so once, counts what
/// is lost from then on, and the run goes on.
/// </summary>
internal sealed class OutputFile : IDisposable
{
    /// <summary>Bytes gathered before they are written.</summary>
    private const int FlushBytes = 256 * 1024;

    private readonly Stream _stream;
    private readonly ArrayBufferWriter<byte> _buffer = new(FlushBytes + 4096);
    private long _pendingLines;

    private OutputFile(string name, Stream stream)
    {
        Name = name;
        _stream = stream;
    }

    /// <summary>Name of standard output.</summary>
    public const string StandardOutput = "standard output";

    /// <summary>Path as given, or <see cref="StandardOutput"/>.</summary>
    public string Name { get; }

    /// <summary>Lines that could not be written.</summary>
    public long LostLines { get; private set; }

    /// <summary>Why the first of them was lost; null when none was.</summary>
    public string? LossReason { get; private set; }

    /// <summary>Where the next line goes; finish it with <see cref="EndLine"/>.</summary>
    public ArrayBufferWriter<byte> Buffer => _buffer;

    /// <summary>Creates or truncates the file; <c>-</c> is standard output.</summary>
    public static OutputFile Create(string path) => Open(path, FileMode.Create);

    /// <summary>Opens the file to write behind what is there, creating it when it is missing; <c>-</c> is standard output.</summary>
    public static OutputFile Append(string path) => Open(path, FileMode.Append);

    private static OutputFile Open(string path, FileMode mode)
    {
        if (path == "-")
            return new OutputFile(StandardOutput, Console.OpenStandardOutput());
        try
        {
            var file = new FileStream(path, mode, FileAccess.Write, FileShare.Read, bufferSize: 0);
            return new OutputFile(path, path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(file, CompressionLevel.Fastest) : file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new UserException(ExitStatus.Unusable, $"cannot write {path}: {Reason(e)}; name a file in a folder that exists and that you may write to", e);
        }
    }

    /// <summary>Ends the line that was put into <see cref="Buffer"/>.</summary>
    public void EndLine()
    {
        _buffer.Write("\n"u8);
        _pendingLines++;
        if (_buffer.WrittenCount >= FlushBytes)
            Flush();
    }

    public void Flush()
    {
        if (_pendingLines == 0)
            return;
        if (LossReason is null)
        {
            try
            {
                _stream.Write(_buffer.WrittenSpan);
                _stream.Flush();
                _pendingLines = 0;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
            {
                LossReason = Reason(e);
            }
        }

        LostLines += _pendingLines;
        _pendingLines = 0;
        _buffer.ResetWrittenCount();
    }

    public void Dispose()
    {
        Flush();
        try
        {
            _stream.Dispose();
        }
        catch (IOException e)
        {
            LossReason ??= Reason(e);
        }
    }

    private static string Reason(Exception e) => e switch
    {
        DirectoryNotFoundException => "the folder does not exist",
        UnauthorizedAccessException => "permission denied, or it is a folder",
        _ => e.Message.TrimEnd('.'),
    };
}
