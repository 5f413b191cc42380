using IoTGuard.Analysis.Alerts;
using IoTGuard.Outputs.Delivery;

namespace IoTGuard.Sites.State;

/// <summary>The journal of outputs: messages lie here from the moment their alert is stored until they are settled.</summary>
internal sealed partial class SiteState
{
    /// <summary>
    /// Writes alerts together with their messages, and deletes messages that are settled, at once: after a crash either all of it is there or nothing.
    /// </summary>
    public void Write(
        IEnumerable<AlertEvent> events, IEnumerable<StoredAlert> alerts, IEnumerable<AddressedMessage> messages, IEnumerable<OutgoingMessage> settled) => _file.InTransaction(() =>
    {
        WriteAlerts(events, alerts);
        foreach (var (output, message) in messages)
        {
            _file.Run("INSERT OR IGNORE INTO outgoing VALUES ($1, $2, $3, $4)",
                message.Sequence, output.Settings.Name, AlertEvent.NameOf(message.Phase ?? AlertPhase.Closed), message.Bytes);
        }

        foreach (var message in settled)
            _file.Run("DELETE FROM outgoing WHERE sequence = $1", message.Sequence);
    });

    /// <summary>What waits, for each output that anything waits for.</summary>
    public List<(string Output, long Messages, long Bytes)> Outgoing() => _file.Read(
        "SELECT output, count(*), sum(length(message)) FROM outgoing GROUP BY output ORDER BY output",
        static r => (r.GetString(0), r.GetInt64(1), r.GetInt64(2)));

    /// <summary>Sequence of the last message; 0 when there is none.</summary>
    public long LastSequence() => _file.Number("SELECT coalesce(max(sequence), 0) FROM outgoing");

    /// <summary>The next messages of an output in their order.</summary>
    public List<OutgoingMessage> Outgoing(string output, long afterSequence, int most) => _file.Read(
        "SELECT sequence, phase, message FROM outgoing WHERE output = $1 AND sequence > $2 ORDER BY sequence LIMIT $3",
        static r => new OutgoingMessage(r.GetInt64(0), AlertEvent.PhaseOf(r.GetString(1)), (byte[])r.GetValue(2)) { IsStored = true },
        output, afterSequence, most);

    /// <summary>
    /// Gives messages of an output up until so many bytes are free: first updates, which a later message of their alert outdates, then the oldest.
    /// </summary>
    /// <param name="output">Name of the output.</param>
    /// <param name="afterSequence">Messages up to here are under way and are left.</param>
    /// <param name="bytes">To be freed.</param>
    /// <returns>What was given up.</returns>
    public (long Messages, long Bytes) GiveUpOutgoing(string output, long afterSequence, long bytes)
    {
        var (messages, freed) = (0L, 0L);
        _file.InTransaction(() =>
        {
            var candidates = _file.Read(
                "SELECT sequence, length(message) FROM outgoing WHERE output = $1 AND sequence > $2 ORDER BY phase <> 'updated', sequence LIMIT 10000",
                static r => (Sequence: r.GetInt64(0), Bytes: r.GetInt64(1)),
                output, afterSequence);
            foreach (var candidate in candidates)
            {
                if (freed >= bytes)
                    break;
                _file.Run("DELETE FROM outgoing WHERE sequence = $1", candidate.Sequence);
                messages++;
                freed += candidate.Bytes;
            }
        });
        return (messages, freed);
    }
}
