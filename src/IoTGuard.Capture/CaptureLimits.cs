namespace IoTGuard.Capture;

/// <summary>The named limits of reading captures. What exceeds one becomes a <see cref="IoTGuard.Wire.CaptureProblem"/>.</summary>
public static class CaptureLimits
{
    /// <summary>Longest captured frame, bytes: libpcap's MAXIMUM_SNAPLEN. A longer one means that the file is damaged.</summary>
    public const int MaxFrameLength = 262_144;

    /// <summary>Longest pcapng block whose contents are used (section, interface, packet), bytes: a longest frame and as much again of options.</summary>
    public const int MaxBlockLength = 2 * MaxFrameLength;

    /// <summary>Longest pcapng block that is skipped unread, bytes. A longer one means that the file is damaged.</summary>
    public const int MaxSkippedBlockLength = 16 << 20;

    /// <summary>Interfaces of one pcapng section. Frames of later ones are skipped and reported.</summary>
    public const int MaxInterfaces = 65_536;

    /// <summary>Problems kept of one source. Later ones are summed up in the last.</summary>
    public const int MaxProblems = 100;

    /// <summary>Bytes of one buffer of a file, a pipe, an unpacked or a merged capture.</summary>
    public const int BufferBytes = 1 << 20;
}
