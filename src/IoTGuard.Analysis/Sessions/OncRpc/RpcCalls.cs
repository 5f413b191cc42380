using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.OncRpc;

namespace IoTGuard.Analysis.Sessions;

/// <summary>Counts the calls of a flow and pairs them with their replies; the same for TCP and UDP.</summary>
internal sealed class RpcCalls
{
    /// <summary>Calls that wait for their reply; a power of two.</summary>
    public const int MaximumOutstanding = 64;

    private readonly CallTable _calls = new();
    private readonly (uint Id, ulong Key, bool IsUsed)[] _outstanding = new (uint, ulong, bool)[MaximumOutstanding];
    private FlowDirection _client;
    private string? _machine;

    /// <summary>True once a call was answered.</summary>
    public bool IsAnswered { get; private set; }

    public void Clear()
    {
        _calls.Clear();
        Array.Clear(_outstanding);
        _client = FlowDirection.FromOriginator;
        _machine = null;
        IsAnswered = false;
    }

    public void OnMessage(SessionContext context, FlowDirection direction, in RpcMessage message, long bytes)
    {
        ref var counters = ref context.Flow.Counters;
        ref var outstanding = ref _outstanding[(int)(message.Id & (MaximumOutstanding - 1))];
        if (message.IsReply)
        {
            counters.Responses++;
            if (!outstanding.IsUsed || outstanding.Id != message.Id)
                return;
            IsAnswered = true;
            ref var answered = ref _calls.Of(outstanding.Key, context.TimeNs);
            answered.Bytes += bytes;
            if (message.IsFailure)
            {
                counters.Failures++;
                answered.Failures++;
            }

            outstanding = default;
            if (!answered.WasTold)
                Tell(context, ref answered);
            return;
        }

        _client = direction;
        counters.Requests++;
        _machine = context.Texts.Of(message.Machine) ?? _machine;
        var key = ((ulong)message.Program << 32) | ((ulong)(message.ProgramVersion & 0xFFFF) << 16) | (message.Procedure & 0xFFFF);
        outstanding = (message.Id, key, true);
        ref var count = ref _calls.Of(key, context.TimeNs);
        if (count.WasTold && count.IsDue(context.TimeNs))
        {
            Tell(context, ref count);
            count.SinceNs = count.LastNs = context.TimeNs;
        }

        count.Calls++;
        count.Bytes += bytes;
    }

    /// <summary>Tells all that was not yet told.</summary>
    public void Finish(SessionContext context)
    {
        foreach (ref var count in _calls.Counts)
            Tell(context, ref count);
    }

    private void Tell(SessionContext context, ref CallCount count)
    {
        if (count.Calls == 0)
            return;
        var transaction = context.Begin<RpcTransaction>(_client);
        transaction.IsAnswered |= IsAnswered;
        transaction.TimeNs = count.SinceNs;
        transaction.DurationNs = count.LastNs - count.SinceNs;
        transaction.Bytes = count.Bytes;
        transaction.Program = (uint)(count.Key >> 32);
        transaction.ProgramVersion = (uint)(count.Key >> 16) & 0xFFFF;
        transaction.Procedure = (uint)count.Key & 0xFFFF;
        transaction.Calls = count.Calls;
        transaction.Failures = count.Failures;
        transaction.Claim(transaction.Client, ClaimKind.HostName, _machine);
        context.Emit(transaction);
        count.Told();
    }
}
