using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Sessions;

/// <summary>A message of POCT1-A: point-of-care devices and their observation reviewers. The client is who sent it.</summary>
public sealed class PoctTransaction : Transaction
{
    private PoctFacts _facts;

    public ref PoctFacts Facts => ref _facts;

    public override string Protocol => "poct1a";

    public override string EventName => "message";

    public override void Reset() => _facts = default;

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        ref readonly var f = ref _facts;
        writer.Text("message_type", f.MessageType);
        writer.Text("control_id", f.ControlId);
        writer.Text("version", f.Version);
        writer.Text("device_id", f.DeviceId);
        writer.Text("vendor", f.Vendor);
        writer.Text("model", f.Model);
        writer.Text("serial", f.Serial);
        writer.Text("software", f.Software);
        writer.Text("ack_code", f.AckCode);
        writer.Text("acknowledges", f.Acknowledges);
        if (f.Observations > 0)
            writer.Number("observations", f.Observations);
        if (f.Patients > 0)
            writer.Number("patients", f.Patients);
        if (!f.Patient.IsNone)
            writer.Pseudonym("patient", f.Patient);
        if (f.IsPartial)
            writer.Flag("partial", true);
    }
}

/// <summary>What is known of a message. Texts are interned; null = not seen.</summary>
public struct PoctFacts
{
    /// <summary>HEL.R01, DST.R01, OBS.R01, ACK.R01 ...</summary>
    public string? MessageType;
    public string? ControlId;
    public string? Version;
    public string? DeviceId;
    public string? Vendor;
    public string? Model;
    public string? Serial;
    public string? Software;
    public string? AckCode;
    public string? Acknowledges;
    public int Observations;
    public int Patients;
    public Pseudonym Patient;
    public bool IsPartial;
}

/// <summary>POCT1-A (CLSI POCT1-A2, device messaging layer): XML messages one after another. Read tag by tag; text between tags is passed over.</summary>
public sealed class PoctSession : StreamSession
{
    /// <summary>Longest tag in bytes; a longer one is passed over.</summary>
    public const int MaximumTagBytes = 4096;

    private const int ProbeBytes = 512;

    private readonly Side[] _sides = [new(), new()];

    private sealed class Side
    {
        public PoctFacts Facts;
        public bool IsOpen;
        public long TimeNs;
        public long Bytes;
        public int Scanned;
    }

    public override ApplicationProtocol Protocol => ApplicationProtocol.Poct1a;

    /// <summary>Certain for a root element with the name of a message: three letters, ".R0", a digit.</summary>
    public static ProbeResult Probe(FlowDirection direction, ReadOnlySpan<byte> data)
    {
        var rest = data.TrimStart(" \t\r\n"u8);
        if (rest.IsEmpty)
            return data.Length < 16 ? ProbeResult.Unsure : ProbeResult.NotForUs;
        while (rest is [(byte)'<', (byte)'?' or (byte)'!', ..])
        {
            var end = rest.IndexOf((byte)'>');
            if (end < 0)
                return data.Length < ProbeBytes ? ProbeResult.Unsure : ProbeResult.NotForUs;
            rest = rest[(end + 1)..].TrimStart(" \t\r\n"u8);
        }

        if (rest.IsEmpty || rest.Length == 1 && rest[0] == '<')
            return ProbeResult.Unsure;
        if (rest[0] != '<')
            return ProbeResult.NotForUs;
        rest = rest[1..];
        for (var i = 0; i < Math.Min(rest.Length, 7); i++)
        {
            var fits = i switch { 3 => rest[i] == '.', 4 => rest[i] == 'R', 5 or 6 => char.IsAsciiDigit((char)rest[i]), _ => char.IsAsciiLetterUpper((char)rest[i]) };
            if (!fits)
                return ProbeResult.NotForUs;
        }

        return rest.Length > 7 ? rest[7] is (byte)'>' or (byte)' ' ? ProbeResult.Certain : ProbeResult.NotForUs : ProbeResult.Unsure;
    }

    public override StreamProgress OnData(SessionContext context, FlowDirection direction, ReadOnlySpan<byte> data)
    {
        var side = _sides[(int)direction];
        var at = 0;
        while (at < data.Length)
        {
            var rest = data[at..];
            if (rest[0] != '<')
            {
                var next = rest.IndexOf((byte)'<');
                var text = next < 0 ? rest.Length : next;
                side.Bytes += text;
                at += text;
                continue;
            }

            var found = rest[side.Scanned..].IndexOf((byte)'>');
            var end = found < 0 ? rest.Length : side.Scanned + found;
            if (end >= MaximumTagBytes)
            {
                at++;
                side.Bytes++;
                side.Scanned = 0;
                continue;
            }

            if (found < 0)
            {
                side.Scanned = end;
                return new StreamProgress(at);
            }

            side.Scanned = 0;
            at += end + 1;
            OnTag(context, direction, side, rest[1..end]);
        }

        return new StreamProgress(at);
    }

    public override void OnGap(SessionContext context, FlowDirection direction, long bytes)
    {
        var side = _sides[(int)direction];
        side.Scanned = 0;
        side.Facts.IsPartial = true;
    }

    public override void OnEnd(SessionContext context)
    {
        for (var i = 0; i < _sides.Length; i++)
        {
            if (!_sides[i].IsOpen)
                continue;
            _sides[i].Facts.IsPartial = true;
            Emit(context, (FlowDirection)i, _sides[i]);
        }
    }

    public override void Reset()
    {
        foreach (var side in _sides)
        {
            side.Facts = default;
            side.IsOpen = false;
            side.Scanned = 0;
        }
    }

    private static bool IsMessage(ReadOnlySpan<byte> name) => name.Length == 7 && name[3] == '.' && name[4] == 'R' && char.IsAsciiLetterUpper((char)name[0]);

    private static void OnTag(SessionContext context, FlowDirection direction, Side side, ReadOnlySpan<byte> tag)
    {
        side.Bytes += tag.Length + 2;
        var isEnd = tag is [(byte)'/', ..];
        if (isEnd)
            tag = tag[1..];
        var space = tag.IndexOfAny(" \t\r\n/"u8);
        var name = space < 0 ? tag : tag[..space];
        if (IsMessage(name))
        {
            if (isEnd)
            {
                if (side.IsOpen)
                    Emit(context, direction, side);
            }
            else
            {
                if (side.IsOpen)
                {
                    side.Facts.IsPartial = true;
                    Emit(context, direction, side);
                }

                side.Facts = default;
                side.Facts.MessageType = context.Texts.Of(name);
                side.IsOpen = true;
                side.TimeNs = context.TimeNs;
                side.Bytes = tag.Length + 2;
            }

            return;
        }

        if (!isEnd && side.IsOpen)
            OnElement(context, ref side.Facts, name, Value(tag));
    }

    private static void OnElement(SessionContext context, ref PoctFacts facts, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (name.SequenceEqual("OBS"u8))
            facts.Observations++;
        else if (name.SequenceEqual("PT"u8))
            facts.Patients++;
        else if (name.SequenceEqual("PT.patient_id"u8) && facts.Patient.IsNone)
            facts.Patient = context.Pseudonyms.Of(PseudonymKind.Patient, value);
        else if (name.SequenceEqual("HDR.control_id"u8))
            facts.ControlId = context.Texts.Of(value);
        else if (name.SequenceEqual("HDR.version_id"u8))
            facts.Version = context.Texts.Of(value);
        else if (name.SequenceEqual("DEV.device_id"u8))
            facts.DeviceId = context.Texts.Of(value);
        else if (name.SequenceEqual("DEV.vendor_id"u8) || name.SequenceEqual("DEV.manufacturer_name"u8))
            facts.Vendor ??= context.Texts.Of(value);
        else if (name.SequenceEqual("DEV.model_id"u8))
            facts.Model = context.Texts.Of(value);
        else if (name.SequenceEqual("DEV.serial_id"u8))
            facts.Serial = context.Texts.Of(value);
        else if (name.SequenceEqual("DEV.sw_version"u8))
            facts.Software = context.Texts.Of(value);
        else if (name.SequenceEqual("ACK.type_cd"u8))
            facts.AckCode = context.Texts.Of(value);
        else if (name.SequenceEqual("ACK.ack_control_id"u8))
            facts.Acknowledges = context.Texts.Of(value);
    }

    /// <summary>The attribute V, which holds all values of POCT1-A.</summary>
    private static ReadOnlySpan<byte> Value(ReadOnlySpan<byte> tag)
    {
        var at = tag.IndexOf(" V="u8);
        if (at < 0 || at + 4 >= tag.Length || tag[at + 3] is not ((byte)'"' or (byte)'\''))
            return default;
        var value = tag[(at + 4)..];
        var end = value.IndexOf(tag[at + 3]);
        return end < 0 ? default : value[..end];
    }

    private static void Emit(SessionContext context, FlowDirection direction, Side side)
    {
        ref var counters = ref context.Flow.Counters;
        if (side.Facts.AckCode is null)
        {
            counters.Requests++;
        }
        else
        {
            counters.Responses++;
            if (side.Facts.AckCode != "AA")
                counters.Failures++;
        }

        counters.Objects += side.Facts.Observations;
        counters.ObjectBytes += side.Bytes;
        var transaction = context.Begin<PoctTransaction>(direction);
        transaction.Facts = side.Facts;
        transaction.TimeNs = side.TimeNs;
        transaction.DurationNs = context.TimeNs - side.TimeNs;
        transaction.Bytes = side.Bytes;
        if (side.Facts.MessageType == "HEL.R01")
        {
            transaction.Claim(transaction.Client, ClaimKind.Vendor, side.Facts.Vendor);
            transaction.Claim(transaction.Client, ClaimKind.Model, side.Facts.Model);
            transaction.Claim(transaction.Client, ClaimKind.Serial, side.Facts.Serial);
            transaction.Claim(transaction.Client, ClaimKind.Software, side.Facts.Software);
        }

        side.IsOpen = false;
        context.Emit(transaction);
    }
}
