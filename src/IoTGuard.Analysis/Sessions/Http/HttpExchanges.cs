namespace IoTGuard.Analysis.Sessions;

/// <summary>A request that waits for its response, or whose response is being read. Reused.</summary>
internal sealed class HttpExchange
{
    public HttpFacts Facts;

    /// <summary>Packet time of the first byte, ns.</summary>
    public long TimeNs;

    /// <summary>To the end of the response's head, ns; -1 = none seen.</summary>
    public long DurationNs;

    /// <summary>Rises with each use, so that a late body does not write into the next exchange.</summary>
    public int Use;

    /// <summary>HTTP/2: its stream; 0 = free.</summary>
    public int Stream;
    public bool RequestEnded;
    public bool ResponseEnded;

    public void Begin(long timeNs, byte version)
    {
        Facts = default;
        Facts.Version = version;
        Facts.RequestBytes = Facts.ResponseBytes = -1;
        TimeNs = timeNs;
        DurationNs = -1;
        Use++;
        Stream = 0;
        RequestEnded = ResponseEnded = false;
    }
}

/// <summary>Requests of a connection in the order that they were sent (pipelining, RFC 9112 9.3.2). At most <see cref="HttpSession.MaximumOutstanding"/>.</summary>
internal sealed class HttpExchanges
{
    private HttpExchange[] _slots = [];

    public int Count { get; private set; }

    public bool IsFull => Count == HttpSession.MaximumOutstanding;

    public HttpExchange this[int index] => _slots[index];

    /// <summary>A fresh exchange at the end. The table must not be full.</summary>
    public HttpExchange Add(long timeNs, byte version)
    {
        if (Count == _slots.Length)
        {
            var old = _slots.Length;
            Array.Resize(ref _slots, Math.Clamp(2 * old, 1, HttpSession.MaximumOutstanding));
            for (var i = old; i < _slots.Length; i++)
                _slots[i] = new HttpExchange();
        }

        var exchange = _slots[Count++];
        exchange.Begin(timeNs, version);
        return exchange;
    }

    public void RemoveAt(int index)
    {
        var free = _slots[index];
        Array.Copy(_slots, index + 1, _slots, index, Count - index - 1);
        _slots[--Count] = free;
        free.Use++;
    }

    public int IndexOf(HttpExchange exchange) => Array.IndexOf(_slots, exchange, 0, Count);

    public void Clear()
    {
        while (Count > 0)
            RemoveAt(Count - 1);
    }
}
