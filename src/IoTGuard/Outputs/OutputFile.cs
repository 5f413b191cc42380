using System.Buffers;
using System.Globalization;
using System.IO.Compression;

namespace IoTGuard.Outputs;

/// <summary>
/// A file (or standard output) that lines are written to; gzip when its name ends in .gz: one member (RFC 1952, 2.2), or, where it is appended to, a whole one with each
/// write. When the medium fails (disk full, pipe closed) the run goes on. A file that is appended to is then tried again with growing pauses: lines wait in
/// memory, <see cref="FlushBytes"/> at most, and it holds whole lines and members only. What finds no room, and everything that fails elsewhere, is lost and counted.
/// </summary>
internal sealed class OutputFile : IDisposable
{
    /// <summary>Bytes gathered before they are written, and the most that wait for a file that takes nothing.</summary>
    private const int FlushBytes = 256 * 1024;

    /// <summary>Pauses between two attempts, milliseconds.</summary>
    private const int FirstPause = 1000, LongestPause = 30_000;

    private readonly Stream _stream;
    private readonly MemoryStream? _member;
    private readonly Action<string>? _notice;
    private readonly ArrayBufferWriter<byte> _buffer = new(FlushBytes + 4096);
    private long _pendingLines;
    private long _written;
    private long _lost;
    private long _retries;
    private long _lostBefore;
    private long _nextAttempt;
    private int _pause = FirstPause;

    private OutputFile(string name, Stream stream, Action<string>? notice, bool isMembers = false)
    {
        _member = isMembers ? new MemoryStream() : null;
        Name = name;
        _stream = stream;
        _notice = notice;
    }

    /// <summary>Name of standard output.</summary>
    public const string StandardOutput = "standard output";

    /// <summary>Path as given, or <see cref="StandardOutput"/>.</summary>
    public string Name { get; }

    /// <summary>Lines written.</summary>
    public long Lines => Interlocked.Read(ref _written);

    /// <summary>Lines that wait to be written.</summary>
    public long WaitingLines => Volatile.Read(ref _pendingLines);

    /// <summary>Lines that could not be written.</summary>
    public long LostLines => Interlocked.Read(ref _lost);

    /// <summary>Why a line was lost last; null when none was.</summary>
    public string? LossReason { get; private set; }

    /// <summary>Attempts after a failure.</summary>
    public long Retries => Interlocked.Read(ref _retries);

    /// <summary>Why it takes nothing now; null when it does.</summary>
    public string? Failure { get; private set; }

    /// <summary>Only of a file that is written behind its end can be taken back what a failure cut off.</summary>
    private bool IsRetried => _notice is not null && _stream.CanSeek;

    /// <summary>Where the next line goes; finish it with <see cref="EndLine"/>.</summary>
    public ArrayBufferWriter<byte> Buffer => _buffer;

    /// <summary>Creates or truncates the file; <c>-</c> is standard output.</summary>
    public static OutputFile Create(string path) => Open(path, FileMode.Create, notice: null);

    /// <summary>Opens the file to write behind what is there, creating it when it is missing; <c>-</c> is standard output.</summary>
    /// <param name="path">The file.</param>
    /// <param name="notice">Told in a sentence when the file takes nothing, and when it does again.</param>
    public static OutputFile Append(string path, Action<string> notice) => Open(path, FileMode.OpenOrCreate, notice);

    private static OutputFile Open(string path, FileMode mode, Action<string>? notice)
    {
        if (path == "-")
            return new OutputFile(StandardOutput, Console.OpenStandardOutput(), notice);
        try
        {
            var file = new FileStream(path, mode, FileAccess.Write, FileShare.Read, bufferSize: 0);
            file.Position = file.Length;
            var isGzip = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase);
            if (isGzip && notice is null)
                return new OutputFile(path, new GZipStream(file, CompressionLevel.Fastest), notice);
            var output = new OutputFile(path, file, notice, isGzip);
            if (!isGzip && file.Length > 0 && !EndsLine(path))
                output._buffer.Write("\n"u8);
            return output;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new UserException(ExitStatus.Unusable, $"cannot write {path}: {Reason(e)}; name a file in a folder that exists and that you may write to", e);
        }
    }

    /// <summary>False when a crash left a line without its end.</summary>
    private static bool EndsLine(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        file.Position = file.Length - 1;
        return file.ReadByte() is '\n';
    }

    /// <summary>Ends the line that was put into <see cref="Buffer"/>.</summary>
    public void EndLine()
    {
        _buffer.Write("\n"u8);
        _pendingLines++;
        if (_buffer.WrittenCount >= FlushBytes)
            Flush();
    }

    /// <summary>Writes what was gathered; after a failure only once its pause is over.</summary>
    public void Flush()
    {
        if (_pendingLines > 0 && (Failure is null || (IsRetried && Environment.TickCount64 >= _nextAttempt)))
            Write();
        if (Failure is not null && (!IsRetried || _buffer.WrittenCount >= FlushBytes))
            GiveUp();
    }

    /// <summary>Takes over the lines that wait for the same file as it was opened before, which may have grown since this was opened.</summary>
    public void TakeOver(OutputFile before)
    {
        if (_stream.CanSeek)
            _stream.Position = _stream.Length;

        // All that it wrote were whole lines, whatever was seen of them when this was opened.
        _buffer.ResetWrittenCount();
        _buffer.Write(before._buffer.WrittenSpan);
        _pendingLines += before._pendingLines;
        before.Clear();
    }

    /// <summary>A last attempt; what waits after it is lost.</summary>
    public void Complete()
    {
        _nextAttempt = 0;
        Flush();
        GiveUp();
    }

    public void Dispose()
    {
        Complete();
        try
        {
            _stream.Dispose();
        }
        catch (IOException e)
        {
            LossReason ??= Reason(e);
        }
    }

    private void Write()
    {
        if (Failure is not null)
            Interlocked.Increment(ref _retries);
        var end = 0L;
        try
        {
            // Somebody may have emptied the file, to make room for example.
            if (IsRetried)
                _stream.Position = end = Math.Min(_stream.Position, _stream.Length);
            _stream.Write(_member is null ? _buffer.WrittenSpan : Compress(_member));
            _stream.Flush();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            Fail(Reason(e), end);
            return;
        }

        Interlocked.Add(ref _written, _pendingLines);
        Clear();
        if (Failure is null)
            return;
        Failure = null;
        _pause = FirstPause;
        _notice?.Invoke(string.Create(CultureInfo.InvariantCulture, $"{Name} takes lines again; {LostLines - _lostBefore:N0} were lost meanwhile"));
    }

    private ReadOnlySpan<byte> Compress(MemoryStream member)
    {
        member.SetLength(0);
        using (var gzip = new GZipStream(member, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(_buffer.WrittenSpan);
        return member.GetBuffer().AsSpan(0, (int)member.Length);
    }

    private void Fail(string reason, long end)
    {
        if (Failure is null)
        {
            _lostBefore = LostLines;
            _notice?.Invoke($"{Name} takes no lines: {reason}; {(IsRetried ? "what it does not take is counted as lost, and it is tried again" : "they are lost from now on")}");
        }

        Failure = reason;
        if (!IsRetried)
            return;
        _nextAttempt = Environment.TickCount64 + _pause;
        _pause = Math.Min(2 * _pause, LongestPause);
        try
        {
            _stream.SetLength(end);
        }
        catch (IOException)
        {
            // What is cut is then the reader's to see.
        }
    }

    private void GiveUp()
    {
        if (_pendingLines > 0)
            LossReason = Failure;
        Interlocked.Add(ref _lost, _pendingLines);
        Clear();
    }

    private void Clear()
    {
        _pendingLines = 0;
        _buffer.ResetWrittenCount();
    }

    private static string Reason(Exception e) => e switch
    {
        DirectoryNotFoundException => "the folder does not exist",
        UnauthorizedAccessException => "permission denied, or it is a folder",
        // The runtime puts the path behind it, which whoever tells the reason names already.
        _ => e.Message.Split(" : '")[0].TrimEnd('.'),
    };
}
