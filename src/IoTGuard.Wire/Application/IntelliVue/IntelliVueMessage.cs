using System.Buffers.Binary;

namespace IoTGuard.Wire.Application.IntelliVue;

/// <summary>Messages of the data export protocol (Philips IntelliVue Data Export Interface Programming Guide).</summary>
public enum IntelliVueMessageKind : byte
{
    None,

    /// <summary>A monitor tells the network that it is there, by broadcast.</summary>
    ConnectIndication,
    AssociationRequest,
    AssociationResponse,
    AssociationRefuse,
    ReleaseRequest,
    ReleaseResponse,
    AssociationAbort,

    /// <summary>The monitor describes itself.</summary>
    MdsCreate,

    /// <summary>Another event report, or the confirmation of one.</summary>
    EventReport,
    PollRequest,

    /// <summary>Measurements. Never looked into.</summary>
    PollResult,
    Get,
    Set,
    OtherResult,
    Error,
}

/// <summary>
/// A message of the data export protocol: an association control message that begins with a session header, a presented message (E1 00), or the
/// connect indication (Nomenclature 00 01 00 00). Only headers are read; what patients' measurements would stand in is not looked at.
/// </summary>
public readonly ref struct IntelliVueMessage
{
    private const ushort SessionId = 0xE100;
    private const int PresentationSize = 4;
    private const int NomenclatureSize = 4;
    private const int OperationHeadSize = 4;
    private const int CommandHeadSize = 6;
    private const ushort Invoke = 1;
    private const ushort Result = 2;
    private const ushort RemoteError = 3;
    private const ushort LinkedResult = 5;
    private const ushort MdsCreateEvent = 0x0D06;
    private const ushort ConnectEvent = 0x0D17;
    private const ushort PollAction = 0x0C16;
    private const ushort ExtendedPollAction = 0xF13B;

    public IntelliVueMessageKind Kind { get; private init; }

    public ushort InvokeId { get; private init; }

    /// <summary>The attributes of a connect indication or of MDS Create: a count and a length, then attributes.</summary>
    public ReadOnlySpan<byte> Attributes { get; private init; }

    /// <summary>Reads a message as far as it was captured; false when it is none.</summary>
    public static bool TryRead(ReadOnlySpan<byte> data, out IntelliVueMessage message)
    {
        message = default;
        if (data.Length < 4)
            return false;
        if (BinaryPrimitives.ReadUInt16BigEndian(data) == SessionId)
            return TryReadOperation(data[PresentationSize..], out message);
        if (BinaryPrimitives.ReadUInt32BigEndian(data) == 0x0001_0000)
            return TryReadOperation(data[NomenclatureSize..], out message) && message.Kind == IntelliVueMessageKind.ConnectIndication;
        var kind = data[0] switch
        {
            0x0D => IntelliVueMessageKind.AssociationRequest,
            0x0E => IntelliVueMessageKind.AssociationResponse,
            0x0C => IntelliVueMessageKind.AssociationRefuse,
            0x09 => IntelliVueMessageKind.ReleaseRequest,
            0x0A => IntelliVueMessageKind.ReleaseResponse,
            0x19 => IntelliVueMessageKind.AssociationAbort,
            _ => IntelliVueMessageKind.None,
        };
        if (kind == IntelliVueMessageKind.None || !HasLength(data[1..]))
            return false;
        message = new IntelliVueMessage { Kind = kind };
        return true;
    }

    /// <summary>LI: one byte, or FF and two (ISO 8327-1, 8.2.3); no more than the datagram holds, as long as it is whole.</summary>
    private static bool HasLength(ReadOnlySpan<byte> rest)
    {
        if (rest[0] != 0xFF)
            return rest[0] >= rest.Length - 1;
        return rest.Length >= 3 && BinaryPrimitives.ReadUInt16BigEndian(rest[1..]) >= rest.Length - 3;
    }

    private static bool TryReadOperation(ReadOnlySpan<byte> rest, out IntelliVueMessage message)
    {
        message = default;
        if (rest.Length < OperationHeadSize + CommandHeadSize)
            return false;
        var operation = BinaryPrimitives.ReadUInt16BigEndian(rest);
        rest = rest[OperationHeadSize..];
        if (operation == LinkedResult)
        {
            // RorlsId: state and count, before the rest.
            if (rest.Length < 2 + CommandHeadSize)
                return false;
            rest = rest[2..];
        }

        if (operation is not (Invoke or Result or RemoteError or LinkedResult))
            return false;
        var invokeId = BinaryPrimitives.ReadUInt16BigEndian(rest);
        var command = BinaryPrimitives.ReadUInt16BigEndian(rest[2..]);
        var argument = rest[CommandHeadSize..];
        ReadOnlySpan<byte> attributes = default;
        var kind = operation == RemoteError ? IntelliVueMessageKind.Error : command switch
        {
            0 or 1 => EventOf(argument, out attributes),
            3 when operation == Invoke => IntelliVueMessageKind.Get,
            4 or 5 when operation == Invoke => IntelliVueMessageKind.Set,
            7 when operation == Invoke && IsPoll(argument, 10) => IntelliVueMessageKind.PollRequest,
            7 when operation != Invoke && IsPoll(argument, 6) => IntelliVueMessageKind.PollResult,
            _ => IntelliVueMessageKind.OtherResult,
        };
        message = new IntelliVueMessage { Kind = kind, InvokeId = invokeId, Attributes = attributes };
        return true;
    }

    /// <summary>ManagedObjectId (6), relative time (4), event type (2), length (2).</summary>
    private static IntelliVueMessageKind EventOf(ReadOnlySpan<byte> argument, out ReadOnlySpan<byte> attributes)
    {
        attributes = default;
        if (argument.Length < 14)
            return IntelliVueMessageKind.EventReport;
        var type = BinaryPrimitives.ReadUInt16BigEndian(argument[10..]);
        attributes = argument[14..];
        if (type == MdsCreateEvent)
        {
            // MDSCreateInfo: the managed object again, before the attributes.
            attributes = attributes.Length >= 6 ? attributes[6..] : default;
            return IntelliVueMessageKind.MdsCreate;
        }

        return type == ConnectEvent ? IntelliVueMessageKind.ConnectIndication : IntelliVueMessageKind.EventReport;
    }

    private static bool IsPoll(ReadOnlySpan<byte> argument, int offset) =>
        argument.Length >= offset + 2 && BinaryPrimitives.ReadUInt16BigEndian(argument[offset..]) is PollAction or ExtendedPollAction;
}

/// <summary>Walks over an attribute list: a count and a length, then of each attribute its id, length and value.</summary>
public ref struct IntelliVueAttributeReader(ReadOnlySpan<byte> list)
{
    private ReadOnlySpan<byte> _rest = list.Length >= 4 ? list[4..] : default;
    private int _left = list.Length >= 4 ? BinaryPrimitives.ReadUInt16BigEndian(list) : 0;

    public bool TryRead(out ushort id, out ReadOnlySpan<byte> value)
    {
        id = 0;
        value = default;
        if (_left-- <= 0 || _rest.Length < 4)
            return false;
        var length = BinaryPrimitives.ReadUInt16BigEndian(_rest[2..]);
        if (_rest.Length < 4 + length)
            return false;
        id = BinaryPrimitives.ReadUInt16BigEndian(_rest);
        value = _rest.Slice(4, length);
        _rest = _rest[(4 + length)..];
        return true;
    }
}
