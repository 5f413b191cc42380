namespace IoTGuard.Outputs.Delivery;

/// <summary>
/// Messages of one output in their order: those sent but not settled, then those not sent. It holds a window in memory; behind a full window messages
/// stay in the journal ("spilled") until there is room. Without a journal a full window gives up its oldest message.
/// </summary>
internal sealed class OutputQueue
{
    private readonly Lock _lock = new();
    private readonly LinkedList<OutgoingMessage> _window = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int _maximumMessages;
    private readonly long _maximumBytes;
    private LinkedListNode<OutgoingMessage>? _next;
    private int _sent;
    private long _bytes;
    private bool _isSpilled;
    private bool _isCompleted;
    private long _lastSequence;
    private long _dropped;

    /// <param name="maximumMessages">Most messages in the window.</param>
    /// <param name="maximumBytes">Most bytes in the window.</param>
    public OutputQueue(int maximumMessages, long maximumBytes) => (_maximumMessages, _maximumBytes) = (maximumMessages, maximumBytes);

    /// <summary>Messages given up because the window was full and there is no journal.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>True when the journal holds messages behind the window.</summary>
    public bool IsSpilled
    {
        get
        {
            lock (_lock)
                return _isSpilled;
        }
    }

    /// <summary>How many of the oldest messages are of alerts.</summary>
    public int AlertsAmong(int oldest)
    {
        lock (_lock)
            return _window.Take(oldest).Count(static m => m.Sequence > 0);
    }

    /// <summary>True when the journal holds messages behind the window, and the window has room for them.</summary>
    public bool WantsMore
    {
        get
        {
            lock (_lock)
                return _isSpilled && _window.Count < _maximumMessages / 2 && _bytes < _maximumBytes / 2;
        }
    }

    /// <summary>Sequence of the last message that the window took.</summary>
    public long LastSequence
    {
        get
        {
            lock (_lock)
                return _lastSequence;
        }
    }

    /// <summary>The journal holds messages from before: the window is filled from there first.</summary>
    public void BeginSpilled()
    {
        lock (_lock)
            _isSpilled = true;
    }

    /// <summary>A new message. Those that are stored and find no room are left in the journal.</summary>
    public void Offer(OutgoingMessage message)
    {
        lock (_lock)
        {
            if (message.IsStored && (_isSpilled || !HasRoomFor(message)))
            {
                _isSpilled = true;
                return;
            }

            // Neither stored nor room: what waits longest is given up, but not what is under way.
            while (!HasRoomFor(message) && _next is { } oldest)
            {
                if (oldest.Value.Sequence > 0)
                    Interlocked.Increment(ref _dropped);
                Remove(oldest);
            }

            Append(message);
        }

        Wake();
    }

    /// <summary>A heartbeat: only of use when nothing else waits.</summary>
    public void OfferHeartbeat(OutgoingMessage message)
    {
        lock (_lock)
        {
            if (_isSpilled || _next is not null)
                return;
            Append(message);
        }

        Wake();
    }

    /// <summary>Messages from the journal, in order behind the window.</summary>
    /// <param name="messages">At most as many as were asked for.</param>
    /// <param name="isEnd">True when the journal holds no others.</param>
    public void Refill(IReadOnlyCollection<OutgoingMessage> messages, bool isEnd)
    {
        lock (_lock)
        {
            foreach (var message in messages)
                Append(message);
            _isSpilled = !isEnd;
        }

        Wake();
    }

    /// <summary>No further messages are offered.</summary>
    public void Complete()
    {
        lock (_lock)
            _isCompleted = true;
        Wake();
    }

    /// <summary>True when all is sent and nothing can follow.</summary>
    public bool IsExhausted
    {
        get
        {
            lock (_lock)
                return _isCompleted && _next is null && !_isSpilled;
        }
    }

    /// <summary>Takes the first message not sent, to send it; null when there is none.</summary>
    public OutgoingMessage? Take()
    {
        lock (_lock)
        {
            var taken = _next?.Value;
            if (taken is not null)
            {
                _next = _next!.Next;
                _sent++;
            }

            return taken;
        }
    }

    /// <summary>The oldest messages sent are settled; returns them.</summary>
    public IReadOnlyList<OutgoingMessage> Settle(int count)
    {
        lock (_lock)
        {
            var settled = new List<OutgoingMessage>(count);
            while (settled.Count < count && _sent > 0 && _window.First is { } oldest)
            {
                oldest.Value.IsSettled = true;
                settled.Add(oldest.Value);
                Remove(oldest);
            }

            return settled;
        }
    }

    /// <summary>All that is not settled will be sent again.</summary>
    public void Rewind()
    {
        lock (_lock)
        {
            _next = _window.First;
            _sent = 0;
        }
    }

    /// <summary>Waits until something may have changed, or the time is over.</summary>
    public async Task WaitAsync(TimeSpan longest, CancellationToken cancellation)
    {
        Task changed;
        lock (_lock)
            changed = _changed.Task;
        await Task.WhenAny(changed, Task.Delay(longest, cancellation));
        cancellation.ThrowIfCancellationRequested();
        lock (_lock)
        {
            if (_changed.Task.IsCompleted)
                _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    private void Wake()
    {
        lock (_lock)
            _changed.TrySetResult();
    }

    private bool HasRoomFor(OutgoingMessage message) =>
        _window.Count < _maximumMessages && (_bytes + message.Bytes.Length <= _maximumBytes || _window.Count == 0);

    private void Append(OutgoingMessage message)
    {
        var node = _window.AddLast(message);
        _next ??= node;
        _bytes += message.Bytes.Length;
        if (message.Sequence > 0)
            _lastSequence = message.Sequence;
    }

    private void Remove(LinkedListNode<OutgoingMessage> node)
    {
        if (_next == node)
            _next = node.Next;
        else
            _sent--;
        _bytes -= node.Value.Bytes.Length;
        _window.Remove(node);
    }
}
