using System.Globalization;
using IoTGuard.Outputs.Delivery;

namespace IoTGuard.Outputs.Pandora;

/// <summary>
/// The incoming directory of a Pandora FMS data server: a file per message, <c>NAME.DIGITS.data</c>, which appears whole by renaming. A message is settled once its
/// file is there. While too many files wait, Pandora is taken not to read them, and nothing is added.
/// </summary>
internal sealed class PandoraDirectory(string folder) : OutputTransport
{
    /// <summary>Files that may wait for Pandora, its own agents' among them.</summary>
    public const int MaximumFiles = 10_000;

    /// <summary>Files are counted every so many messages: counting costs a walk.</summary>
    private const int CountEvery = 64;

    private readonly string _name = $"iotguard-{Environment.MachineName}";
    private long _number = DateTime.UtcNow.Ticks;
    private int _sinceCounted = CountEvery;
    private int _settled;

    public override int Accepted => 0;

    public override Task SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellation)
    {
        try
        {
            if (++_sinceCounted > CountEvery)
            {
                if (Directory.EnumerateFiles(folder, "*.data").Take(MaximumFiles).Count() >= MaximumFiles)
                    throw new DeliveryException(string.Create(CultureInfo.InvariantCulture, $"{MaximumFiles:N0} files wait in {folder}, and Pandora takes none"));
                _sinceCounted = 0;
            }

            _number = Math.Max(_number + 1, DateTime.UtcNow.Ticks);
            var path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{_name}.{_number}.data"));
            var fresh = path + ".new";
            var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, BufferSize = 0 };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;
            using (var file = new FileStream(fresh, options))
            {
                file.Write(message.Span);
                file.Flush(flushToDisk: true);
            }

            File.Move(fresh, path);
            _settled++;
            return Task.CompletedTask;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DeliveryException(e is DirectoryNotFoundException ? $"the folder {folder} does not exist" : e.Message.TrimEnd('.'), inner: e);
        }
    }

    public override int TakeSettled()
    {
        var settled = _settled;
        _settled = 0;
        return settled;
    }

    public override Task FinishAsync(CancellationToken cancellation) => Task.CompletedTask;

    public override void Reset() => _settled = 0;
}
