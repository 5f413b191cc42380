using IoTGuard.Wire.Application.Asn1;

namespace IoTGuard.Wire.Application.Kerberos;

/// <summary>Messages by their application tag (RFC 4120, 5).</summary>
public enum KerberosKind : byte
{
    None = 0,
    AsRequest = 10,
    AsReply = 11,
    TgsRequest = 12,
    TgsReply = 13,
    Error = 30,
}

/// <summary>A Kerberos message as far as it was captured. Points into it.</summary>
public readonly ref struct KerberosMessage
{
    private const byte ApplicationClass = 0x60;
    private const byte ContextClass = 0xA0;
    private const byte GeneralString = 0x1B;
    private const byte Version = 5;

    public KerberosKind Kind { get; private init; }

    /// <summary>Realm of a request's body, of the client in a reply, of the server in an error.</summary>
    public ReadOnlySpan<byte> Realm { get; private init; }

    /// <summary>First part of the client's name: a user or host. Never to be shown.</summary>
    public ReadOnlySpan<byte> Client { get; private init; }

    /// <summary>First and second part of the service's name.</summary>
    public ReadOnlySpan<byte> Service { get; private init; }

    public ReadOnlySpan<byte> Instance { get; private init; }

    /// <summary>error-code; 0 elsewhere.</summary>
    public int ErrorCode { get; private init; }

    /// <summary>Encryption of a reply's ticket (or, without one, of its own part); of a request the first that is wanted.</summary>
    public int Encryption { get; private init; }

    /// <summary>A request offers RC4 or DES only.</summary>
    public bool IsWeak { get; private init; }

    /// <summary>A request carries an encrypted timestamp (PA-ENC-TIMESTAMP) or a ticket.</summary>
    public bool IsPreauthenticated { get; private init; }

    /// <summary>Reads a message without the length that goes before it over TCP; false when it is none.</summary>
    public static bool TryRead(ReadOnlySpan<byte> data, out KerberosMessage message)
    {
        message = default;
        var reader = new BerReader(data);
        var kind = (KerberosKind)(reader.Next & 0x1F);
        if ((reader.Next & 0xE0) != ApplicationClass || !reader.TryEnter(reader.Next, out var outer) || !outer.TryEnter(BerReader.Sequence, out var body))
            return false;
        switch (kind)
        {
            case KerberosKind.AsRequest or KerberosKind.TgsRequest:
                return TryReadRequest(kind, body, out message);
            case KerberosKind.AsReply or KerberosKind.TgsReply:
                return TryReadReply(kind, body, out message);
            case KerberosKind.Error:
                return TryReadError(body, out message);
            default:
                return false;
        }
    }

    private static bool TryReadRequest(KerberosKind kind, BerReader body, out KerberosMessage message)
    {
        message = default;
        if (!IsVersion(ref body, 1) || !body.TryRead(Tag(2), out _))
            return false;
        var isPreauthenticated = body.TryEnter(Tag(3), out var padata) && HasProof(padata);
        if (!body.TryEnter(Tag(4), out var wrapper) || !wrapper.TryEnter(BerReader.Sequence, out var request))
            return false;
        ReadOnlySpan<byte> realm = default, client = default, service = default, instance = default;
        var encryption = 0;
        var isWeak = false;
        while (request.TryRead(out var tag, out var content))
        {
            var inner = new BerReader(content);
            if (tag == Tag(1))
                Name(inner, out client, out _);
            else if (tag == Tag(2))
                inner.TryRead(GeneralString, out realm);
            else if (tag == Tag(3))
                Name(inner, out service, out instance);
            else if (tag == Tag(8))
                encryption = Encryptions(inner, out isWeak);
        }

        message = new KerberosMessage
        {
            Kind = kind,
            Realm = realm,
            Client = client,
            Service = service,
            Instance = instance,
            Encryption = encryption,
            IsWeak = isWeak,
            IsPreauthenticated = isPreauthenticated,
        };
        return true;
    }

    private static bool TryReadReply(KerberosKind kind, BerReader body, out KerberosMessage message)
    {
        message = default;
        if (!IsVersion(ref body, 0))
            return false;
        ReadOnlySpan<byte> realm = default, client = default, service = default, instance = default;
        var encryption = 0;
        while (body.TryRead(out var tag, out var content))
        {
            var inner = new BerReader(content);
            if (tag == Tag(3))
                inner.TryRead(GeneralString, out realm);
            else if (tag == Tag(4))
                Name(inner, out client, out _);
            else if (tag == Tag(5))
                Ticket(inner, out service, out instance, out encryption);
        }

        message = new KerberosMessage { Kind = kind, Realm = realm, Client = client, Service = service, Instance = instance, Encryption = encryption };
        return true;
    }

    private static bool TryReadError(BerReader body, out KerberosMessage message)
    {
        message = default;
        if (!IsVersion(ref body, 0))
            return false;
        ReadOnlySpan<byte> realm = default, service = default, instance = default;
        var code = 0L;
        while (body.TryRead(out var tag, out var content))
        {
            var inner = new BerReader(content);
            if (tag == Tag(6))
                inner.TryReadInteger(out code);
            else if (tag == Tag(9))
                inner.TryRead(GeneralString, out realm);
            else if (tag == Tag(10))
                Name(inner, out service, out instance);
        }

        message = new KerberosMessage { Kind = KerberosKind.Error, Realm = realm, Service = service, Instance = instance, ErrorCode = (int)code };
        return true;
    }

    private static byte Tag(int number) => (byte)(ContextClass | number);

    private static bool IsVersion(ref BerReader body, int number) =>
        body.TryEnter(Tag(number), out var version) && version.TryReadInteger(out var value) && value == Version;

    /// <summary>PrincipalName: a type, and a sequence of strings (5.2.2).</summary>
    private static void Name(BerReader inner, out ReadOnlySpan<byte> first, out ReadOnlySpan<byte> second)
    {
        first = second = default;
        if (!inner.TryEnter(BerReader.Sequence, out var name) || !name.TryRead(Tag(0), out _) || !name.TryEnter(Tag(1), out var wrapper)
            || !wrapper.TryEnter(BerReader.Sequence, out var parts))
            return;
        parts.TryRead(GeneralString, out first);
        parts.TryRead(GeneralString, out second);
    }

    /// <summary>Ticket: version, realm, service, encrypted part with its type (5.3).</summary>
    private static void Ticket(BerReader inner, out ReadOnlySpan<byte> service, out ReadOnlySpan<byte> instance, out int encryption)
    {
        service = instance = default;
        encryption = 0;
        if (!inner.TryEnter(ApplicationClass | 1, out var outer) || !outer.TryEnter(BerReader.Sequence, out var ticket))
            return;
        while (ticket.TryRead(out var tag, out var content))
        {
            if (tag == Tag(2))
                Name(new BerReader(content), out service, out instance);
            else if (tag == Tag(3) && new BerReader(content).TryEnter(BerReader.Sequence, out var part) && part.TryEnter(Tag(0), out var type)
                && type.TryReadInteger(out var value))
                encryption = (int)value;
        }
    }

    private static int Encryptions(BerReader inner, out bool isWeak)
    {
        var first = 0L;
        var count = 0;
        var strong = 0;
        if (inner.TryEnter(BerReader.Sequence, out var list))
        {
            while (list.TryReadInteger(out var type))
            {
                if (count++ == 0)
                    first = type;

                // AES (RFC 3962, RFC 8009) and Camellia (RFC 6803) are 17 to 20, 25 and 26.
                strong += type is (>= 17 and <= 20) or 25 or 26 ? 1 : 0;
            }
        }

        isWeak = count > 0 && strong == 0;
        return (int)first;
    }

    /// <summary>PA-TGS-REQ (1) or PA-ENC-TIMESTAMP (2) or PKINIT (16) among the pre-authentication data.</summary>
    private static bool HasProof(BerReader wrapper)
    {
        if (!wrapper.TryEnter(BerReader.Sequence, out var list))
            return false;
        while (list.TryEnter(BerReader.Sequence, out var item))
        {
            if (item.TryEnter(Tag(1), out var type) && type.TryReadInteger(out var value) && value is 1 or 2 or 16 or 138)
                return true;
        }

        return false;
    }
}
