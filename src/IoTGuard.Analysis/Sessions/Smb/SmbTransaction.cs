using IoTGuard.Wire;
using IoTGuard.Wire.Application.Dcerpc;
using IoTGuard.Wire.Application.Smb;

namespace IoTGuard.Analysis.Sessions;

/// <summary>What happened on an SMB connection.</summary>
public enum SmbEvent : byte
{
    /// <summary>Dialects were offered and one was chosen.</summary>
    Negotiate,

    /// <summary>A log-on, with its outcome.</summary>
    Session,

    /// <summary>A share was asked for.</summary>
    Tree,

    /// <summary>What was done in one share within one interval.</summary>
    Files,

    /// <summary>A named pipe was bound to an interface, or an operation that tells something was called over it.</summary>
    Pipe,
    Fault,
}

/// <summary>How a log-on was made.</summary>
public enum SmbMechanism : byte
{
    Unknown,
    Ntlm,
    Kerberos,
}

/// <summary>Kind of a share (MS-SMB2 2.2.10 ShareType).</summary>
public enum SmbShareKind : byte
{
    Unknown,
    Disk,
    Pipe,
    Print,
}

/// <summary>
/// One SMB event. Texts are interned; null = not seen. File names are never kept: they hold patients' names. User names leave as pseudonyms.
/// Bytes are those of the messages, for <see cref="SmbEvent.Files"/> those read and written.
/// </summary>
public sealed class SmbTransaction : Transaction
{
    private static readonly string[] EventNames = ["negotiate", "session", "tree", "files", "pipe", "fault"];
    private static readonly string?[] MechanismNames = [null, "ntlm", "kerberos"];
    private static readonly string?[] ShareKindNames = [null, "disk", "pipe", "print"];
    private static readonly string[] FaultNames = Array.ConvertAll(Enum.GetNames<FaultKind>(), System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName);
    private static readonly string[] UseNames = Array.ConvertAll(Enum.GetNames<DcerpcUse>(), System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName);

    public SmbEvent Event { get; set; }

    /// <summary>Major version of the protocol: 1, 2 (which 3 belongs to on the wire).</summary>
    public int Version { get; set; }

    /// <summary>The dialect chosen: "NT LM 0.12", "2.1", "3.1.1".</summary>
    public string? Dialect { get; set; }

    /// <summary>The dialects offered, joined by commas.</summary>
    public string? Dialects { get; set; }

    /// <summary>True when the client (server) requires signatures.</summary>
    public bool ClientSigningRequired { get; set; }

    public bool ServerSigningRequired { get; set; }

    /// <summary>True when the server can encrypt, or the session (share) is encrypted.</summary>
    public bool Encryption { get; set; }

    /// <summary>NTSTATUS of the response; -1 when there was none.</summary>
    public long Status { get; set; }

    public SmbMechanism Mechanism { get; set; }

    /// <summary>Domain of the account.</summary>
    public string? Domain { get; set; }

    /// <summary>Name that the client gives itself.</summary>
    public string? Workstation { get; set; }

    /// <summary>Name and domain that the server gives itself.</summary>
    public string? ServerName { get; set; }

    public string? ServerDomain { get; set; }

    /// <summary>Pseudonym of the account.</summary>
    public Pseudonym User { get; set; }

    public bool IsGuest { get; set; }

    public bool IsAnonymous { get; set; }

    /// <summary>Name of the share, without the server.</summary>
    public string? Share { get; set; }

    public SmbShareKind ShareKind { get; set; }

    /// <summary>ADMIN$, IPC$ or a drive's C$.</summary>
    public bool IsAdministrative { get; set; }

    /// <summary>Counts of <see cref="SmbEvent.Files"/>.</summary>
    public SmbFileCounts Files { get; set; }

    /// <summary>Encrypted messages in the interval, which tell no more than their bytes.</summary>
    public long EncryptedMessages { get; set; }

    /// <summary>Shape of the extension that most files were renamed to, see <see cref="FileShape"/>.</summary>
    public string? NewExtension { get; set; }

    /// <summary>Named pipe.</summary>
    public string? Pipe { get; set; }

    /// <summary>DCERPC interface bound: its name, or its UUID when it has none here.</summary>
    public string? Interface { get; set; }

    /// <summary>The operation called; null for the bind.</summary>
    public DcerpcOperation? Operation { get; set; }

    /// <summary>Calls of that operation on the connection so far.</summary>
    public int Calls { get; set; }

    public FaultKind Fault { get; set; }

    /// <summary>What is wrong, in lower snake case.</summary>
    public string? FaultText { get; set; }

    public override string Protocol => "smb";

    public override string EventName => EventNames[(int)Event];

    public override void Reset()
    {
        Event = SmbEvent.Negotiate;
        Version = 0;
        Dialect = Dialects = Domain = Workstation = ServerName = ServerDomain = Share = NewExtension = Pipe = Interface = FaultText = null;
        ClientSigningRequired = ServerSigningRequired = Encryption = IsGuest = IsAnonymous = IsAdministrative = false;
        Status = -1;
        Mechanism = SmbMechanism.Unknown;
        User = default;
        ShareKind = SmbShareKind.Unknown;
        Files = default;
        EncryptedMessages = 0;
        Operation = null;
        Calls = 0;
        Fault = FaultKind.None;
    }

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        writer.Number("version", Version);
        switch (Event)
        {
            case SmbEvent.Negotiate:
                writer.Text("dialect", Dialect);
                writer.Text("dialects", Dialects);
                writer.Flag("client_signing_required", ClientSigningRequired);
                writer.Flag("server_signing_required", ServerSigningRequired);
                writer.Flag("encryption", Encryption);
                break;
            case SmbEvent.Session:
                writer.Text("mechanism", MechanismNames[(int)Mechanism]);
                writer.Text("domain", Domain);
                writer.Text("workstation", Workstation);
                writer.Text("server_name", ServerName);
                writer.Text("server_domain", ServerDomain);
                writer.Flag("has_user", !User.IsNone);
                writer.Pseudonym("user", User);
                writer.Flag("guest", IsGuest);
                writer.Flag("anonymous", IsAnonymous);
                writer.Flag("encryption", Encryption);
                break;
            case SmbEvent.Tree:
                WriteShare(ref writer);
                writer.Flag("encryption", Encryption);
                break;
            case SmbEvent.Files:
                WriteShare(ref writer);
                Files.Write(ref writer);
                writer.Text("new_extension", NewExtension);
                if (EncryptedMessages > 0)
                    writer.Number("encrypted_messages", EncryptedMessages);
                break;
            case SmbEvent.Pipe:
                writer.Text("pipe", Pipe);
                writer.Text("interface", Interface);
                writer.Text("operation", Operation?.Name);
                if (Operation is not null)
                {
                    writer.Text("use", UseNames[(int)Operation.Use]);
                    writer.Number("calls", Calls);
                }

                break;
            case SmbEvent.Fault:
                writer.Text("fault", FaultText);
                writer.Text("fault_kind", FaultNames[(int)Fault]);
                break;
        }

        if (Status >= 0)
        {
            writer.Number("status", Status);
            writer.Text("status_name", NtStatus.NameOf((uint)Status));
        }
    }

    private void WriteShare<TWriter>(ref TWriter writer)
        where TWriter : IFieldWriter, allows ref struct
    {
        writer.Text("share", Share);
        writer.Text("share_kind", ShareKindNames[(int)ShareKind]);
        writer.Flag("administrative", IsAdministrative);
    }
}
