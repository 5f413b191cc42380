using System.Collections.Concurrent;
using IoTGuard.Outputs.Delivery;

namespace IoTGuard.Sites.State;

/// <summary>
/// Ties outputs to their journal in a site's state: new messages are stored with their alert, settled ones deleted, outputs that caught up are given
/// what waits, and what exceeds an output's budget is given up, counted. Used by the thread of <see cref="StateWriter"/>, but for <see cref="OnSettled"/>.
/// </summary>
internal sealed class OutputJournal
{
    /// <summary>Messages read from the journal at once.</summary>
    private const int RefillLength = 2048;

    private readonly SiteState _state;
    private readonly Action _wake;
    private readonly ConcurrentQueue<(string Output, OutgoingMessage Message)> _settled = [];
    private readonly Dictionary<string, long> _bytes = new(StringComparer.Ordinal);
    private readonly List<string> _notices = [];

    /// <param name="state">Holds the journal.</param>
    /// <param name="outputs">Settings of the outputs.</param>
    /// <param name="wake">Makes the thread look after the outputs soon.</param>
    public OutputJournal(SiteState state, IEnumerable<OutputSettings> outputs, Action wake)
    {
        _state = state;
        _wake = wake;
        Outputs = AlertOutputs.ForSensor(outputs, OnSettled);
        foreach (var (name, messages, bytes) in state.Outgoing())
        {
            _bytes[name] = bytes;
            var output = Outputs.All.FirstOrDefault(o => o.Settings.Name == name);
            output?.Resume(messages);
            _notices.Add(output is null
                ? $"{messages:N0} messages wait for the output {name}, which is not configured now; they are kept until it is"
                : $"{messages:N0} messages from before wait for the output {name} and are sent first");
        }

        Outputs.Start(state.LastSequence());
    }

    public AlertOutputs Outputs { get; }

    public IReadOnlyList<string> Notices => _notices;

    /// <summary>Stores alerts with those of their messages that are not settled yet, and deletes what is settled.</summary>
    public void Write(IEnumerable<AlertEvent> events, IEnumerable<StoredAlert> alerts, IEnumerable<AddressedMessage> messages)
    {
        var fresh = messages.Where(static m => !m.Message.IsSettled).ToList();
        var settled = _settled.ToArray();
        if (fresh.Count == 0 && settled.Length == 0 && !alerts.Any())
            return;
        _state.Write(events, alerts, fresh, settled.Select(static s => s.Message));
        foreach (var (output, message) in fresh)
        {
            message.IsStored = true;
            _bytes[output.Settings.Name] = _bytes.GetValueOrDefault(output.Settings.Name) + message.Bytes.Length;
        }

        foreach (var (output, message) in settled)
        {
            _settled.TryDequeue(out _);
            if (message.IsStored)
                _bytes[output] = _bytes.GetValueOrDefault(output) - message.Bytes.Length;
        }
    }

    /// <summary>Keeps outputs to their budgets, and gives them what waits.</summary>
    public void Tend()
    {
        foreach (var output in Outputs.All)
        {
            var name = output.Settings.Name;
            var budget = (long)output.Settings.JournalMegabytes << 20;
            if (_bytes.GetValueOrDefault(name) > budget)
            {
                // A tenth at once: giving up costs a search.
                var (messages, bytes) = _state.GiveUpOutgoing(name, output.Queue.LastSequence, _bytes[name] - (budget - (budget / 10)));
                _bytes[name] -= bytes;
                output.CountDropped(messages);
            }

            while (output.Queue.WantsMore)
            {
                var waiting = _state.Outgoing(name, output.Queue.LastSequence, RefillLength);
                output.Queue.Refill(waiting, isEnd: waiting.Count < RefillLength);
            }
        }
    }

    private void OnSettled(AlertOutput output, IReadOnlyList<OutgoingMessage> messages)
    {
        foreach (var message in messages)
        {
            if (message.Sequence > 0)
                _settled.Enqueue((output.Settings.Name, message));
        }

        if (output.Queue.WantsMore)
            _wake();
    }
}
