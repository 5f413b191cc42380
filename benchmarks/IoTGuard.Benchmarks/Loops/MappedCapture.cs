using System.IO.MemoryMappedFiles;

namespace IoTGuard.Benchmarks.Loops;

/// <summary>A pcap file in this machine's byte order, mapped whole.</summary>
internal sealed unsafe class MappedCapture : IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;

    public MappedCapture(string path)
    {
        using (var handle = File.OpenHandle(path))
            Length = RandomAccess.GetLength(handle);
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        _view = _file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        byte* start = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        Start = start;
        if (Length < 24 || *(uint*)start is not (0xA1B2C3D4 or 0xA1B23C4D) || *(uint*)(start + 20) != 1)
            throw new InvalidDataException($"{path}: the loops read pcap files of Ethernet in this machine's byte order only");
    }

    public byte* Start { get; }

    public long Length { get; }

    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }
}
