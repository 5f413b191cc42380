using System.IO.Compression;
using IoTGuard.Capture.Files;
using IoTGuard.Wire;

namespace IoTGuard.Capture;

/// <summary>
/// A capture in a file or a pipe: pcap or pcapng, plain or gzip. Frames stay in the buffers they were read into: nothing is copied or allocated per
/// frame, and memory does not grow with the length of the capture. What is damaged is in <see cref="Problems"/>, and reading goes as far as it can.
/// One thread reads; batches may be released on any.
/// </summary>
public sealed class CaptureFile : IFrameSource
{
    /// <summary>The name that stands for standard input.</summary>
    public const string StandardInput = "-";

    private static readonly Action<FrameBatch> ReleaseWindow = static batch => ((Window)batch.OwnerState!).Release();

    private readonly ByteInput _input;
    private readonly CaptureFormat _format;
    private readonly ProblemLog _problems;
    private long _frames;
    private long _unread;
    private bool _ended;

    private CaptureFile(ByteInput input, CaptureFormat format, ProblemLog problems)
    {
        _input = input;
        _format = format;
        _problems = problems;
    }

    /// <summary>Opens a capture by its path; <c>-</c> is standard input. A pipe is waited for until it says what it is.</summary>
    /// <exception cref="CaptureException">It cannot be opened, or is not a capture.</exception>
    public static CaptureFile Open(string path)
    {
        if (path != StandardInput)
            return Open(OpenInput(path), path);
        if (!Console.IsInputRedirected)
            throw new CaptureException("standard input", "is a terminal", "pipe a capture into it, as in: tcpdump -i IF -w - | iotguard analyze -");
        return Open(Console.OpenStandardInput(), "standard input");
    }

    /// <summary>Reads a capture from a stream, promptly; the stream is owned from here on.</summary>
    /// <exception cref="CaptureException">It is not a capture.</exception>
    public static CaptureFile Open(Stream stream, string name) => Open(new StreamInput(stream, prompt: true), name);

    internal static CaptureFile Open(ByteInput input, string name)
    {
        try
        {
            var problems = new ProblemLog(name);
            var start = Peek(input);
            if (Signature.IsGzip(start))
            {
                input = new StreamInput(new GZipStream(new UnreadStream(input), CompressionMode.Decompress), prompt: input.Progress is null, packed: input);
                start = Peek(input);
            }

            var format = Signature.FormatOf(start, problems)
                ?? throw new CaptureException(name, $"is not a capture but {Signature.Describe(start)}", "give a pcap or pcapng file, plain or gzip");
            return new CaptureFile(input, format, problems);
        }
        catch (Exception e) when (e is InvalidDataException or (IOException and not CaptureException))
        {
            input.Dispose();
            throw new CaptureException(name, $"cannot be read ({e.Message})", "check the file and the disk");
        }
        catch
        {
            input.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public CaptureStatistics Statistics => new(_frames, _format.Bytes, KernelDrops: 0, _unread + _format.DamagedBytes);

    /// <inheritdoc/>
    public IReadOnlyList<CaptureProblem> Problems => _problems.Items;

    /// <inheritdoc/>
    public double? Progress => _input.Progress;

    /// <inheritdoc/>
    public bool Read(FrameBatch batch)
    {
        if (_ended)
            return false;
        while (true)
        {
            var window = _input.Window;
            batch.Reset(window.Memory, ReleaseWindow);
            var position = _input.Position;
            var end = _format.Walk(window, ref position, batch);
            _input.Position = position;
            if (batch.Count > 0)
            {
                window.Retain();
                batch.OwnerState = window;
                batch.FirstFrame = _frames;
                _frames += batch.Count;
                return true;
            }

            if (end == WalkEnd.Broken)
                return End(batch, _format.Fault);
            try
            {
                if (!_input.Extend())
                    return End(batch, EndReason());
            }
            catch (Exception e) when (e is IOException or InvalidDataException)
            {
                return End(batch, $"cannot be read further ({e.Message})");
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ended = true;
        _input.Dispose();
    }

    private bool End(FrameBatch batch, string? reason)
    {
        _ended = true;
        batch.Reset(default, null);
        if (reason is not null)
        {
            _unread = _input.Remaining;
            // Bytes to be skipped that are not there do not count.
            _problems.Add(Math.Min(_input.Offset, _input.Window.Offset + _input.Window.Length), reason);
        }

        return false;
    }

    /// <summary>Why an input that has no more bytes is not complete; null when it is.</summary>
    private string? EndReason()
    {
        var unread = _input.Window.Length - _input.Position;
        return unread switch
        {
            > 0 => $"ends inside a {_format.RecordName}, {unread} bytes after its start",
            < 0 => $"ends {-unread} bytes before the end of a {_format.RecordName}",
            _ => null,
        };
    }

    private static ReadOnlySpan<byte> Peek(ByteInput input)
    {
        while (input.Window.Length < Signature.Length && input.Extend())
        {
        }

        return input.Window.Memory.Span[..Math.Min(input.Window.Length, Signature.Length)];
    }

    private static ByteInput OpenInput(string path)
    {
        if (Directory.Exists(path))
            throw new CaptureException(path, "is a directory", "give the capture files in it");
        try
        {
            var file = File.OpenHandle(path, options: FileOptions.SequentialScan, share: FileShare.ReadWrite | FileShare.Delete);
            var stream = new FileStream(file, FileAccess.Read, bufferSize: 0);
            return stream.CanSeek ? new FileInput(file) : new StreamInput(stream, prompt: true);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CaptureException(path, "does not exist", "check the path");
        }
        catch (UnauthorizedAccessException)
        {
            throw new CaptureException(path, "may not be read by this user", "ask its owner for read permission, or run as a user who has it");
        }
        catch (Exception e) when (e is IOException or ArgumentException or NotSupportedException)
        {
            throw new CaptureException(path, $"cannot be opened ({e.Message})", "check the path and the disk");
        }
    }
}
