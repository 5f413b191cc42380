using System.Runtime.InteropServices;
using IoTGuard.Outputs;
using IoTGuard.Service;
using IoTGuard.Settings;

namespace IoTGuard.Pipeline;

/// <summary>
/// Reads the configuration again at SIGHUP, and the models as soon as others are chosen, on a thread of its own; capture and detection go on meanwhile.
/// What cannot be used is refused with its reason, and the old configuration stays. The detector's thread takes what is ready between two events.
/// </summary>
internal sealed class SensorReload : IDisposable
{
    /// <summary>How often the choice of models is looked at.</summary>
    private static readonly TimeSpan ModelsInterval = TimeSpan.FromSeconds(2);

    private readonly SettingSources _sources;
    private readonly PosixSignalRegistration? _registration;
    private readonly AutoResetEvent _wanted = new(initialState: false);
    private readonly Thread _thread;
    private SensorConfiguration _current;
    private Fresh? _ready;
    private string? _refusal;
    private volatile bool _ended;
    private long _done;
    private long _refused;

    public SensorReload(SettingSources sources, SensorConfiguration current)
    {
        _sources = sources;
        _current = current;
        _thread = new Thread(Work) { Name = "reload", IsBackground = true };
        _thread.Start();
        if (OperatingSystem.IsWindows())
            return;
        _registration = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
        {
            context.Cancel = true;
            _wanted.Set();
        });
    }

    /// <summary>A configuration that was read and can be used.</summary>
    /// <param name="Configuration">The configuration.</param>
    /// <param name="Outputs">Its receivers and files, open; null when those in force stay.</param>
    public sealed record Fresh(SensorConfiguration Configuration, OutputSet? Outputs);

    /// <summary>Reloads that were put into force, and those that were refused.</summary>
    public (long Done, long Refused) Count => (Interlocked.Read(ref _done), Interlocked.Read(ref _refused));

    /// <summary>The configuration that waits to be put into force; null when there is none.</summary>
    public Fresh? Take() => Volatile.Read(ref _ready) is null ? null : Interlocked.Exchange(ref _ready, null);

    public void Dispose()
    {
        _registration?.Dispose();
        _ended = true;
        _wanted.Set();
        _thread.Join();
        _wanted.Dispose();
        Take()?.Outputs?.Dispose();
    }

    private void Work()
    {
        while (true)
        {
            var isAsked = _wanted.WaitOne(ModelsInterval);
            if (_ended)
                return;
            if (!isAsked)
            {
                TakeModels();
                continue;
            }

            ServiceManager.IsReloading();
            Reload();
            ServiceManager.IsReady();
        }
    }

    private void Reload()
    {
        try
        {
            var next = SensorConfiguration.Load(_sources, _current);
            var outputs = OutputSet.Open(next.Settings);
            var changes = next.Changes(_current).ToList();
            _current = next;
            Interlocked.Exchange(ref _ready, new Fresh(next, outputs))?.Outputs?.Dispose();
            Interlocked.Increment(ref _done);
            ServiceLog.Write("configuration reloaded" + (changes.Count == 0 ? "; nothing in it has changed, files were opened again" : ": " + string.Join("; ", changes)));
        }
        catch (UserException e)
        {
            Interlocked.Increment(ref _refused);
            ServiceLog.Write($"the new configuration is refused and the old one stays in force: {e.Message}");
        }
    }

    /// <summary>Puts other models into force when others were chosen. A choice that cannot be used is refused once.</summary>
    private void TakeModels()
    {
        try
        {
            if (_current.WithModelsChosenSince() is { } next)
            {
                _current = next;
                Volatile.Write(ref _ready, new Fresh(next, Take()?.Outputs));
                ServiceLog.Write($"models: {next.Choice}");
            }

            _refusal = null;
        }
        catch (UserException e)
        {
            if (e.Message != _refusal)
                ServiceLog.Write($"the models that were chosen are refused and the old ones stay: {e.Message}");
            _refusal = e.Message;
        }
    }
}
