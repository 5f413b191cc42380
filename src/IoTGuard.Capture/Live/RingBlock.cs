using System.Runtime.InteropServices;
using IoTGuard.Capture.Files;
using IoTGuard.Capture.Native;
using static IoTGuard.Capture.Native.IfPacket;

namespace IoTGuard.Capture.Live;

/// <summary>A block of a ring. It goes back to the kernel when the reader and all batches over it have let go.</summary>
internal sealed class RingBlock : Window
{
    private readonly KernelMemory _memory;
    private readonly RingMapping _mapping;

    public RingBlock(RingMapping mapping, KernelMemory memory, int length)
    {
        _mapping = mapping;
        _memory = memory;
        Length = length;
    }

    public override ReadOnlyMemory<byte> Memory => _memory.Memory;

    /// <summary>True when the kernel has handed the block over.</summary>
    public bool IsReady => (Volatile.Read(ref Status) & TP_STATUS_USER) != 0;

    /// <summary>Head of the block; valid while <see cref="IsReady"/>.</summary>
    public BlockHeader Header => MemoryMarshal.Read<BlockHeader>(_memory.GetSpan());

    private ref uint Status => ref MemoryMarshal.AsRef<uint>(_memory.GetSpan()[BlockHeader.StatusOffset..]);

    /// <summary>The reader takes the block that is ready.</summary>
    public void Take()
    {
        _mapping.Retain();
        Retain();
    }

    protected override void Recycle()
    {
        // Written last: from here on the kernel overwrites the block.
        Volatile.Write(ref Status, TP_STATUS_KERNEL);
        _mapping.Release();
    }
}

/// <summary>The mapped memory of a ring. It stays as long as the ring is open or a batch lies in it.</summary>
internal sealed class RingMapping(nint address, long length)
{
    private int _holders = 1;

    public void Retain() => Interlocked.Increment(ref _holders);

    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
            _ = Libc.Unmap(address, (nuint)length);
    }

    /// <summary>The blocks of the ring, in the order in which the kernel fills them.</summary>
    public RingBlock[] Split(int blockBytes)
    {
        var blocks = new RingBlock[length / blockBytes];
        for (var i = 0; i < blocks.Length; i++)
            blocks[i] = new RingBlock(this, new KernelMemory(address + ((nint)i * blockBytes), blockBytes), blockBytes);
        return blocks;
    }
}
