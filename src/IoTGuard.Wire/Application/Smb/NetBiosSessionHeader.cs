using System.Buffers.Binary;

namespace IoTGuard.Wire.Application.Smb;

/// <summary>Types of the packets that carry SMB over TCP (RFC 1002 4.3.1; MS-SMB2 2.1 for port 445).</summary>
public enum NetBiosSessionType : byte
{
    Message = 0x00,
    Request = 0x81,
    PositiveResponse = 0x82,
    NegativeResponse = 0x83,
    RetargetResponse = 0x84,
    KeepAlive = 0x85,
}

/// <summary>The four bytes in front of every SMB message over TCP.</summary>
/// <param name="Type">Packet type.</param>
/// <param name="Length">Bytes after the header: 24 bits (MS-SMB2 2.1), of which NetBIOS uses 17.</param>
public readonly record struct NetBiosSessionHeader(NetBiosSessionType Type, int Length)
{
    /// <summary>Bytes of a header.</summary>
    public const int Size = 4;

    /// <summary>True for the types of RFC 1002.</summary>
    public bool IsKnown => Type is NetBiosSessionType.Message or (>= NetBiosSessionType.Request and <= NetBiosSessionType.KeepAlive);

    /// <summary>Reads a header; <paramref name="bytes"/> holds at least <see cref="Size"/>.</summary>
    public static NetBiosSessionHeader Read(ReadOnlySpan<byte> bytes) =>
        new((NetBiosSessionType)bytes[0], (int)(BinaryPrimitives.ReadUInt32BigEndian(bytes) & 0xFF_FFFF));
}
