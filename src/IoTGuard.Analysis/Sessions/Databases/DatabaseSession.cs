using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// A connection to a database: read until it is known how it began, told once, and passed over from there. A gap, or <see cref="MaximumMessages"/>
/// messages that decide nothing, end the reading too.
/// </summary>
public abstract class DatabaseSession : StreamSession
{
    /// <summary>Messages of one connection that are looked at.</summary>
    public const int MaximumMessages = 64;

    /// <summary>Longest head of a message that is read, bytes.</summary>
    public const int MaximumHeadBytes = 512;

    private bool _isTold;
    private bool _isBegun;
    private long _timeNs;
    private int _messages;

    /// <summary>What is known so far.</summary>
    protected string? ServerVersion { get; set; }

    protected string? Authentication { get; set; }

    protected bool IsEncrypted { get; set; }

    protected bool IsAccepted { get; set; }

    protected bool IsRefused { get; set; }

    public sealed override StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        if (!_isBegun)
        {
            _isBegun = true;
            _timeNs = context.TimeNs;
        }

        var at = 0;
        while (at < data.Length && !_isTold)
        {
            var progress = OnMessage(context, direction, data[at..]);
            if (progress.Needed > 0)
                return new StreamProgress(at, progress.Needed);
            if (progress.Consumed == 0 && progress.Skip == 0)
            {
                context.Flow.Counters.Faults++;
                Tell(context);
                break;
            }

            if (++_messages >= MaximumMessages)
                Tell(context);
            var done = progress.Consumed + progress.Skip;
            var here = (int)Math.Min(done, data.Length - at);
            at += here;
            if (here < done)
                return new StreamProgress(at, 0, done - here);
        }

        return _isTold ? new StreamProgress(at, 0, Everything) : new StreamProgress(at);
    }

    public override void OnGap(SessionContext context, FlowDirection direction, long bytes) => Tell(context);

    public override void OnEnd(SessionContext context) => Tell(context);

    public override void Reset()
    {
        _isTold = _isBegun = IsEncrypted = IsAccepted = IsRefused = false;
        _timeNs = 0;
        _messages = 0;
        ServerVersion = Authentication = null;
    }

    /// <summary>One message: bytes of it that were read, or what is needed, or what follows to skip; nothing of all three when it is none.</summary>
    protected abstract StreamProgress OnMessage(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data);

    /// <summary>How the connection began was not seen: nothing is told.</summary>
    protected void PassOver() => _isTold = true;

    /// <summary>Nothing more has to be known.</summary>
    protected void Tell(SessionContext context)
    {
        if (_isTold || !_isBegun)
            return;
        _isTold = true;
        var transaction = context.Begin<DatabaseTransaction>();
        transaction.Kind = Protocol;
        transaction.TimeNs = _timeNs;
        transaction.DurationNs = context.TimeNs - _timeNs;
        transaction.ServerVersion = ServerVersion;
        transaction.Authentication = Authentication;
        transaction.IsEncrypted = IsEncrypted;
        transaction.IsAccepted = IsAccepted;
        transaction.IsRefused = IsRefused;
        if (ServerVersion is not null)
            transaction.Claim(transaction.Server, ClaimKind.Software, SoftwareOf(context));
        context.Emit(transaction);
    }

    private string? SoftwareOf(SessionContext context)
    {
        Span<byte> text = stackalloc byte[TextInterner.MaximumTextBytes];
        return System.Text.Unicode.Utf8.TryWrite(text, $"{ApplicationProtocols.NameOf(Protocol)} {ServerVersion}", out var written) ? context.Texts.Of(text[..written]) : null;
    }
}
