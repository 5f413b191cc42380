using IoTGuard.Analysis.Alerts;
using IoTGuard.Outputs.Files;
using IoTGuard.Outputs.Formats;
using IoTGuard.Outputs.Pandora;
using IoTGuard.Outputs.Syslog;
using IoTGuard.Settings;

namespace IoTGuard.Outputs.Delivery;

/// <summary>A message and the output that it is for.</summary>
internal readonly record struct AddressedMessage(AlertOutput Output, OutgoingMessage Message);

/// <summary>All outputs of a run.</summary>
internal sealed class AlertOutputs : IDisposable
{
    /// <summary>Messages that wait in memory for one output; a site's journal keeps more.</summary>
    public const int WindowMessages = 8192;

    /// <summary>Bytes of messages that wait in memory for one output.</summary>
    public const long WindowBytes = 16 << 20;

    /// <summary>Longest time that an output may make no progress while the run waits for it to end.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Longest time that a sensor with a journal waits for its outputs to end.</summary>
    private static readonly TimeSpan SensorLimit = TimeSpan.FromSeconds(10);

    private readonly int _messages;
    private readonly long _bytes;
    private readonly Action<AlertOutput, IReadOnlyList<OutgoingMessage>>? _settled;
    private readonly List<Timer> _heartbeats = [];
    private volatile AlertOutput[] _outputs;
    private Func<Heartbeat>? _status;
    private Task _past = Task.CompletedTask;
    private long _pastDropped;
    private long _pastDelivered;
    private long _sequence;

    private AlertOutputs(IEnumerable<OutputSettings> settings, int messages, long bytes, Action<AlertOutput, IReadOnlyList<OutgoingMessage>>? settled)
    {
        (_messages, _bytes, _settled) = (messages, bytes, settled);
        _outputs = [.. settings.Select(Open)];
    }

    public IReadOnlyList<AlertOutput> All => _outputs;

    /// <summary>Messages given up so far.</summary>
    public long Dropped => Interlocked.Read(ref _pastDropped) + _outputs.Sum(o => o.Dropped);

    /// <summary>Messages that receivers have, as far as their transports can know.</summary>
    public long Delivered => Interlocked.Read(ref _pastDelivered) + _outputs.Sum(o => o.Delivered);

    /// <summary>Messages that wait.</summary>
    public long Waiting => _outputs.Sum(o => o.Waiting);

    /// <summary>Outputs of a run over captures: everything waits in memory until it is delivered.</summary>
    public static AlertOutputs ForCaptures(IEnumerable<OutputSettings> settings)
    {
        var outputs = new AlertOutputs(settings, int.MaxValue, long.MaxValue, settled: null);
        outputs.Start();
        return outputs;
    }

    /// <summary>Outputs of a sensor. They send once they are started.</summary>
    /// <param name="settings">Of all outputs.</param>
    /// <param name="settled">The journal, told of messages that it need not keep; null = there is none.</param>
    public static AlertOutputs ForSensor(IEnumerable<OutputSettings> settings, Action<AlertOutput, IReadOnlyList<OutgoingMessage>>? settled) =>
        new(settings, WindowMessages, WindowBytes, settled);

    /// <summary>Reads addresses with their options; an unusable one ends the command.</summary>
    /// <param name="addresses">Addresses as given.</param>
    /// <param name="format">Form of those that say nothing of it; null = the default.</param>
    public static List<OutputSettings> Parse(IEnumerable<string> addresses, string? format = null)
    {
        var outputs = new List<OutputSettings>();
        foreach (var address in addresses)
        {
            (string, string)[] options = format is null || address.Contains("format=", StringComparison.Ordinal) ? [] : [("format", format)];
            if (!OutputSettings.TryParse(address, options, out var settings, out var error))
                throw new UserException(ExitStatus.Unusable, error!);
            outputs.Add(settings!);
        }

        return outputs;
    }

    /// <summary>All outputs that settings name, checked.</summary>
    public static IReadOnlyList<OutputSettings> SettingsOf(SensorSettings settings) => Checked([.. Parse(settings.Syslog, settings.Format), .. settings.Outputs]);

    /// <summary>Looks at everything that outputs need before they run; what is unusable ends the command.</summary>
    public static IReadOnlyList<OutputSettings> Checked(IReadOnlyList<OutputSettings> settings)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var output in settings)
        {
            if (!names.Add(output.Name))
                throw new UserException(ExitStatus.Unusable, $"two outputs are called {output.Name}; give one of them another name");
            TransportOf(output).Dispose();
        }

        return settings;
    }

    /// <summary>
    /// Goes on with other outputs; those that are the same stay as they are. What waits for the others is in the journal; without one they get their time
    /// to deliver it, and nothing waits for them.
    /// </summary>
    public void Replace(IReadOnlyList<OutputSettings> settings)
    {
        var before = _outputs;
        var after = settings.Select(s => before.FirstOrDefault(o => o.Settings.Description == s.Description) ?? Open(s)).ToArray();
        foreach (var fresh in after.Except(before))
        {
            if (fresh.IsJournaled)
                fresh.Resume(before.FirstOrDefault(o => o.Settings.Name == fresh.Settings.Name)?.Waiting ?? 0);
            fresh.Start();
        }

        _outputs = after;
        foreach (var old in before.Except(after))
        {
            _past = Task.WhenAll(_past, Task.Run(async () =>
            {
                await old.CompleteAsync(old.IsJournaled ? TimeSpan.Zero : Patience, old.IsJournaled ? TimeSpan.Zero : null);
                Interlocked.Add(ref _pastDropped, old.IsJournaled ? old.Dropped : old.Offered - old.Delivered);
                Interlocked.Add(ref _pastDelivered, old.Delivered);
                await old.DisposeAsync();
            }));
        }

        if (_status is not null)
            BeginHeartbeats(_status);
    }

    /// <summary>Begins to send.</summary>
    /// <param name="sequence">Sequences of new messages follow this one.</param>
    public void Start(long sequence = 0)
    {
        _sequence = sequence;
        foreach (var output in _outputs)
            output.Start();
    }

    /// <summary>Sends heartbeats, each output at its own interval.</summary>
    /// <param name="status">State of the sensor, taken when a heartbeat is due.</param>
    public void BeginHeartbeats(Func<Heartbeat> status)
    {
        StopHeartbeats();
        _status = status;
        foreach (var output in _outputs.Where(static o => o.Settings.HeartbeatSeconds > 0))
        {
            var interval = TimeSpan.FromSeconds(output.Settings.HeartbeatSeconds);
            _heartbeats.Add(new Timer(_ => output.SendHeartbeat(status()), null, TimeSpan.Zero, interval));
        }
    }

    /// <summary>The messages of an alert as it now is, one for each output that wants it.</summary>
    public IReadOnlyList<AddressedMessage> Write(Alert alert, AlertPhase phase)
    {
        List<AddressedMessage>? deliveries = null;
        foreach (var output in _outputs)
        {
            if (output.Write(alert, phase, _sequence + 1) is not { } message)
                continue;
            _sequence++;
            (deliveries ??= []).Add(new AddressedMessage(output, message));
        }

        return deliveries ?? (IReadOnlyList<AddressedMessage>)[];
    }

    /// <summary>Queues messages without a journal; never waits.</summary>
    public static void Offer(IReadOnlyList<AddressedMessage> deliveries)
    {
        foreach (var (output, message) in deliveries)
            output.Queue.Offer(message);
    }

    /// <summary>Ends all outputs; returns one line for each that lost something.</summary>
    public IReadOnlyList<string> Complete()
    {
        StopHeartbeats();
        _past.Wait();
        Task.WhenAll(_outputs.Select(static o => o.CompleteAsync(Patience, o.IsJournaled ? SensorLimit : null))).GetAwaiter().GetResult();
        return [.. _outputs.Select(static o => o.Problem).OfType<string>()];
    }

    public void Dispose()
    {
        StopHeartbeats();
        foreach (var output in _outputs)
            output.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }

    private void StopHeartbeats()
    {
        foreach (var heartbeat in _heartbeats)
            heartbeat.Dispose();
        _heartbeats.Clear();
    }

    private AlertOutput Open(OutputSettings settings) => new(settings, TransportOf(settings), new OutputQueue(_messages, _bytes), _settled);

    private static OutputTransport TransportOf(OutputSettings settings) => settings.Kind switch
    {
        OutputKind.Udp => new SyslogDatagrams(settings),
        OutputKind.Tcp => new SyslogStream(settings, null),
        OutputKind.Tls => new SyslogStream(settings, SyslogTls.Load(settings)),
        OutputKind.Pandora => new PandoraDirectory(settings.Path),
        OutputKind.PandoraHttp => new PandoraEvents(settings, null),
        OutputKind.PandoraHttps => new PandoraEvents(settings, SyslogTls.Load(settings)),
        _ => new LineFile(settings.Path),
    };
}
