using System.Runtime.ExceptionServices;

namespace IoTGuard.Pipeline;

/// <summary>A stage on its own thread. When it fails, the others are told to stop, and <see cref="JoinAll"/> throws what it threw.</summary>
internal sealed class PipelineThread
{
    private readonly Thread _thread;
    private ExceptionDispatchInfo? _failure;

    public PipelineThread(string name, Action run, CancellationTokenSource failure)
    {
        _thread = new Thread(() =>
        {
            try
            {
                run();
            }
            catch (OperationCanceledException) when (failure.IsCancellationRequested)
            {
                // Another stage failed first.
            }
            catch (Exception exception)
            {
                _failure = ExceptionDispatchInfo.Capture(exception);
                failure.Cancel();
            }
        })
        { Name = name, IsBackground = true };
        _thread.Start();
    }

    /// <summary>Waits for all of them, then throws what the first that failed threw.</summary>
    public static void JoinAll(IReadOnlyList<PipelineThread> threads)
    {
        foreach (var thread in threads)
            thread._thread.Join();
        foreach (var thread in threads)
            thread._failure?.Throw();
    }
}
