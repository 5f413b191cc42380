namespace IoTGuard.Wire.Application.Ldap;

/// <summary>Operations of LDAP by their tags (RFC 4511 4.2 to 4.14).</summary>
public enum LdapOperation : byte
{
    BindRequest = 0x60,
    BindResponse = 0x61,
    UnbindRequest = 0x42,
    SearchRequest = 0x63,
    SearchResultEntry = 0x64,
    SearchResultDone = 0x65,
    ModifyRequest = 0x66,
    ModifyResponse = 0x67,
    AddRequest = 0x68,
    AddResponse = 0x69,
    DeleteRequest = 0x4A,
    DeleteResponse = 0x6B,
    ModifyNameRequest = 0x6C,
    ModifyNameResponse = 0x6D,
    CompareRequest = 0x6E,
    CompareResponse = 0x6F,
    AbandonRequest = 0x50,
    SearchResultReference = 0x73,
    ExtendedRequest = 0x77,
    ExtendedResponse = 0x78,
    IntermediateResponse = 0x79,
}

/// <summary>The envelope of an LDAP message (RFC 4511 4.1.1): message id and operation. The span points into the bytes it was read from.</summary>
public readonly ref struct LdapMessage
{
    private const byte Sequence = 0x30;
    private const byte Integer = 0x02;

    private LdapMessage(int id, LdapOperation operation, ReadOnlySpan<byte> content)
    {
        Id = id;
        Operation = operation;
        Content = content;
    }

    public int Id { get; }

    public LdapOperation Operation { get; }

    /// <summary>What the operation holds, as far as it is there.</summary>
    public ReadOnlySpan<byte> Content { get; }

    /// <summary>resultCode of a response (4.1.9); -1 when it is cut.</summary>
    public int ResultCode
    {
        get
        {
            var reader = new BerReader(Content);
            return reader.MoveTo(0x0A) ? reader.Number() : -1;
        }
    }

    /// <summary>True for the tags of the standard.</summary>
    public static bool IsKnown(byte tag) => tag is 0x42 or 0x4A or 0x50 or (>= 0x60 and <= 0x61) or (>= 0x63 and <= 0x69) or (>= 0x6B and <= 0x6F) or 0x73 or (>= 0x77 and <= 0x79);

    /// <summary>Reads an envelope whose beginning is there; false when it is none or its operation's tag is cut.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out LdapMessage message)
    {
        message = default;
        var outer = new BerReader(bytes);
        if (!outer.MoveTo(Sequence))
            return false;
        var inner = new BerReader(outer.Value);
        if (!inner.MoveTo(Integer))
            return false;
        var id = inner.Number();
        if (id < 0 || !inner.MoveNext() || !IsKnown(inner.Tag))
            return false;
        message = new LdapMessage(id, (LdapOperation)inner.Tag, inner.Value);
        return true;
    }
}
