using System.Buffers.Binary;

namespace IoTGuard.Wire.Application.Ntlm;

/// <summary>Types of NTLM messages (MS-NLMP 2.2.1).</summary>
public enum NtlmMessageType : uint
{
    Negotiate = 1,
    Challenge = 2,
    Authenticate = 3,
}

/// <summary>Attributes of a target (AV_PAIR, MS-NLMP 2.2.2.1).</summary>
public enum NtlmAttribute : ushort
{
    End,
    NetBiosComputerName,
    NetBiosDomainName,
    DnsComputerName,
    DnsDomainName,
}

/// <summary>
/// An NTLM message (MS-NLMP 2.2.1) in whatever carries it: SMB, LDAP, HTTP, RDP, DCERPC. Texts are UTF-16 when <see cref="IsUnicode"/>.
/// Spans point into the bytes that it was read from; a field that is cut is empty.
/// </summary>
public readonly ref struct NtlmMessage
{
    private const uint NegotiateUnicode = 1;
    private const uint NegotiateVersion = 0x0200_0000;

    private readonly ReadOnlySpan<byte> _bytes;

    private NtlmMessage(ReadOnlySpan<byte> bytes, NtlmMessageType type, uint flags)
    {
        _bytes = bytes;
        Type = type;
        Flags = flags;
    }

    private static ReadOnlySpan<byte> Signature => "NTLMSSP\0"u8;

    public NtlmMessageType Type { get; }

    /// <summary>NegotiateFlags.</summary>
    public uint Flags { get; }

    public bool IsUnicode => (Flags & NegotiateUnicode) != 0;

    /// <summary>TargetName of a challenge: the server's domain or name.</summary>
    public ReadOnlySpan<byte> TargetName => Type == NtlmMessageType.Challenge ? Field(12) : default;

    /// <summary>TargetInfo of a challenge: a list of <see cref="NtlmAttribute"/> pairs.</summary>
    public ReadOnlySpan<byte> TargetInfo => Type == NtlmMessageType.Challenge && _bytes.Length >= 48 ? Field(40) : default;

    /// <summary>NtChallengeResponse of an authenticate message: empty or one byte for an anonymous log-on.</summary>
    public int ResponseLength => Type == NtlmMessageType.Authenticate && _bytes.Length >= 22 ? BinaryPrimitives.ReadUInt16LittleEndian(_bytes[20..]) : 0;

    /// <summary>DomainName of an authenticate message.</summary>
    public ReadOnlySpan<byte> Domain => Type == NtlmMessageType.Authenticate ? Field(28) : default;

    /// <summary>UserName of an authenticate message. Must leave only as a pseudonym.</summary>
    public ReadOnlySpan<byte> User => Type == NtlmMessageType.Authenticate ? Field(36) : default;

    /// <summary>Workstation of an authenticate message.</summary>
    public ReadOnlySpan<byte> Workstation => Type == NtlmMessageType.Authenticate ? Field(44) : default;

    /// <summary>An authenticate message without user and response (MS-NLMP 3.2.5.1.2).</summary>
    public bool IsAnonymous => Type == NtlmMessageType.Authenticate && User.IsEmpty && ResponseLength <= 1;

    /// <summary>Version of the sender's operating system (2.2.2.10): major, minor, build; zeros when it is not there.</summary>
    public (byte Major, byte Minor, ushort Build) Version
    {
        get
        {
            var at = Type switch { NtlmMessageType.Negotiate => 32, NtlmMessageType.Challenge => 48, _ => 64 };
            if ((Flags & NegotiateVersion) == 0 || _bytes.Length < at + 8)
                return default;
            return (_bytes[at], _bytes[at + 1], BinaryPrimitives.ReadUInt16LittleEndian(_bytes[(at + 2)..]));
        }
    }

    /// <summary>Finds the NTLM message in a token, bare or within SPNEGO (RFC 4178); false when there is none.</summary>
    public static bool TryFind(ReadOnlySpan<byte> token, out NtlmMessage message)
    {
        message = default;
        var at = token.IndexOf(Signature);
        if (at < 0 || token.Length - at < 12)
            return false;
        var bytes = token[at..];
        var type = (NtlmMessageType)BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
        var flagsAt = type switch { NtlmMessageType.Negotiate => 12, NtlmMessageType.Challenge => 20, NtlmMessageType.Authenticate => 60, _ => -1 };
        if (flagsAt < 0)
            return false;
        message = new NtlmMessage(bytes, type, flagsAt + 4 <= bytes.Length ? BinaryPrimitives.ReadUInt32LittleEndian(bytes[flagsAt..]) : 0);
        return true;
    }

    /// <summary>The value of an attribute of <see cref="TargetInfo"/>, UTF-16; empty when it is not there.</summary>
    public ReadOnlySpan<byte> Attribute(NtlmAttribute wanted)
    {
        var rest = TargetInfo;
        while (rest.Length >= 4)
        {
            var id = (NtlmAttribute)BinaryPrimitives.ReadUInt16LittleEndian(rest);
            var length = BinaryPrimitives.ReadUInt16LittleEndian(rest[2..]);
            if (id == NtlmAttribute.End || length > rest.Length - 4)
                break;
            if (id == wanted)
                return rest.Slice(4, length);
            rest = rest[(4 + length)..];
        }

        return default;
    }

    /// <summary>A field of length, maximum length and offset.</summary>
    private ReadOnlySpan<byte> Field(int at)
    {
        if (_bytes.Length < at + 8)
            return default;
        var length = BinaryPrimitives.ReadUInt16LittleEndian(_bytes[at..]);
        var offset = BinaryPrimitives.ReadUInt32LittleEndian(_bytes[(at + 4)..]);
        return offset + length <= (uint)_bytes.Length ? _bytes.Slice((int)offset, length) : default;
    }
}
