using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;

namespace IoTGuard.Pipeline;

/// <summary>Bounded queues between stages that run on threads: waiting blocks the thread, and costs nothing when there is no need to wait.</summary>
internal static class StageQueue
{
    public static Channel<T> Create<T>(int capacity) =>
        Channel.CreateBounded<T>(new BoundedChannelOptions(capacity) { AllowSynchronousContinuations = false });

    /// <summary>The next item; the queue must not be completed.</summary>
    public static T Take<T>(this ChannelReader<T> reader, CancellationToken failure) =>
        reader.TryTake(failure, out var item) ? item : throw new InvalidOperationException("The queue was closed early.");

    /// <summary>The next item, or false when the queue was completed and is empty.</summary>
    public static bool TryTake<T>(this ChannelReader<T> reader, CancellationToken failure, [MaybeNullWhen(false)] out T item)
    {
        while (!reader.TryRead(out item))
        {
            var wait = reader.WaitToReadAsync(failure);
            if (!(wait.IsCompletedSuccessfully ? wait.Result : wait.AsTask().GetAwaiter().GetResult()))
                return false;
        }

        return true;
    }

    /// <summary>Adds an item, waiting for room.</summary>
    public static void Put<T>(this ChannelWriter<T> writer, T item, CancellationToken failure)
    {
        while (!writer.TryWrite(item))
        {
            var wait = writer.WaitToWriteAsync(failure);
            if (!(wait.IsCompletedSuccessfully ? wait.Result : wait.AsTask().GetAwaiter().GetResult()))
                throw new InvalidOperationException("The queue was closed early.");
        }
    }
}
