using System.Buffers.Binary;

namespace IoTGuard.Wire.Application.OncRpc;

/// <summary>A call or reply of ONC RPC version 2 (RFC 5531 9). Spans point into the bytes that it was read from.</summary>
public readonly ref struct RpcMessage
{
    /// <summary>Bytes that a call's fixed part needs: xid, type, version, program, program version, procedure.</summary>
    public const int CallSize = 24;

    /// <summary>Bytes that a reply's fixed part needs: xid, type, reply status.</summary>
    public const int ReplySize = 12;

    public uint Id { get; private init; }

    public bool IsReply { get; private init; }

    public uint Program { get; private init; }

    public uint ProgramVersion { get; private init; }

    public uint Procedure { get; private init; }

    /// <summary>Flavor of the caller's credentials: 0 none, 1 AUTH_SYS, 6 RPCSEC_GSS.</summary>
    public uint Flavor { get; private init; }

    /// <summary>Name of the caller's machine from AUTH_SYS.</summary>
    public ReadOnlySpan<byte> Machine { get; private init; }

    /// <summary>True when a reply is denied, or accepted with a failure.</summary>
    public bool IsFailure { get; private init; }

    /// <summary>Name of a well-known program (RFC 5531 13.4 and the registry of IANA); null for others.</summary>
    public static string? NameOf(uint program) => program switch
    {
        100_000 => "portmap",
        100_003 => "nfs",
        100_004 => "ypserv",
        100_005 => "mount",
        100_007 => "ypbind",
        100_009 => "yppasswd",
        100_011 => "rquota",
        100_021 => "nlockmgr",
        100_024 => "status",
        100_227 => "nfs_acl",
        395_183 => "vxi-11",
        _ => null,
    };

    /// <summary>Reads a message; false when it is none of version 2, or its fixed part is cut.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out RpcMessage message)
    {
        message = default;
        if (bytes.Length < ReplySize)
            return false;
        var id = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        var type = BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]);
        if (type == 1)
        {
            var status = BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]);
            if (status > 1)
                return false;
            var failed = status == 1;
            if (!failed && bytes.Length >= 20)
            {
                var verifier = BinaryPrimitives.ReadUInt32BigEndian(bytes[16..]);
                failed = verifier <= 400 && bytes.Length >= 24 + verifier && BinaryPrimitives.ReadUInt32BigEndian(bytes[(int)(20 + verifier)..]) != 0;
            }

            message = new RpcMessage { Id = id, IsReply = true, IsFailure = failed };
            return true;
        }

        if (type != 0 || bytes.Length < CallSize || BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]) != 2)
            return false;
        var flavor = Credentials(bytes[CallSize..], out var machine);
        message = new RpcMessage
        {
            Id = id,
            Program = BinaryPrimitives.ReadUInt32BigEndian(bytes[12..]),
            ProgramVersion = BinaryPrimitives.ReadUInt32BigEndian(bytes[16..]),
            Procedure = BinaryPrimitives.ReadUInt32BigEndian(bytes[20..]),
            Flavor = flavor,
            Machine = machine,
        };
        return true;
    }

    /// <summary>Flavor of the credentials and, of AUTH_SYS (appendix A), the machine's name.</summary>
    private static uint Credentials(ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> machine)
    {
        const uint AuthSys = 1;
        machine = default;
        if (bytes.Length < 8)
            return 0;
        var flavor = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        if (flavor != AuthSys || bytes.Length < 16)
            return flavor;
        var length = BinaryPrimitives.ReadUInt32BigEndian(bytes[12..]);
        if (length <= 255 && bytes.Length >= 16 + length)
            machine = bytes.Slice(16, (int)length);
        return flavor;
    }
}
