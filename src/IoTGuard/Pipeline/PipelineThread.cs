using System.Runtime.ExceptionServices;

namespace IoTGuard.Pipeline;

/// <summary>A stage on its own thread. When it fails, the others are told to stop, and <see cref="Join"/> throws what it threw.</summary>
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

    public void Join()
    {
        _thread.Join();
        _failure?.Throw();
    }
}
