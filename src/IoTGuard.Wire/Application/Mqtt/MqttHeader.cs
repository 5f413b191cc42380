namespace IoTGuard.Wire.Application.Mqtt;

/// <summary>Control packets of MQTT 3.1.1 and 5 (section 2.1.2).</summary>
public enum MqttType : byte
{
    Connect = 1,
    ConnectAcknowledge = 2,
    Publish = 3,
    PublishAcknowledge = 4,
    PublishReceived = 5,
    PublishRelease = 6,
    PublishComplete = 7,
    Subscribe = 8,
    SubscribeAcknowledge = 9,
    Unsubscribe = 10,
    UnsubscribeAcknowledge = 11,
    PingRequest = 12,
    PingResponse = 13,
    Disconnect = 14,
    Authenticate = 15,
}

/// <summary>The fixed header of a control packet (MQTT 5 section 2.1).</summary>
/// <param name="Type">What it is.</param>
/// <param name="Flags">Lower four bits of the first byte.</param>
/// <param name="HeaderLength">Bytes of the header.</param>
/// <param name="Length">Remaining length: bytes after the header.</param>
public readonly record struct MqttHeader(MqttType Type, byte Flags, int HeaderLength, int Length)
{
    /// <summary>Longest header, bytes.</summary>
    public const int MaximumSize = 5;

    /// <summary>Quality of service of a PUBLISH.</summary>
    public int Quality => (Flags >> 1) & 3;

    public bool IsRetained => (Flags & 1) != 0;

    /// <summary>True when type and flags are those that the standard allows.</summary>
    public bool IsValid => Length >= 0 && Type switch
    {
        0 => false,
        MqttType.Publish => Quality < 3,
        MqttType.PublishRelease or MqttType.Subscribe or MqttType.Unsubscribe => Flags == 2,
        _ => Flags == 0,
    };

    /// <summary>Reads a header; null when more bytes are needed, a negative length when the length is malformed.</summary>
    public static MqttHeader? Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
            return null;
        var length = 0;
        for (var i = 1; i < MaximumSize; i++)
        {
            if (i >= bytes.Length)
                return null;
            length |= (bytes[i] & 0x7F) << (7 * (i - 1));
            if (bytes[i] < 0x80)
                return new MqttHeader((MqttType)(bytes[0] >> 4), (byte)(bytes[0] & 15), i + 1, length);
        }

        return new MqttHeader((MqttType)(bytes[0] >> 4), (byte)(bytes[0] & 15), MaximumSize, -1);
    }
}

/// <summary>Reads the fields of a control packet one after the other; what is cut reads as nothing and sets <see cref="IsCut"/>.</summary>
public ref struct MqttFields(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public bool IsCut { get; private set; }

    public readonly bool IsEmpty => _rest.IsEmpty;

    public byte Byte()
    {
        if (_rest.IsEmpty)
        {
            IsCut = true;
            return 0;
        }

        var value = _rest[0];
        _rest = _rest[1..];
        return value;
    }

    public ushort Number() => (ushort)((Byte() << 8) | Byte());

    /// <summary>A text or binary field with its length in front (section 1.5.4).</summary>
    public ReadOnlySpan<byte> Text()
    {
        int length = Number();
        if (length > _rest.Length)
        {
            IsCut = true;
            length = _rest.Length;
        }

        var text = _rest[..length];
        _rest = _rest[length..];
        return text;
    }

    /// <summary>Passes over the properties of MQTT 5 (section 2.2.2).</summary>
    public void Properties()
    {
        var length = 0;
        for (var shift = 0; shift < 28; shift += 7)
        {
            var octet = Byte();
            length |= (octet & 0x7F) << shift;
            if (octet < 0x80)
                break;
        }

        if (length > _rest.Length)
            IsCut = true;
        _rest = _rest[Math.Min(length, _rest.Length)..];
    }
}
