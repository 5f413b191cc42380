using System.IO.Compression;
using IoTGuard.Capture.Files;
using IoTGuard.Wire;

namespace IoTGuard.Capture;

/// <summary>
/// A capture in a file or a pipe: pcap or pcapng, plain or gzip. Frames stay in the buffers they were read into: nothing is copied or allocated per
/// frame, and memory does not grow with the length of the capture. What is damaged is in <see cref="Problems"/>, and reading goes as far as it can.
/// A file takes memory and a descriptor only between its first frame and its last, so that thousands of them can be merged.
/// One thread reads; batches may be released on any.
/// </summary>
public sealed class CaptureFile : IFrameSource
{
    /// <summary>The name that stands for standard input.</summary>
    public const string StandardInput = "-";

    private static readonly Action<FrameBatch> ReleaseWindow = static batch => ((Window)batch.OwnerState!).Release();

    private readonly string _name;
    private readonly ProblemLog _problems;
    private ByteInput? _input;
    private CaptureFormat? _format;
    private long _frames;
    private long _unread;
    private bool _ended;

    private CaptureFile(string name)
    {
        _name = name;
        _problems = new ProblemLog(name);
    }

    /// <summary>Opens a capture by its path; <c>-</c> is standard input. A pipe is waited for until it says what it is.</summary>
    /// <exception cref="CaptureException">It cannot be opened, or is not a capture.</exception>
    public static CaptureFile Open(string path)
    {
        if (path == StandardInput)
        {
            return Console.IsInputRedirected
                ? Open(Console.OpenStandardInput(), "standard input")
                : throw new CaptureException("standard input", "is a terminal", "pipe a capture into it, as in: tcpdump -i IF -w - | iotguard analyze -");
        }

        var capture = new CaptureFile(path);
        var input = OpenInput(path);
        capture.Recognise(input);
        if (input is FileInput)
            capture.Sleep();
        return capture;
    }

    /// <summary>Reads a capture from a stream, promptly; the stream is owned from here on.</summary>
    /// <exception cref="CaptureException">It is not a capture.</exception>
    public static CaptureFile Open(Stream stream, string name)
    {
        var capture = new CaptureFile(name);
        capture.Recognise(new StreamInput(stream, prompt: true));
        return capture;
    }

    /// <inheritdoc/>
    public CaptureStatistics Statistics => new(_frames, _format?.Bytes ?? 0, KernelDrops: 0, _unread + (_format?.DamagedBytes ?? 0));

    /// <inheritdoc/>
    public IReadOnlyList<CaptureProblem> Problems => _problems.Items;

    /// <inheritdoc/>
    public double? Progress => _ended ? 1 : IsAsleep ? 0 : _input!.Progress;

    /// <summary>True for a file before its first frame is read.</summary>
    private bool IsAsleep => _input is null && !_ended;

    /// <inheritdoc/>
    public bool Read(FrameBatch batch)
    {
        batch.Reset(default, null);
        if (_ended || (IsAsleep && !WakeUp()))
            return false;
        var (input, format) = (_input!, _format!);
        while (true)
        {
            var window = input.Window;
            batch.Reset(window.Memory, ReleaseWindow);
            var position = input.Position;
            var end = format.Walk(window, ref position, batch);
            input.Position = position;
            if (batch.Count > 0)
            {
                window.Retain();
                batch.OwnerState = window;
                batch.FirstFrame = _frames;
                _frames += batch.Count;
                return true;
            }

            if (end == WalkEnd.Broken)
                return End(batch, format.Fault);
            try
            {
                if (!input.Extend())
                    return End(batch, EndReason(input, format));
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
        Sleep();
    }

    /// <summary>Time of the first frame of a file that is asleep, nanoseconds; null when it has none, or is awake. It stays asleep.</summary>
    internal long? PeekTimeNs(FrameBatch scratch)
    {
        if (!IsAsleep)
            return null;
        using var other = new CaptureFile(_name);
        if (!other.Read(scratch))
            return null;
        var time = scratch.Frames[0].TimeNs;
        scratch.Release();
        return time;
    }

    private void Sleep()
    {
        _input?.Dispose();
        _input = null;
    }

    private bool WakeUp()
    {
        try
        {
            Recognise(OpenInput(_name));
            return true;
        }
        catch (CaptureException refusal)
        {
            _problems.Add(0, refusal.Reason);
            _ended = true;
            return false;
        }
    }

    private void Recognise(ByteInput input)
    {
        try
        {
            var start = Peek(input);
            if (Signature.IsGzip(start))
            {
                input = new StreamInput(new GZipStream(new UnreadStream(input), CompressionMode.Decompress), prompt: input.Progress is null, packed: input);
                start = Peek(input);
            }

            _format = Signature.FormatOf(start, _problems)
                ?? throw new CaptureException(_name, $"is not a capture but {Signature.Describe(start)}", "give a pcap or pcapng file, plain or gzip");
            _input = input;
        }
        catch (Exception e) when (e is InvalidDataException or (IOException and not CaptureException))
        {
            input.Dispose();
            throw new CaptureException(_name, $"cannot be read ({e.Message})", "check the file and the disk");
        }
        catch
        {
            input.Dispose();
            throw;
        }
    }

    private bool End(FrameBatch batch, string? reason)
    {
        batch.Reset(default, null);
        var input = _input!;
        if (reason is not null)
        {
            _unread = input.Remaining;
            // Bytes to be skipped that are not there do not count.
            _problems.Add(Math.Min(input.Offset, input.Window.Offset + input.Window.Length), reason);
        }

        Dispose();
        return false;
    }

    /// <summary>Why an input that has no more bytes is not complete; null when it is.</summary>
    private static string? EndReason(ByteInput input, CaptureFormat format) => (input.Window.Length - input.Position) switch
    {
        > 0 and var unread => $"ends inside a {format.RecordName}, {unread} bytes after its start",
        < 0 and var missing => $"ends {-missing} bytes before the end of a {format.RecordName}",
        _ => null,
    };

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
