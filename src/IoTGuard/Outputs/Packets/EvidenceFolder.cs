using System.Buffers;
using System.Collections.Concurrent;
using System.Text.RegularExpressions;

namespace IoTGuard.Outputs.Packets;

/// <summary>
/// The folder of evidence (mode 0750, files 0640): one thread writes what waits in a bounded queue. When all files together exceed the budget, the oldest
/// are deleted, those that are still written excepted; a live sensor also deletes files by their age.
/// </summary>
internal sealed partial class EvidenceFolder : IDisposable
{
    /// <summary>Blocks that wait for the disk.</summary>
    private const int QueueLength = 256;

    /// <summary>How often a live sensor looks at ages and sizes.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly EvidenceSettings _settings;
    private readonly string _path;
    private readonly bool _isLive;
    private readonly BlockingCollection<(string Name, ArrayBufferWriter<byte> Block, bool IsFirst, bool IsLast)> _queue = new(QueueLength);
    private readonly HashSet<string> _writing = new(StringComparer.Ordinal);
    private readonly Thread _thread;
    private long _lost;
    private long _sinceTidied;
    private long _tidiedAt = Environment.TickCount64;
    private volatile string? _failure;

    public EvidenceFolder(EvidenceSettings settings, bool isLive)
    {
        (_settings, _path, _isLive) = (settings, settings.Directory!, isLive);
        try
        {
            if (OperatingSystem.IsWindows())
                Directory.CreateDirectory(_path);
            else
                Directory.CreateDirectory(_path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute);
            // A folder that may not be written is found now, not with the first alert.
            var probe = Path.Combine(_path, ".probe");
            File.WriteAllBytes(probe, []);
            File.Delete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException(ExitStatus.Unusable, $"cannot write evidence to {_path}: {e.Message.TrimEnd('.')}; name a folder that you may write to", e);
        }

        _thread = new Thread(Work) { Name = "evidence", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Blocks of packets that could not be written.</summary>
    public long Lost => Interlocked.Read(ref _lost);

    /// <summary>Why the first of them was lost; null when none was.</summary>
    public string? Failure => _failure;

    /// <summary>Appends to a file. A live sensor never waits; over a capture the disk sets the pace.</summary>
    /// <param name="name">Name of the file.</param>
    /// <param name="block">Whole blocks; not touched by the caller afterwards.</param>
    /// <param name="isFirst">The block begins the file.</param>
    /// <param name="isLast">Nothing follows.</param>
    public void Write(string name, ArrayBufferWriter<byte> block, bool isFirst, bool isLast)
    {
        if (!_isLive)
        {
            _queue.Add((name, block, isFirst, isLast));
        }
        else if (!_queue.TryAdd((name, block, isFirst, isLast)))
        {
            _failure ??= "the disk was too slow";
            Interlocked.Increment(ref _lost);
        }
    }

    /// <summary>Names of the files: other captures in the folder are left alone.</summary>
    [GeneratedRegex(@"^\d{8}T\d{6}Z-.+-[0-9a-f]{32}\.pcapng$", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex OwnName();

    /// <summary>Waits until all is written.</summary>
    public void Complete()
    {
        if (_queue.IsAddingCompleted)
            return;
        _queue.CompleteAdding();
        _thread.Join();
    }

    public void Dispose()
    {
        Complete();
        _queue.Dispose();
    }

    private void Work()
    {
        Tidy();
        while (!_queue.IsCompleted)
        {
            if (_queue.TryTake(out var item, Interval))
                Append(item.Name, item.Block, item.IsFirst, item.IsLast);
            if (_sinceTidied > Budget / 16 || (_isLive && Environment.TickCount64 - _tidiedAt > Interval.TotalMilliseconds))
                Tidy();
        }

        Tidy();
    }

    private long Budget => (long)_settings.TotalMegabytes << 20;

    private void Append(string name, ArrayBufferWriter<byte> block, bool isFirst, bool isLast)
    {
        try
        {
            if (!isFirst && !_writing.Contains(name))
                throw new IOException("the beginning of a file was lost");
            // A run over the same capture writes the same file anew.
            var options = new FileStreamOptions { Mode = isFirst && !_isLive ? FileMode.Create : FileMode.Append, Access = FileAccess.Write, BufferSize = 0 };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
            using var file = new FileStream(Path.Combine(_path, name), options);
            var before = file.Length;
            try
            {
                file.Write(block.WrittenSpan);
                _writing.Add(name);
                _sinceTidied += block.WrittenCount;
            }
            catch (IOException)
            {
                // Whole blocks only, so that the file can be read.
                file.SetLength(before);
                throw;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _failure ??= e.Message.TrimEnd('.');
            Interlocked.Increment(ref _lost);
        }

        if (isLast)
            _writing.Remove(name);
    }

    /// <summary>Deletes the oldest files until all fit, and files that are too old. Names begin with the time of their alert.</summary>
    private void Tidy()
    {
        (_sinceTidied, _tidiedAt) = (0, Environment.TickCount64);
        try
        {
            var files = new DirectoryInfo(_path).GetFiles("*.pcapng").Where(static f => OwnName().IsMatch(f.Name)).OrderBy(static f => f.Name, StringComparer.Ordinal).ToList();
            var total = files.Sum(static f => f.Length);
            foreach (var file in files)
            {
                var isOld = _isLive && _settings.Days > 0 && DateTime.UtcNow - file.LastWriteTimeUtc > TimeSpan.FromDays(_settings.Days);
                if ((total <= Budget && !isOld) || _writing.Contains(file.Name))
                    continue;
                total -= file.Length;
                file.Delete();
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _failure ??= e.Message.TrimEnd('.');
        }
    }
}
