using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;

namespace IoTGuard.Pipeline;

/// <summary>Bounded queues between stages that run on threads: waiting blocks the thread, and costs nothing when there is no need to wait.</summary>
internal static class StageQueue
{
    public static Channel<T> Create<T>(int capacity) =>
        Channel.CreateBounded<T>(new BoundedChannelOptions(capacity) { AllowSynchronousContinuations = true });

    /// <summary>The next item; the queue must not be completed.</summary>
    public static T Take<T>(this ChannelReader<T> reader, CancellationToken failure) =>
        reader.TryTake(failure, out var item) ? item : throw new InvalidOperationException("The queue was closed early.");

    /// <summary>The next item, or false when the queue was completed and is empty.</summary>
    public static bool TryTake<T>(this ChannelReader<T> reader, CancellationToken failure, [MaybeNullWhen(false)] out T item)
    {
        while (!reader.TryRead(out item))
        {
            if (!Block(reader.WaitToReadAsync(failure)))
                return false;
        }

        return true;
    }

    /// <summary>Adds an item, waiting for room.</summary>
    public static void Put<T>(this ChannelWriter<T> writer, T item, CancellationToken failure)
    {
        while (!writer.TryWrite(item))
        {
            if (!Block(writer.WaitToWriteAsync(failure)))
                throw new InvalidOperationException("The queue was closed early.");
        }
    }

    /// <summary>
    /// Sleeps until the wait is over. Waiting on a task would spin first, which on a busy core takes time from the very stage that is waited for;
    /// the other side wakes the sleeper itself, which is all that it runs of this.
    /// </summary>
    private static bool Block(ValueTask<bool> wait)
    {
        var awaiter = wait.GetAwaiter();
        if (!awaiter.IsCompleted)
        {
            var over = new ManualResetEventSlim(initialState: false, spinCount: 0);
            awaiter.UnsafeOnCompleted(over.Set);
            over.Wait(CancellationToken.None);
        }

        return awaiter.GetResult();
    }
}
