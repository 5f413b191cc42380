using IoTGuard.Capture;
using IoTGuard.Wire;

namespace IoTGuard.Pipeline;

/// <summary>What brings frames in, by its name on the command line.</summary>
/// <param name="Name">Name that <c>--capture</c> takes.</param>
/// <param name="OpenInterface">Opens an interface for so many workers: one source for each, or as many as the library can share the frames between.</param>
/// <param name="OpenFile">Opens a capture file.</param>
internal sealed record CaptureLibrary(
    string Name, Func<PacketRingOptions, int, IReadOnlyList<ILiveSource>> OpenInterface, Func<string, IFrameSource> OpenFile)
{
    public const string SharpPcapName = "sharppcap";

    /// <summary>What the choice is, for people.</summary>
    public const string Description = "What reads frames: built-in (packet rings on Linux, our file readers) or sharppcap (the machine's pcap library)";

    /// <summary>The names that <c>--capture</c> takes.</summary>
    public static IReadOnlyList<string> Names { get; } = ["built-in", SharpPcapName];

    /// <summary>Our own readers and, on Linux, packet rings.</summary>
    public static CaptureLibrary BuiltIn { get; } = new(Names[0], PacketRing.OpenGroup, CaptureFile.Open);

    /// <summary>What listens when nothing else is asked for: packet rings where the kernel has them.</summary>
    public static CaptureLibrary ForLive(string? name) => Find(name ?? (OperatingSystem.IsLinux() ? BuiltIn.Name : SharpPcapName));

    /// <summary>The library of a name; without one, our own.</summary>
    public static CaptureLibrary Find(string? name) => name switch
    {
        null => BuiltIn,
        _ when name == BuiltIn.Name => BuiltIn,
        SharpPcapName => NamedPackages.SharpPcap ?? throw new UserException(
            ExitStatus.Unusable, "this program was built without SharpPcap; build it where the package can be restored: build/setup-named-packages --again"),
        _ => throw new UserException(ExitStatus.Unusable, $"there is no capture library '{name}'; --capture takes {string.Join(" or ", Names)}"),
    };
}
