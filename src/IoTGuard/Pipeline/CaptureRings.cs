using System.Globalization;
using IoTGuard.Capture;
using IoTGuard.Service;
using IoTGuard.Settings;
using IoTGuard.Wire;

namespace IoTGuard.Pipeline;

/// <summary>The capture rings of the live sensor, and the privileges that opening them takes.</summary>
internal static class CaptureRings
{
    /// <summary>Environment variable by which the program, started anew without capabilities, learns of the rings that it opened before.</summary>
    private const string Inherited = "IOTGUARD_INHERITED_RINGS";

    /// <summary>
    /// Bytes of a block. Each takes at least the block timeout to fill, so that many small ones ride out a longer pause of the reader at the same size of the ring:
    /// at 20 ms, 32 MB last for 2.5 seconds of little traffic.
    /// </summary>
    private const int BlockBytes = 256 << 10;

    /// <summary>Opens the rings that settings ask for, or takes over those that are open already.</summary>
    /// <exception cref="UserException">They cannot be opened; the message says what to do.</exception>
    public static IReadOnlyList<ILiveSource> Open(SensorSettings settings)
    {
        var options = OptionsOf(settings);
        try
        {
            if (Environment.GetEnvironmentVariable(Inherited) is not { } descriptors)
                return CaptureLibrary.ForLive(settings.Capture).OpenInterface(options, settings.Workers > 0 ? settings.Workers : Environment.ProcessorCount);
            if (Privileges.HasCapabilities)
                throw new UserException(ExitStatus.Unusable, $"capabilities could not be given up; unset {Inherited} if it was set by hand, else report this");
            return PacketRing.Inherit(options, [.. descriptors.Split(',').Select(static d => int.Parse(d, CultureInfo.InvariantCulture))]);
        }
        catch (FormatException e)
        {
            throw new UserException(ExitStatus.Unusable, $"{Inherited} is for the program itself; unset it", e);
        }
        catch (CaptureException e)
        {
            throw new UserException(ExitStatus.Unusable, e.Message, e);
        }
    }

    /// <summary>How settings want a ring.</summary>
    public static PacketRingOptions OptionsOf(SensorSettings settings) => new(settings.Interface!)
    {
        BlockBytes = BlockBytes,
        BlockCount = settings.RingMegabytes * ((1 << 20) / BlockBytes),
        BlockTimeout = TimeSpan.FromMilliseconds(settings.BlockTimeoutMilliseconds),
        Promiscuous = settings.Promiscuous,
        Filter = settings.Filter,
    };

    /// <summary>
    /// Gives privileges up: becomes the user that settings name, or, when it is no root that holds capabilities, starts the program anew without them
    /// (then this does not return).
    /// </summary>
    public static void DropPrivileges(SensorSettings settings, IReadOnlyList<ILiveSource> rings)
    {
        if (settings.User is not null && Environment.IsPrivilegedProcess)
            Privileges.Drop(settings.User);
        else if (Privileges.HasCapabilities && rings.All(static r => r is PacketRing))
            Privileges.StartAnew([.. rings.Cast<PacketRing>().Select(static r => r.Descriptor)], Inherited);
        else if (Privileges.HasCapabilities)
            ServiceLog.Write("the sensor keeps its capabilities: what SharpPcap has opened cannot be taken over by a program started anew");
        else if (Environment.IsPrivilegedProcess)
            ServiceLog.Write("the sensor runs as root; 'user: NAME' in the configuration, or --user NAME, makes it give that up");
    }
}
