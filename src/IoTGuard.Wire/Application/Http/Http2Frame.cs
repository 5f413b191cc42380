using System.Buffers.Binary;

namespace IoTGuard.Wire.Application.Http;

/// <summary>Frame types of HTTP/2 (RFC 9113 section 6).</summary>
public enum Http2FrameType : byte
{
    Data,
    Headers,
    Priority,
    ResetStream,
    Settings,
    PushPromise,
    Ping,
    GoAway,
    WindowUpdate,
    Continuation,
}

/// <summary>The nine bytes before each frame (RFC 9113 4.1).</summary>
/// <param name="Length">Bytes of the payload, up to 2²⁴ - 1.</param>
/// <param name="Type">Type; values beyond those known are extensions.</param>
/// <param name="Flags">Flags, whose meaning depends on the type.</param>
/// <param name="Stream">Stream; 0 = the connection.</param>
public readonly record struct Http2Frame(int Length, Http2FrameType Type, byte Flags, int Stream)
{
    public const int HeaderBytes = 9;
    public const byte EndStream = 0x1;
    public const byte EndHeaders = 0x4;
    public const byte Padded = 0x8;
    public const byte HasPriority = 0x20;

    /// <summary>What a client sends first (RFC 9113 3.4).</summary>
    public static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    public bool Has(byte flag) => (Flags & flag) != 0;

    /// <summary>Reads a header; the bytes must be there.</summary>
    public static Http2Frame Read(ReadOnlySpan<byte> data) => new(
        (data[0] << 16) | (data[1] << 8) | data[2], (Http2FrameType)data[3], data[4], (int)(BinaryPrimitives.ReadUInt32BigEndian(data[5..]) & 0x7FFF_FFFF));

    /// <summary>The payload without padding (6.1), priority (6.2) and promised stream (6.6); false when it contradicts itself.</summary>
    public bool TryGetContent(ReadOnlySpan<byte> payload, out ReadOnlySpan<byte> content)
    {
        content = payload;
        var canPad = Type is Http2FrameType.Data or Http2FrameType.Headers or Http2FrameType.PushPromise;
        if (canPad && Has(Padded))
        {
            if (payload.IsEmpty || payload[0] >= payload.Length)
                return false;
            content = payload[1..(payload.Length - payload[0])];
        }

        var before = Type switch { Http2FrameType.Headers when Has(HasPriority) => 5, Http2FrameType.PushPromise => 4, _ => 0 };
        if (content.Length < before)
            return false;
        content = content[before..];
        return true;
    }
}
