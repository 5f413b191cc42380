using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.Dcerpc;

namespace IoTGuard.Analysis.Sessions;

public sealed partial class SmbSession
{
    /// <summary>Operations of a connection whose calls are counted; further ones are not told.</summary>
    public const int MaximumOperations = 16;

    /// <summary>Calls of one operation that are all told; of later ones only the 2ⁿth.</summary>
    public const int CallsInFull = 4;

    private readonly (DcerpcOperation? Operation, int Calls)[] _operations = new (DcerpcOperation?, int)[MaximumOperations];

    private void ForgetPipes() => Array.Clear(_operations);

    /// <summary>What a client wrote to a named pipe.</summary>
    private void OnPipe(SessionContext context, FlowDirection client, ref SmbHandle handle, ReadOnlySpan<byte> data)
    {
        if (!DcerpcHeader.TryRead(data, out var header))
            return;
        if (header.Type is DcerpcType.Bind or DcerpcType.AlterContext)
        {
            var contexts = header.Contexts(data);
            if (!contexts.MoveNext())
                return;
            handle.Interface = DcerpcInterface.Find(contexts.Interface);
            Told(context, client, handle, handle.Interface?.Name ?? NameOf(context, contexts.Interface), null, 0);
        }
        else if (header.IsFirst && header.TryReadRequest(data, out _, out var number) && handle.Interface is { } known && known.Operations.TryGetValue(number, out var operation))
        {
            foreach (ref var counted in _operations.AsSpan())
            {
                if (counted.Operation is not null && counted.Operation != operation)
                    continue;
                counted.Operation = operation;
                if (++counted.Calls <= CallsInFull || int.IsPow2(counted.Calls))
                    Told(context, client, handle, known.Name, operation, counted.Calls);
                return;
            }
        }
    }

    private void Told(SessionContext context, FlowDirection client, in SmbHandle handle, string? name, DcerpcOperation? operation, int calls)
    {
        var transaction = context.Begin<SmbTransaction>(client);
        transaction.Event = SmbEvent.Pipe;
        transaction.Version = _version;
        transaction.Pipe = handle.Pipe;
        transaction.Interface = name;
        transaction.Operation = operation;
        transaction.Calls = calls;
        context.Emit(transaction);
    }

    private static string? NameOf(SessionContext context, Guid id)
    {
        Span<byte> text = stackalloc byte[36];
        return id.TryFormat(text, out var written) ? context.Texts.Of(text[..written]) : null;
    }
}
