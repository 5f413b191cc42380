using IoTGuard.Analysis.Inventory;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Features;

/// <summary>What a device did in a window, as sums. "Out" is what the device sends or asks, "in" what it receives or is asked.</summary>
public struct WindowCounters
{
    public long PacketsOut;
    public long PacketsIn;
    public long BytesOut;
    public long BytesIn;
    public long PayloadOut;
    public long PayloadIn;
    public long OutsideBytesOut;
    public long OutsideBytesIn;

    /// <summary>Flows opened by the device, and to it.</summary>
    public int FlowsOut;
    public int FlowsIn;
    public int TcpFlows;
    public int UdpFlows;
    public int OutsideFlows;

    /// <summary>Flows that ended, and the sum of their durations, s.</summary>
    public int Ended;
    public double EndedSeconds;

    /// <summary>TCP connections of the device that were refused by RST, and those it refused.</summary>
    public int Refused;
    public int Refusals;

    /// <summary>Flows of the device that ended without an answer, and those that it did not answer.</summary>
    public int Unanswered;
    public int Ignored;
    public int NewPeers;

    /// <summary>Ended flows by what they carried.</summary>
    public int MedicalFlows;
    public int WebFlows;
    public int EncryptedFlows;
    public int FileFlows;
    public int NameFlows;
    public int UnknownFlows;

    public int Associations;
    public int Rejections;
    public int Aborts;
    public int StoresOut;
    public int StoresIn;
    public int Finds;
    public int Retrieves;
    public int Served;
    public int DicomFailures;
    public long ObjectBytesOut;
    public long ObjectBytesIn;

    public int MessagesOut;
    public int MessagesIn;
    public int Nacks;

    public int Questions;
    public int NameFailures;
    public int Logins;
    public int LoginFailures;
    public int WebRequests;
    public int WebErrors;
    public int FileReads;
    public int FileWrites;
    public int FileRenames;
    public int FileDeletes;
    public long FileBytesRead;
    public long FileBytesWritten;
    public int Faults;
}

/// <summary>
/// What one device did in one window of packet time. Held by <see cref="WindowBook"/> and used again for a later window: readers keep nothing of
/// it past the call that gave it to them.
/// </summary>
public sealed class DeviceWindow
{
    /// <summary>Length of windows when nothing else is said, and of those that models judge, s.</summary>
    public const int DefaultSeconds = 60;

    internal DeviceWindow()
    {
    }

    /// <summary>The address that stands for the device.</summary>
    public IpAddress Address { get; internal set; }

    /// <summary>Role of the device when the window ended.</summary>
    public DeviceRole Role { get; internal set; }

    /// <summary>True when the device was in the inventory when the window ended.</summary>
    public bool IsKnown { get; internal set; }

    /// <summary>The window is after this packet time, ns, and up to <see cref="EndNs"/>.</summary>
    public long StartNs { get; internal set; }

    public long EndNs { get; internal set; }

    /// <summary>False for the first and the last window of a run, which may be cut short.</summary>
    public bool IsComplete { get; internal set; }

    /// <summary>The sums.</summary>
    public WindowCounters Counters;

    /// <summary>Other sides of its flows.</summary>
    internal DistinctCounter Peers { get; } = new();

    /// <summary>Services it asked: address, protocol and port.</summary>
    internal DistinctCounter Services { get; } = new();

    /// <summary>Ports it asked at any address.</summary>
    internal DistinctCounter PortsOut { get; } = new();

    /// <summary>Ports of its own that were asked.</summary>
    internal DistinctCounter PortsIn { get; } = new();

    /// <summary>Names it asked for in DNS.</summary>
    internal DistinctCounter Names { get; } = new();

    internal void Clear()
    {
        Counters = default;
        Peers.Clear();
        Services.Clear();
        PortsOut.Clear();
        PortsIn.Clear();
        Names.Clear();
    }
}
