using System.Diagnostics.CodeAnalysis;
using IoTGuard.Analysis.Features;
using IoTGuard.Analysis.Inventory;
using IoTGuard.Analysis.Sessions;

namespace IoTGuard.Analysis.Rules.Custom;

/// <summary>A field of a device that rules can ask for.</summary>
internal sealed record DeviceField(string Name, Func<Device, DetectionContext, FieldValue> Of);

/// <summary>Fields of devices, by the names of <c>iotguard devices --format json</c>.</summary>
internal static class DeviceFields
{
    public static readonly DeviceField[] All =
    [
        new("address", static (d, _) => FieldValue.Of(d.Address)),
        new("addresses", static (d, _) => FieldValue.Of([.. d.Addresses.Select(static a => a.ToString())])),
        new("mac", static (d, _) => d.Mac.IsNone ? default : FieldValue.Of(d.Mac.ToString())),
        new("role", static (d, _) => FieldValue.Of(RoleJudgement.NameOf(d.Role.Role))),
        new("role_confidence", static (d, _) => FieldValue.Of(d.Role.Confidence)),
        new("name", static (d, _) => FieldValue.Of(d.DisplayName)),
        new("names", static (d, _) => FieldValue.Of(d.Names)),
        new("ae_titles", static (d, _) => FieldValue.Of(d.AeTitles)),
        new("host_names", static (d, _) => FieldValue.Of(d.HostNames)),
        new("vendor", static (d, _) => FieldValue.Of(d.Vendor)),
        new("model", static (d, _) => FieldValue.Of(d.Model)),
        new("software", static (d, _) => FieldValue.Of(d.Software)),
        new("serial", static (d, _) => FieldValue.Of(d.Serial)),
        new("modality", static (d, _) => FieldValue.Of(d.Modality)),
        new("services_offered", static (d, _) => FieldValue.Of([.. d.Offered.Select(static s => s.ToString())])),
        new("services_used", static (d, _) => FieldValue.Of([.. d.Used.Select(static s => s.ToString())])),
        new("classes", static (d, _) => FieldValue.Of(d.Classes)),
        new("fingerprints", static (d, _) => FieldValue.Of(d.Fingerprints)),
        new("zone", static (d, context) => FieldValue.Of(context.ZoneOf(d.Address))),
        new("router", static (d, _) => FieldValue.Of(d.IsRouter)),
        new("learned", static (d, _) => FieldValue.Of(d.IsLearned)),
    ];
}

/// <summary>Names of the fields of one side of an event.</summary>
internal sealed record SideNames(string Ip, string Port, IReadOnlyList<(string Name, DeviceField Field)> Device);

/// <summary>Names of the fields of both sides: client.ip, client.role ...; flows call address and port originator_ip and originator_port.</summary>
internal static class SideFields
{
    private static readonly Dictionary<string, SideNames> Sides = new(StringComparer.Ordinal)
    {
        ["client"] = Names("client", "client.ip", "client.port"),
        ["server"] = Names("server", "server.ip", "server.port"),
        ["originator"] = Names("originator", "originator_ip", "originator_port"),
        ["responder"] = Names("responder", "responder_ip", "responder_port"),
    };

    public static SideNames Of(string side) => Sides[side];

    private static SideNames Names(string side, string ip, string port) =>
        new(ip, port, [.. DeviceFields.All.Where(static f => f.Name is not ("address" or "addresses")).Select(f => (side + "." + f.Name, f))]);
}

/// <summary>Names of fields, for the check of rules.</summary>
public static class CustomFields
{
    private const string KeptWhole = "The package keeps this assembly whole.";

    private static readonly string[] FlowIdentity =
        ["originator_ip", "originator_port", "responder_ip", "responder_port", "ip_protocol", "vlan", "application", "state", "end", "community_id"];

    private static readonly string[] TransactionHead = ["protocol", "event", "bytes", "duration"];

    /// <summary>Fields that events of a source are known to have. Protocols may write further ones to transactions.</summary>
    public static IReadOnlySet<string> Known(RuleSource source) => source switch
    {
        RuleSource.Device => DeviceFields.All.Select(static f => f.Name).ToHashSet(StringComparer.Ordinal),
        RuleSource.Flow => FlowIdentity.Concat(FlowFeatures.Schema.Columns.Select(static f => f.Name)).Concat(Of("originator")).Concat(Of("responder")).ToHashSet(StringComparer.Ordinal),
        _ => TransactionHead.Concat(Of("client")).Concat(Of("server")).Concat(OfProtocols()).ToHashSet(StringComparer.Ordinal),
    };

    private static IEnumerable<string> Of(string side)
    {
        var names = SideFields.Of(side);
        return names.Device.Select(static d => d.Name).Append(names.Ip).Append(names.Port);
    }

    /// <summary>What the transactions of all protocols write when nothing is known; what they then leave out is not found this way.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = KeptWhole)]
    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = KeptWhole)]
    [UnconditionalSuppressMessage("Trimming", "IL2072", Justification = KeptWhole)]
    private static HashSet<string> OfProtocols()
    {
        var names = new NameCollector([]);
        foreach (var type in typeof(Transaction).Assembly.GetTypes().Where(static t => t.IsSubclassOf(typeof(Transaction)) && !t.IsAbstract && t.GetConstructor(Type.EmptyTypes) is not null))
        {
            var transaction = (Transaction)Activator.CreateInstance(type)!;
            transaction.Reset();
            transaction.WriteFields(ref names);
        }

        return names.Names;
    }

    private struct NameCollector(HashSet<string> names) : IFieldWriter
    {
        private string? _outer;

        public readonly HashSet<string> Names => names;

        public readonly void Text(string name, string? value) => Add(name);

        public readonly void Text(string name, ReadOnlySpan<byte> value) => Add(name);

        public readonly void Number(string name, long value) => Add(name);

        public readonly void Real(string name, double value) => Add(name);

        public readonly void Flag(string name, bool value) => Add(name);

        public readonly void Pseudonym(string name, Pseudonym value) => Add(name);

        public readonly void List(string name, ReadOnlySpan<string> values) => Add(name);

        public void BeginObject(string name) => _outer = name;

        public void EndObject() => _outer = null;

        private readonly void Add(string name) => names.Add(_outer is null ? name : _outer + "." + name);
    }
}
