namespace IoTGuard.Wire.Application.Dcerpc;

/// <summary>An interface that is known by name, with those of its operations that tell something.</summary>
/// <param name="Name">Its usual name: that of its named pipe where it has one.</param>
/// <param name="Id">UUID of the interface.</param>
/// <param name="Operations">Operation numbers with the standard's names and what they are used for.</param>
public sealed record DcerpcInterface(string Name, Guid Id, IReadOnlyDictionary<ushort, DcerpcOperation> Operations)
{
    private static readonly DcerpcInterface[] All =
    [
        new("svcctl", new("367abb81-9844-35f1-ad32-98f038001003"), Of(DcerpcUse.ServiceControl, (12, "RCreateServiceW"), (24, "RCreateServiceA"), (44, "RCreateServiceWOW64A"), (45, "RCreateServiceWOW64W"),
            (60, "RCreateWowService"), (2, "RDeleteService"), (19, "RStartServiceW"), (31, "RStartServiceA"), (11, "RChangeServiceConfigW"), (23, "RChangeServiceConfigA"))),
        new("samr", new("12345778-1234-abcd-ef00-0123456789ac"), Of(DcerpcUse.AccountEnumeration, (6, "SamrEnumerateDomainsInSamServer"), (11, "SamrEnumerateGroupsInDomain"), (13, "SamrEnumerateUsersInDomain"),
            (15, "SamrEnumerateAliasesInDomain"), (25, "SamrGetMembersInGroup"), (40, "SamrQueryDisplayInformation"), (48, "SamrQueryDisplayInformation2"), (51, "SamrQueryDisplayInformation3"))),
        new("lsarpc", new("12345778-1234-abcd-ef00-0123456789ab"), Of(DcerpcUse.AccountEnumeration, (11, "LsarEnumerateAccounts"), (13, "LsarEnumerateTrustedDomains"))),
        new("srvsvc", new("4b324fc8-1670-01d3-1278-5a47bf6ee188"), Of(DcerpcUse.ShareEnumeration, (8, "NetrConnectionEnum"), (9, "NetrFileEnum"), (12, "NetrSessionEnum"), (15, "NetrShareEnum"), (36, "NetrShareEnumSticky"))),
        new("wkssvc", new("6bffd098-a112-3610-9833-46c3f87e345a"), Of(DcerpcUse.AccountEnumeration, (2, "NetrWkstaUserEnum"))),
        new("winreg", new("338cd001-2244-31f1-aaaa-900038001003"), Of(DcerpcUse.Registry, (20, "BaseRegSaveKey"), (22, "BaseRegSetValue"), (31, "BaseRegSaveKeyEx"))),
        new("atsvc", new("1ff70682-0a51-30e8-076d-740be8cee98b"), Of(DcerpcUse.TaskScheduling, (0, "NetrJobAdd"))),
        new("taskscheduler", new("86d35949-83c9-4044-b424-db363231fd0c"), Of(DcerpcUse.TaskScheduling, (1, "SchRpcRegisterTask"), (12, "SchRpcRun"))),
        new("drsuapi", new("e3514235-4b06-11d1-ab04-00c04fc2dcd2"), Of(DcerpcUse.Replication, (3, "IDL_DRSGetNCChanges"))),
        new("netlogon", new("12345678-1234-abcd-ef00-01234567cffb"), Of(DcerpcUse.Other)),
        new("spoolss", new("12345678-1234-abcd-ef00-0123456789ab"), Of(DcerpcUse.Coercion, (65, "RpcRemoteFindFirstPrinterChangeNotificationEx"), (89, "RpcAddPrinterDriverEx"))),
        new("efsrpc", new("c681d488-d850-11d0-8c52-00c04fd90f7e"), Of(DcerpcUse.Coercion, (0, "EfsRpcOpenFileRaw"), (4, "EfsRpcEncryptFileSrv"))),
        new("eventlog", new("82273fdc-e32a-18c3-3f78-827929dc23ea"), Of(DcerpcUse.LogClearing, (0, "ElfrClearELFW"))),
        new("epmapper", new("e1af8308-5d1f-11c9-91a4-08002b14a0fa"), Of(DcerpcUse.Other, (2, "ept_lookup"), (3, "ept_map"))),
        new("remote-activation", new("000001a0-0000-0000-c000-000000000046"), Of(DcerpcUse.RemoteActivation, (4, "RemoteCreateInstance"))),
        new("oxid-resolver", new("99fcfec4-5260-101b-bbcb-00aa0021347a"), Of(DcerpcUse.Other, (5, "ServerAlive2"))),
        new("wbem-services", new("9556dc99-828c-11cf-a37e-00aa003240c7"), Of(DcerpcUse.RemoteActivation, (24, "ExecMethod"))),
        new("wbem-login", new("f309ad18-d86a-11d0-a075-00c04fb68820"), Of(DcerpcUse.Other)),
        new("dssetup", new("3919286a-b10c-11d0-9ba8-00c04fd92ef5"), Of(DcerpcUse.Other)),
        new("browser", new("6bffd098-a112-3610-9833-012892020162"), Of(DcerpcUse.Other)),
        new("dns-server", new("50abc2a4-574d-40b3-9d66-ee4fd5fba076"), Of(DcerpcUse.Other)),
        new("mgmt", new("afa8bd80-7d8a-11c9-bef4-08002b102989"), Of(DcerpcUse.Other)),
        new("dcom-remunknown", new("00000131-0000-0000-c000-000000000046"), Of(DcerpcUse.Other)),
        new("profinet-io-device", new("dea00001-6c97-11d1-8271-00a02442df7d"), Of(DcerpcUse.Other)),
        new("profinet-io-controller", new("dea00002-6c97-11d1-8271-00a02442df7d"), Of(DcerpcUse.Other)),
    ];

    private static readonly Dictionary<Guid, DcerpcInterface> ById = All.ToDictionary(static i => i.Id);

    /// <summary>The interface of a UUID; null when it has no name here.</summary>
    public static DcerpcInterface? Find(Guid id) => ById.GetValueOrDefault(id);

    private static Dictionary<ushort, DcerpcOperation> Of(DcerpcUse use, params (int Number, string Name)[] operations)
    {
        var table = new Dictionary<ushort, DcerpcOperation>();
        foreach (var (number, name) in operations)
            table.Add((ushort)number, new DcerpcOperation(name, use));
        return table;
    }
}

/// <summary>An operation of an interface and its use.</summary>
public sealed record DcerpcOperation(string Name, DcerpcUse Use);

/// <summary>What a remote procedure is good for, to an administrator or an attacker.</summary>
public enum DcerpcUse : byte
{
    Other,
    ServiceControl,
    TaskScheduling,
    AccountEnumeration,
    ShareEnumeration,
    Registry,

    /// <summary>Replication of a domain's secrets.</summary>
    Replication,

    /// <summary>Makes the server log on elsewhere.</summary>
    Coercion,
    LogClearing,

    /// <summary>DCOM and WMI: starts objects and processes.</summary>
    RemoteActivation,
}
