using System.Buffers.Binary;
using IoTGuard.Wire.Application.Smb;

namespace IoTGuard.Analysis.Sessions;

/// <summary>Recognises SMB in the first bytes of a direction: an SMB message in its four-byte frame, or the NetBIOS session request before it.</summary>
internal static class SmbProbe
{
    private const int MessagePrefix = NetBiosSessionHeader.Size + 4;

    public static ProbeResult Probe(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty)
            return ProbeResult.Unsure;
        switch (data[0])
        {
            case (byte)NetBiosSessionType.Message:
                if (data.Length >= 5 && data[4] is < 0xFC)
                    return ProbeResult.NotForUs;
                if (data.Length < MessagePrefix)
                    return data.Length < 5 || "SMB"u8.StartsWith(data[5..]) ? ProbeResult.Unsure : ProbeResult.NotForUs;
                return IsSmb(BinaryPrimitives.ReadUInt32LittleEndian(data[4..])) ? ProbeResult.Certain : ProbeResult.NotForUs;

            // RFC 1002 4.3.2: called and calling name in the encoding of 32 letters from A to P, each with its length in front.
            case (byte)NetBiosSessionType.Request:
                if (data.Length < 7)
                    return ProbeResult.Unsure;
                return data[1] == 0 && data[2] == 0 && data[3] is >= 68 and < 128 && data[4] == 32 && data[5] is >= (byte)'A' and <= (byte)'P' && data[6] is >= (byte)'A' and <= (byte)'P'
                    ? ProbeResult.Certain
                    : ProbeResult.NotForUs;
            case (byte)NetBiosSessionType.PositiveResponse:
                if (data.Length < 4)
                    return ProbeResult.Unsure;
                return data[1] == 0 && data[2] == 0 && data[3] == 0 ? ProbeResult.Likely : ProbeResult.NotForUs;
            default:
                return ProbeResult.NotForUs;
        }
    }

    /// <summary>True for the protocol ids that SMB messages begin with.</summary>
    public static bool IsSmb(uint id) => id is Smb2Header.ProtocolId or Smb1Header.ProtocolId or Smb2Header.TransformId or Smb2Header.CompressionId;
}
