using System.Buffers.Binary;

namespace IoTGuard.Wire.Application.Bacnet;

/// <summary>Kinds of application PDUs (ANSI/ASHRAE 135, 20.1).</summary>
public enum BacnetPdu : byte
{
    ConfirmedRequest = 0,
    UnconfirmedRequest = 1,
    SimpleAck = 2,
    ComplexAck = 3,
    SegmentAck = 4,
    Error = 5,
    Reject = 6,
    Abort = 7,

    /// <summary>A message of the network layer, or none.</summary>
    None = 255,
}

/// <summary>A BACnet/IP message (ANSI/ASHRAE 135, annex J, 6 and 20). Points into the datagram.</summary>
public readonly ref struct BacnetMessage
{
    private const byte LinkType = 0x81;
    private const int LinkHeadSize = 4;
    private const byte ForwardedNpdu = 4;
    private const byte NetworkVersion = 1;

    /// <summary>BVLC function: 0x0A original unicast, 0x0B original broadcast, 0x04 forwarded, 0x05 register foreign device …</summary>
    public byte Function { get; private init; }

    public BacnetPdu Pdu { get; private init; }

    /// <summary>Service choice of requests, acknowledgements and errors.</summary>
    public byte Service { get; private init; }

    /// <summary>Invoke id of confirmed services.</summary>
    public byte InvokeId { get; private init; }

    /// <summary>The service's parameters, encoded.</summary>
    public ReadOnlySpan<byte> Parameters { get; private init; }

    /// <summary>Reads a message as far as it was captured; false when it is none.</summary>
    public static bool TryRead(ReadOnlySpan<byte> data, out BacnetMessage message)
    {
        message = default;
        if (data.Length < LinkHeadSize || data[0] != LinkType || data[1] > 0x0C || BinaryPrimitives.ReadUInt16BigEndian(data[2..]) < data.Length)
            return false;
        var function = data[1];
        message = new BacnetMessage { Function = function, Pdu = BacnetPdu.None };
        var rest = data[LinkHeadSize..];
        if (function == ForwardedNpdu)
            rest = rest.Length >= 6 ? rest[6..] : default;
        else if (function is not (0x09 or 0x0A or 0x0B))
            return true;
        if (!TrySkipNetwork(ref rest, out var isNetwork))
            return false;
        return isNetwork || rest.IsEmpty || TryReadApplication(function, rest, out message);
    }

    /// <summary>Version, control, and what control announces (6.2).</summary>
    private static bool TrySkipNetwork(ref ReadOnlySpan<byte> rest, out bool isNetwork)
    {
        isNetwork = false;
        if (rest.Length < 2 || rest[0] != NetworkVersion)
            return false;
        var control = rest[1];
        isNetwork = (control & 0x80) != 0;
        var at = 2;
        var hasDestination = (control & 0x20) != 0;
        if (hasDestination)
            at += rest.Length > at + 2 ? 3 + rest[at + 2] : rest.Length;
        if ((control & 0x08) != 0)
            at += rest.Length > at + 2 ? 3 + rest[at + 2] : rest.Length;
        if (hasDestination)
            at++;
        rest = at <= rest.Length ? rest[at..] : default;
        return true;
    }

    private static bool TryReadApplication(byte function, ReadOnlySpan<byte> rest, out BacnetMessage message)
    {
        var pdu = (BacnetPdu)(rest[0] >> 4);
        var isSegmented = (rest[0] & 8) != 0;
        var (invoke, service) = pdu switch
        {
            BacnetPdu.ConfirmedRequest => (2, isSegmented ? 5 : 3),
            BacnetPdu.UnconfirmedRequest => (-1, 1),
            BacnetPdu.ComplexAck => (1, isSegmented ? 4 : 2),
            BacnetPdu.SimpleAck or BacnetPdu.Error => (1, 2),
            BacnetPdu.SegmentAck or BacnetPdu.Reject or BacnetPdu.Abort => (1, -1),
            _ => (-1, -1),
        };
        message = default;
        if (pdu > BacnetPdu.Abort || rest.Length <= Math.Max(invoke, service))
            return false;
        message = new BacnetMessage
        {
            Function = function,
            Pdu = pdu,
            InvokeId = invoke >= 0 ? rest[invoke] : (byte)0,
            Service = service >= 0 ? rest[service] : (byte)0,
            Parameters = rest[(Math.Max(invoke, service) + 1)..],
        };
        return true;
    }

    /// <summary>Reads a tag (20.2.1): its number, whether it is of a context, and its data; opening and closing tags have none.</summary>
    public static bool TryReadTag(ref ReadOnlySpan<byte> rest, out int number, out bool isContext, out ReadOnlySpan<byte> value)
    {
        number = 0;
        isContext = false;
        value = default;
        if (rest.IsEmpty)
            return false;
        number = rest[0] >> 4;
        isContext = (rest[0] & 8) != 0;
        var length = rest[0] & 7;
        var at = 1;
        if (number == 15)
        {
            if (rest.Length <= at)
                return false;
            number = rest[at++];
        }

        if (isContext && length is 6 or 7)
            length = 0;
        else if (length == 5)
        {
            if (rest.Length <= at)
                return false;
            length = rest[at++];
            if (length >= 254)
                return false;
        }

        if (rest.Length < at + length)
            return false;
        value = rest.Slice(at, length);
        rest = rest[(at + length)..];
        return true;
    }

    /// <summary>An unsigned number of up to four bytes.</summary>
    public static uint ToUnsigned(ReadOnlySpan<byte> value)
    {
        uint number = 0;
        foreach (var octet in value[..Math.Min(value.Length, 4)])
            number = (number << 8) | octet;
        return number;
    }
}
