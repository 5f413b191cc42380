namespace IoTGuard.Analysis.Sessions;

/// <summary>What happened on an LDAP connection.</summary>
public enum LdapEvent : byte
{
    Bind,
    Search,

    /// <summary>Add, modify, delete, rename.</summary>
    Change,
    StartTls,

    /// <summary>From here on the connection is signed or sealed by SASL and can't be read.</summary>
    Protected,
    Fault,
}

/// <summary>One LDAP exchange. Names of entries, filters and values are never kept. Bytes are those of request and responses.</summary>
public sealed class LdapTransaction : Transaction
{
    private static readonly string[] EventNames = ["bind", "search", "change", "start_tls", "protected", "fault"];
    private static readonly string[] ScopeNames = ["base", "one_level", "subtree", "subordinate"];

    public LdapEvent Event { get; set; }

    /// <summary>resultCode; -1 when there was no response.</summary>
    public int Result { get; set; }

    /// <summary>Protocol version of a bind.</summary>
    public int Version { get; set; }

    /// <summary>"simple", or the SASL mechanism.</summary>
    public string? Mechanism { get; set; }

    /// <summary>True when a simple bind had a name or a password.</summary>
    public bool HasName { get; set; }

    public bool HasPassword { get; set; }

    /// <summary>Scope of a search; -1 when it was not seen.</summary>
    public int Scope { get; set; }

    /// <summary>Types of the parts of the base's name, innermost first: "ou,dc,dc".</summary>
    public string? BaseShape { get; set; }

    /// <summary>Entries and references that a search returned.</summary>
    public int Entries { get; set; }

    /// <summary>"add", "modify", "delete", "rename".</summary>
    public string? Change { get; set; }

    public string? FaultText { get; set; }

    public override string Protocol => "ldap";

    public override string EventName => EventNames[(int)Event];

    public override void Reset()
    {
        Event = LdapEvent.Bind;
        Result = Scope = -1;
        Version = Entries = 0;
        Mechanism = BaseShape = Change = FaultText = null;
        HasName = HasPassword = false;
    }

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        switch (Event)
        {
            case LdapEvent.Bind:
                writer.Number("version", Version);
                writer.Text("mechanism", Mechanism);
                writer.Flag("has_name", HasName);
                writer.Flag("has_password", HasPassword);
                break;
            case LdapEvent.Search:
                if (Scope is >= 0 and < 4)
                    writer.Text("scope", ScopeNames[Scope]);
                writer.Text("base_shape", BaseShape);
                writer.Number("entries", Entries);
                break;
            case LdapEvent.Change:
                writer.Text("change", Change);
                break;
            case LdapEvent.Fault:
                writer.Text("fault", FaultText);
                break;
        }

        if (Result >= 0)
            writer.Number("result", Result);
    }
}
