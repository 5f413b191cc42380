using System.Buffers.Binary;

namespace IoTGuard.Wire.Application.Dicom;

/// <summary>SCP/SCU role selection (PS3.7 D.3.3.4).</summary>
public readonly ref struct RoleSelection
{
    public ReadOnlySpan<byte> SopClass { get; private init; }

    public bool Scu { get; private init; }

    public bool Scp { get; private init; }

    /// <summary>Reads an item's body; false when it is too short for its UID and roles.</summary>
    public static bool TryRead(ReadOnlySpan<byte> body, out RoleSelection role)
    {
        role = default;
        if (!CountedField.TryRead(ref body, out var uid) || body.Length < 2)
            return false;
        role = new RoleSelection { SopClass = uid, Scu = body[0] != 0, Scp = body[1] != 0 };
        return true;
    }
}

/// <summary>SOP class extended negotiation (PS3.7 D.3.3.5); the application information is the service class's own.</summary>
public readonly ref struct ExtendedNegotiation
{
    public ReadOnlySpan<byte> SopClass { get; private init; }

    public ReadOnlySpan<byte> ApplicationInformation { get; private init; }

    /// <summary>Reads an item's body; false when it is too short for its UID.</summary>
    public static bool TryRead(ReadOnlySpan<byte> body, out ExtendedNegotiation negotiation)
    {
        negotiation = default;
        if (!CountedField.TryRead(ref body, out var uid))
            return false;
        negotiation = new ExtendedNegotiation { SopClass = uid, ApplicationInformation = body };
        return true;
    }
}

/// <summary>SOP class common extended negotiation (PS3.7 D.3.3.6).</summary>
public readonly ref struct CommonExtendedNegotiation
{
    public ReadOnlySpan<byte> SopClass { get; private init; }

    public ReadOnlySpan<byte> ServiceClass { get; private init; }

    /// <summary>Counted UIDs one after the other; read with <see cref="CountedField"/>.</summary>
    public ReadOnlySpan<byte> RelatedGeneralSopClasses { get; private init; }

    /// <summary>Reads an item's body; false when it is too short for its fields.</summary>
    public static bool TryRead(ReadOnlySpan<byte> body, out CommonExtendedNegotiation negotiation)
    {
        negotiation = default;
        if (!CountedField.TryRead(ref body, out var sopClass) || !CountedField.TryRead(ref body, out var serviceClass)
            || !CountedField.TryRead(ref body, out var related))
        {
            return false;
        }

        negotiation = new CommonExtendedNegotiation { SopClass = sopClass, ServiceClass = serviceClass, RelatedGeneralSopClasses = related };
        return true;
    }
}

/// <summary>User identity negotiation of a request (PS3.7 D.3.3.7.1). Its fields are secrets or names and are not offered: only the type is.</summary>
public readonly record struct UserIdentity(byte Type, bool ResponseRequested, bool HasSecret)
{
    /// <summary>Reads an item's body; false when it is too short for its fields.</summary>
    public static bool TryRead(ReadOnlySpan<byte> body, out UserIdentity identity)
    {
        identity = default;
        if (body.Length < 2)
            return false;
        var fields = body[2..];
        if (!CountedField.TryRead(ref fields, out _) || !CountedField.TryRead(ref fields, out var secondary))
            return false;
        identity = new UserIdentity(body[0], body[1] != 0, !secondary.IsEmpty);
        return true;
    }
}

/// <summary>A field with a 16-bit length before it, as the user information sub-items use them.</summary>
public static class CountedField
{
    /// <summary>Takes a field off the front of <paramref name="bytes"/>; false when it is not whole.</summary>
    public static bool TryRead(scoped ref ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> field)
    {
        field = default;
        if (bytes.Length < 2)
            return false;
        var length = BinaryPrimitives.ReadUInt16BigEndian(bytes);
        if (bytes.Length - 2 < length)
            return false;
        field = bytes.Slice(2, length);
        bytes = bytes[(2 + length)..];
        return true;
    }
}

/// <summary>What the user information item (PS3.7 D.3.3) of one side says. Counts where sub-items repeat.</summary>
public ref struct UserInformation
{
    /// <summary>Maximum length received (PS3.8 D.1), bytes; 0 = no limit, -1 = not said.</summary>
    public long MaximumLength { get; private set; }

    public ReadOnlySpan<byte> ImplementationClass { get; private set; }

    public ReadOnlySpan<byte> ImplementationVersion { get; private set; }

    /// <summary>Asynchronous operations window (PS3.7 D.3.3.3): operations invoked and performed at once, 0 = no limit; -1 = not said.</summary>
    public int OperationsInvoked { get; private set; }

    public int OperationsPerformed { get; private set; }

    public int RoleSelections { get; private set; }

    public int ExtendedNegotiations { get; private set; }

    public int CommonExtendedNegotiations { get; private set; }

    /// <summary>User identity of a request; type 0 = none.</summary>
    public UserIdentity Identity { get; private set; }

    /// <summary>True when an accept answers the user identity (PS3.7 D.3.3.7.2).</summary>
    public bool IdentityAnswered { get; private set; }

    /// <summary>Sub-items of types that PS3.7 does not know.</summary>
    public int UnknownItems { get; private set; }

    /// <summary>True when a UID in a sub-item holds other characters than digits and dots.</summary>
    public bool HasBadUid { get; private set; }

    /// <summary>The first sub-item that was not whole.</summary>
    public Fault Fault { get; private set; }

    /// <summary>Reads the body of the item.</summary>
    public static UserInformation Read(ReadOnlySpan<byte> body)
    {
        var information = new UserInformation { MaximumLength = -1, OperationsInvoked = -1, OperationsPerformed = -1 };
        var items = new ItemReader(body);
        while (items.Read())
        {
            if (!information.Take(items.Type, items.Body) && information.Fault.IsNone)
                information.Fault = new Fault(FaultKind.BadLength, Layer.Dicom, 0, 0, items.Body.Length);
        }

        if (information.Fault.IsNone)
            information.Fault = items.Fault;
        return information;
    }

    private bool Take(ItemType type, ReadOnlySpan<byte> body)
    {
        switch (type)
        {
            case ItemType.MaximumLength:
                if (body.Length < 4)
                    return false;
                MaximumLength = BinaryPrimitives.ReadUInt32BigEndian(body);
                return true;
            case ItemType.ImplementationClass:
                ImplementationClass = body;
                return CheckUid(body);
            case ItemType.ImplementationVersion:
                ImplementationVersion = body;
                return true;
            case ItemType.AsynchronousOperationsWindow:
                if (body.Length < 4)
                    return false;
                OperationsInvoked = BinaryPrimitives.ReadUInt16BigEndian(body);
                OperationsPerformed = BinaryPrimitives.ReadUInt16BigEndian(body[2..]);
                return true;
            case ItemType.RoleSelection:
                RoleSelections++;
                return RoleSelection.TryRead(body, out var role) && CheckUid(role.SopClass);
            case ItemType.ExtendedNegotiation:
                ExtendedNegotiations++;
                return Dicom.ExtendedNegotiation.TryRead(body, out var extended) && CheckUid(extended.SopClass);
            case ItemType.CommonExtendedNegotiation:
                CommonExtendedNegotiations++;
                return Dicom.CommonExtendedNegotiation.TryRead(body, out var common) && CheckUid(common.SopClass) && CheckUid(common.ServiceClass);
            case ItemType.UserIdentityRequest:
                var whole = UserIdentity.TryRead(body, out var identity);
                Identity = identity;
                return whole;
            case ItemType.UserIdentityResponse:
                IdentityAnswered = true;
                return CountedField.TryRead(ref body, out _);
            default:
                UnknownItems++;
                return true;
        }
    }

    private bool CheckUid(ReadOnlySpan<byte> uid)
    {
        HasBadUid |= !DicomText.IsUid(uid);
        return true;
    }
}
