using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Sessions;

/// <summary>A request that waits for its response.</summary>
/// <param name="Key">What request and response have in common.</param>
/// <param name="Asker">Who sent the request.</param>
/// <param name="TimeNs">Packet time of the request, ns.</param>
/// <param name="Bytes">Bytes of the request.</param>
/// <param name="Facts">What it said.</param>
internal readonly record struct Asked<TFacts>(ulong Key, FlowDirection Asker, long TimeNs, long Bytes, TFacts Facts)
    where TFacts : struct;

/// <summary>
/// Requests of one flow that wait, in the order they came. At the limit the owner gives up the oldest. Room is made when needed: most flows have one.
/// </summary>
internal sealed class Outstanding<TFacts>(int limit)
    where TFacts : struct
{
    private Asked<TFacts>[] _asked = [];

    public int Count { get; private set; }

    public bool IsFull => Count == limit;

    /// <summary>True when such a request waits already: this one is sent again.</summary>
    public bool Contains(ulong key, FlowDirection asker) => Find(key, asker) >= 0;

    public void Add(in Asked<TFacts> asked)
    {
        if (Count == _asked.Length)
            Array.Resize(ref _asked, Math.Min(limit, Math.Max(1, Count * 2)));
        _asked[Count++] = asked;
    }

    /// <summary>Takes out the request that a response of the other side answers.</summary>
    public bool TryTake(ulong key, FlowDirection responder, out Asked<TFacts> asked)
    {
        var index = Find(key, responder == FlowDirection.FromOriginator ? FlowDirection.FromResponder : FlowDirection.FromOriginator);
        asked = index < 0 ? default : _asked[index];
        if (index >= 0)
            RemoveAt(index);
        return index >= 0;
    }

    public Asked<TFacts> TakeOldest()
    {
        var oldest = _asked[0];
        RemoveAt(0);
        return oldest;
    }

    public void Clear() => Count = 0;

    private int Find(ulong key, FlowDirection asker)
    {
        for (var i = 0; i < Count; i++)
        {
            if (_asked[i].Key == key && _asked[i].Asker == asker)
                return i;
        }

        return -1;
    }

    private void RemoveAt(int index)
    {
        Array.Copy(_asked, index + 1, _asked, index, Count - index - 1);
        Count--;
    }
}

/// <summary>A transaction whose own fields are one value, which can wait on its own.</summary>
/// <typeparam name="TFacts">The fields; its default is their initial value.</typeparam>
public abstract class FactTransaction<TFacts> : Transaction
    where TFacts : struct
{
    private TFacts _facts;

    public ref TFacts Facts => ref _facts;

    public override void Reset() => _facts = default;
}

/// <summary>A session of requests and responses in datagrams, of which each is paired by a key.</summary>
public abstract class ExchangeSession<TTransaction, TFacts>(int maximumOutstanding) : DatagramSession
    where TTransaction : FactTransaction<TFacts>, new()
    where TFacts : struct
{
    private readonly Outstanding<TFacts> _waiting = new(maximumOutstanding);

    public override bool IsAsking => _waiting.Count > 0;

    public override void OnEnd(SessionContext context)
    {
        while (_waiting.Count > 0)
            EmitUnanswered(context, _waiting.TakeOldest());
    }

    public override void Reset() => _waiting.Clear();

    /// <summary>Emits what needs no answer, or whose question was not seen.</summary>
    private protected static void Tell(SessionContext context, FlowDirection client, in TFacts facts, long bytes)
    {
        var transaction = context.Begin<TTransaction>(client);
        transaction.Facts = facts;
        transaction.Bytes = bytes;
        context.Emit(transaction);
    }

    /// <summary>Keeps a request until its response comes; the oldest is emitted unanswered when too many wait. A request sent again counts once.</summary>
    private protected void Ask(SessionContext context, FlowDirection asker, ulong key, in TFacts facts, long bytes)
    {
        if (_waiting.Contains(key, asker))
            return;
        context.Flow.Counters.Requests++;
        if (_waiting.IsFull)
            EmitUnanswered(context, _waiting.TakeOldest());
        _waiting.Add(new Asked<TFacts>(key, asker, context.TimeNs, bytes, facts));
    }

    /// <summary>The request that a response answers, as a transaction to be completed and emitted; null when none waits.</summary>
    private protected TTransaction? Answer(SessionContext context, FlowDirection responder, ulong key, long bytes)
    {
        if (!_waiting.TryTake(key, responder, out var asked))
            return null;
        context.Flow.Counters.Responses++;
        var transaction = context.Begin<TTransaction>(asked.Asker);
        transaction.Facts = asked.Facts;
        transaction.TimeNs = asked.TimeNs;
        transaction.DurationNs = context.TimeNs - asked.TimeNs;
        transaction.Bytes = asked.Bytes + bytes;
        transaction.IsAnswered = true;
        return transaction;
    }

    private static void EmitUnanswered(SessionContext context, in Asked<TFacts> asked)
    {
        var transaction = context.Begin<TTransaction>(asked.Asker);
        transaction.Facts = asked.Facts;
        transaction.TimeNs = asked.TimeNs;
        transaction.Bytes = asked.Bytes;
        context.Emit(transaction);
    }
}
