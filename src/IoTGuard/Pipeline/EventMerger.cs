using IoTGuard.Analysis;

namespace IoTGuard.Pipeline;

/// <summary>Receives all events of a run in order of their keys, on one thread.</summary>
internal interface IEventConsumer
{
    void OnEvent(EventBatch batch, in SensorEvent e);

    /// <summary>All events up to this clock have been delivered; live it is called several times a second, with 0 before the first packet.</summary>
    void OnClock(long clockNs);
}

/// <summary>Merges the sorted batches of all workers for one stretch of frames into one order.</summary>
internal sealed class EventMerger(int workers)
{
    private readonly int[] _next = new int[workers];

    /// <summary>Delivers the events of <paramref name="batches"/> (one per worker, each sorted) in order of their keys.</summary>
    public void Deliver(ReadOnlySpan<EventBatch> batches, IEventConsumer consumer)
    {
        if (batches.Length == 1)
        {
            foreach (ref readonly var e in batches[0].Events)
                consumer.OnEvent(batches[0], e);
            return;
        }

        Array.Clear(_next);
        while (true)
        {
            var best = -1;
            EventKey bestKey = default;
            for (var i = 0; i < batches.Length; i++)
            {
                var events = batches[i].Events;
                if (_next[i] == events.Length)
                    continue;
                var key = events[_next[i]].Key;
                if (best < 0 || key < bestKey)
                {
                    best = i;
                    bestKey = key;
                }
            }

            if (best < 0)
                return;
            consumer.OnEvent(batches[best], batches[best].Events[_next[best]++]);
        }
    }

    /// <summary>Delivers what all workers have still to tell, each in as many batches as it needs, in order of the keys over all of them.</summary>
    /// <param name="next">Takes the last batch of a worker back and gives its next; null when there is none.</param>
    /// <param name="consumer">Receives the events.</param>
    public void DeliverRest(Func<int, EventBatch?> next, IEventConsumer consumer)
    {
        Array.Clear(_next);
        EventBatch?[] current = [.. Enumerable.Range(0, _next.Length).Select(next)];
        while (true)
        {
            var best = -1;
            EventKey bestKey = default;
            for (var i = 0; i < current.Length; i++)
            {
                while (current[i] is { } batch && _next[i] == batch.Events.Length)
                {
                    current[i] = next(i);
                    _next[i] = 0;
                }

                if (current[i] is not { } first)
                    continue;
                var key = first.Events[_next[i]].Key;
                if (best < 0 || key < bestKey)
                {
                    best = i;
                    bestKey = key;
                }
            }

            if (best < 0)
                return;
            consumer.OnEvent(current[best]!, current[best]!.Events[_next[best]++]);
        }
    }
}
