using IoTGuard.Wire.Application.Asn1;

namespace IoTGuard.Wire.Application.Snmp;

/// <summary>Protocol data units by their tag (RFC 3416, 3; RFC 1157, 4.1.6).</summary>
public enum SnmpPdu : byte
{
    /// <summary>Encrypted (SNMPv3), or not seen.</summary>
    None = 0,
    Get = 0xA0,
    GetNext = 0xA1,
    Response = 0xA2,
    Set = 0xA3,
    TrapV1 = 0xA4,
    GetBulk = 0xA5,
    Inform = 0xA6,
    Trap = 0xA7,
    Report = 0xA8,
}

/// <summary>An SNMP message of any version, as far as it was captured. Points into the datagram.</summary>
public readonly ref struct SnmpMessage
{
    private const long V3 = 3;

    /// <summary>msgVersion: 0 = version 1, 1 = version 2c, 3 = version 3.</summary>
    public long Version { get; private init; }

    /// <summary>The community of versions 1 and 2c. Never to be shown.</summary>
    public ReadOnlySpan<byte> Community { get; private init; }

    /// <summary>msgFlags of version 3: 1 = authenticated, 2 = encrypted.</summary>
    public byte SecurityFlags { get; private init; }

    public SnmpPdu Pdu { get; private init; }

    /// <summary>Request id, of version 3 the message id.</summary>
    public long Id { get; private init; }

    /// <summary>error-status; of GetBulk non-repeaters.</summary>
    public long ErrorStatus { get; private init; }

    /// <summary>error-index; of GetBulk max-repetitions.</summary>
    public long ErrorIndex { get; private init; }

    /// <summary>The variable bindings, to walk over: sequences of a name and a value.</summary>
    public BerReader Variables { get; private init; }

    /// <summary>True when the message goes beyond the bytes.</summary>
    public bool IsClipped { get; private init; }

    /// <summary>Reads a message; false when the bytes are none.</summary>
    public static bool TryRead(ReadOnlySpan<byte> datagram, out SnmpMessage message)
    {
        message = default;
        var outer = new BerReader(datagram);
        if (!outer.TryEnter(BerReader.Sequence, out var body) || !body.TryReadInteger(out var version))
            return false;
        if (version == V3)
            return TryReadV3(body, outer.IsClipped, out message);
        if (version is not (0 or 1) || !body.TryRead(BerReader.OctetString, out var community) || !body.TryRead(out var tag, out var content) || !IsPdu(tag))
            return false;
        return TryReadPdu(content, (SnmpPdu)tag, outer.IsClipped, out message) && Assign(ref message, version, community);
    }

    private static bool Assign(ref SnmpMessage message, long version, ReadOnlySpan<byte> community)
    {
        message = new SnmpMessage
        {
            Version = version,
            Community = community,
            Pdu = message.Pdu,
            Id = message.Id,
            ErrorStatus = message.ErrorStatus,
            ErrorIndex = message.ErrorIndex,
            Variables = message.Variables,
            IsClipped = message.IsClipped,
        };
        return true;
    }

    /// <summary>RFC 3412, 6: global data, security parameters, and the scoped PDU in the clear or as an octet string.</summary>
    private static bool TryReadV3(BerReader body, bool isClipped, out SnmpMessage message)
    {
        message = default;
        if (!body.TryEnter(BerReader.Sequence, out var global) || !global.TryReadInteger(out var id) || !global.TryReadInteger(out _)
            || !global.TryRead(BerReader.OctetString, out var flags) || flags.IsEmpty || !body.TryRead(BerReader.OctetString, out _))
            return false;
        var inner = default(SnmpMessage);
        if (body.TryEnter(BerReader.Sequence, out var scoped) && scoped.TryRead(BerReader.OctetString, out _) && scoped.TryRead(BerReader.OctetString, out _)
            && scoped.TryRead(out var tag, out var content) && IsPdu(tag))
            TryReadPdu(content, (SnmpPdu)tag, isClipped, out inner);
        message = new SnmpMessage
        {
            Version = V3,
            SecurityFlags = flags[0],
            Pdu = inner.Pdu,
            Id = id,
            ErrorStatus = inner.ErrorStatus,
            ErrorIndex = inner.ErrorIndex,
            Variables = inner.Variables,
            IsClipped = isClipped,
        };
        return true;
    }

    private static bool TryReadPdu(ReadOnlySpan<byte> content, SnmpPdu pdu, bool isClipped, out SnmpMessage message)
    {
        message = default;
        var reader = new BerReader(content);
        long id = 0, status = 0, index = 0;
        if (pdu == SnmpPdu.TrapV1)
        {
            // enterprise, agent-addr, generic-trap, specific-trap, time-stamp
            if (!reader.TryRead(BerReader.ObjectIdentifier, out _) || !reader.TryRead(out _, out _) || !reader.TryReadInteger(out status)
                || !reader.TryReadInteger(out index) || !reader.TryRead(out _, out _))
                return false;
        }
        else if (!reader.TryReadInteger(out id) || !reader.TryReadInteger(out status) || !reader.TryReadInteger(out index))
        {
            return false;
        }

        reader.TryEnter(BerReader.Sequence, out var variables);
        message = new SnmpMessage { Pdu = pdu, Id = id, ErrorStatus = status, ErrorIndex = index, Variables = variables, IsClipped = isClipped };
        return true;
    }

    private static bool IsPdu(byte tag) => tag is >= (byte)SnmpPdu.Get and <= (byte)SnmpPdu.Report;
}
