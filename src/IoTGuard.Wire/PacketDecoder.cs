namespace IoTGuard.Wire;

/// <summary>Link → IP → transport, for one frame. Total: every input gives a view, and what is wrong is in <see cref="PacketView.Fault"/>.</summary>
public static class PacketDecoder
{
    /// <summary>Decodes <paramref name="frame"/> into <paramref name="view"/>, overwriting it.</summary>
    /// <param name="frame">Captured bytes of the frame; not kept.</param>
    /// <param name="link">Link type of its interface.</param>
    /// <param name="auxVlan">VLAN tag stripped by the kernel, as in <see cref="FrameHeader.AuxVlan"/>.</param>
    /// <param name="view">Receives the headers.</param>
    public static void Decode(ReadOnlySpan<byte> frame, LinkType link, uint auxVlan, ref PacketView view)
    {
        view = default;
        view.Fault = new Fault(FaultKind.Unsupported, Layer.Link, 0, (long)link);
    }
}
