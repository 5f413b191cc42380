using IoTGuard.Wire;

namespace IoTGuard.Capture.Files;

/// <summary>Why a walk over the bytes of a window ended.</summary>
internal enum WalkEnd
{
    /// <summary>The batch is full.</summary>
    BatchFull,

    /// <summary>The next record is not completely in the window, or lies behind it.</summary>
    NeedMore,

    /// <summary>The next record makes no sense, and nothing behind it can be found.</summary>
    Broken,
}

/// <summary>A capture format: finds the frames in the bytes. Keeps what it needs to know between windows.</summary>
internal abstract class CaptureFormat
{
    /// <summary>Why the last walk ended <see cref="WalkEnd.Broken"/>.</summary>
    public string Fault { get; protected set; } = "";

    /// <summary>What a cut record is called in a problem.</summary>
    public abstract string RecordName { get; }

    /// <summary>Captured bytes delivered so far.</summary>
    public long Bytes { get; protected set; }

    /// <summary>Bytes in records that had to be skipped because they were damaged.</summary>
    public long DamagedBytes { get; protected set; }

    /// <summary>Adds the frames that lie completely in the window to the batch, from <paramref name="position"/> on, which moves along.</summary>
    public abstract WalkEnd Walk(Window window, ref int position, FrameBatch batch);
}
