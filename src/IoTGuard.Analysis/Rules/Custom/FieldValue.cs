using System.Buffers.Binary;
using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Rules.Custom;

internal enum FieldKind : byte
{
    Absent,
    Text,
    Number,
    Flag,
    Address,
    List,

    /// <summary>A pseudonym: it can be counted, but not compared with anything written down.</summary>
    Pseudonym,
}

/// <summary>The value of one field of an event.</summary>
internal readonly struct FieldValue
{
    private FieldValue(FieldKind kind, string? text, double number, IpAddress address, IReadOnlyCollection<string>? list)
    {
        Kind = kind;
        Text = text;
        Number = number;
        Address = address;
        List = list;
    }

    public FieldKind Kind { get; }

    public string? Text { get; }

    public double Number { get; }

    public IpAddress Address { get; }

    public IReadOnlyCollection<string>? List { get; }

    public static FieldValue Of(string? text) => text is null ? default : new(FieldKind.Text, text, 0, default, null);

    public static FieldValue Of(double number) => new(FieldKind.Number, null, number, default, null);

    public static FieldValue Of(bool flag) => new(FieldKind.Flag, flag ? "true" : "false", 0, default, null);

    public static FieldValue Of(IpAddress address) => new(FieldKind.Address, null, 0, address, null);

    public static FieldValue Of(IReadOnlyCollection<string> list) => list.Count == 0 ? default : new(FieldKind.List, null, 0, default, list);

    public static FieldValue Of(Pseudonym pseudonym) =>
        pseudonym.IsNone ? default : new(FieldKind.Pseudonym, null, BitConverter.UInt64BitsToDouble(pseudonym.High ^ pseudonym.Low), default, null);

    /// <summary>For people; never a pseudonym's digits.</summary>
    public string ForPeople => Kind switch
    {
        FieldKind.Number => Measure.Format(Number),
        FieldKind.Address => Address.ToString(),
        FieldKind.List => string.Join(' ', List!),
        FieldKind.Pseudonym => "(a pseudonym)",
        FieldKind.Absent => "(none)",
        _ => Text!,
    };

    /// <summary>The same value gives the same 64 bits in every run; FNV-1a.</summary>
    public ulong Hash(ulong seed = 14_695_981_039_346_656_037)
    {
        var hash = Add(seed, (byte)Kind);
        switch (Kind)
        {
            case FieldKind.Text or FieldKind.Flag:
                hash = Add(hash, Text!);
                break;
            case FieldKind.Number or FieldKind.Pseudonym:
                hash = Add(hash, BitConverter.DoubleToUInt64Bits(Number));
                break;
            case FieldKind.Address:
                hash = Add(Add(hash, Address.High), Address.Low);
                break;
            case FieldKind.List:
                foreach (var item in List!)
                    hash = Add(Add(hash, item), (byte)0);
                break;
        }

        return hash;
    }

    private static ulong Add(ulong hash, string text)
    {
        foreach (var c in text)
            hash = Add(Add(hash, (byte)c), (byte)(c >> 8));
        return hash;
    }

    private static ulong Add(ulong hash, ulong value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        foreach (var b in bytes)
            hash = Add(hash, b);
        return hash;
    }

    private static ulong Add(ulong hash, byte value) => (hash ^ value) * 1_099_511_628_211;
}
