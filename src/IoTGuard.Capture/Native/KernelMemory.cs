using System.Buffers;

namespace IoTGuard.Capture.Native;

/// <summary>Memory that the kernel shares with us, as spans. It must stay mapped as long as somebody may look.</summary>
internal sealed unsafe class KernelMemory(nint address, int length) : MemoryManager<byte>
{
    private readonly byte* _address = (byte*)address;

    public override Span<byte> GetSpan() => new(_address, length);

    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)length);
        return new MemoryHandle(_address + elementIndex);
    }

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
    }
}
