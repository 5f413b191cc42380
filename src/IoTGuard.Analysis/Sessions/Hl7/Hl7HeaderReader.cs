using System.Text;
using IoTGuard.Wire.Application.Hl7;

namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// Reads MSH segments. What a link says in each message (names, message type, versions) is remembered by its bytes, so that a header that
/// differs only in time and control id costs three comparisons. One per worker.
/// </summary>
internal sealed class Hl7HeaderReader(TextInterner texts)
{
    // What is remembered, powers of two: names by link and direction, message types, and the rest by kind of sender.
    private const int RememberedNames = 1024;
    private const int RememberedTypes = 128;
    private const int RememberedVersions = 128;

    /// <summary>The last field that is looked at.</summary>
    private const int LastField = 18;

    private readonly TextMemo<Names> _names = new(RememberedNames);
    private readonly TextMemo<MessageKind> _types = new(RememberedTypes);
    private readonly TextMemo<Versions> _versions = new(RememberedVersions);

    /// <summary>Reads a header into a message.</summary>
    public void Read(Hl7Segment segment, Hl7Transaction message)
    {
        // Separator i stands before MSH-(i + 2).
        Span<int> separators = stackalloc int[LastField];
        var fields = new Fields(segment, separators[..segment.FindSeparators(separators)]);
        var characterSet = fields[18].FirstRepetition;

        var names = Of(_names, fields.From(3, 6), fields, characterSet, Names.Read);
        (message.SendingApplication, message.SendingFacility) = (names.SendingApplication, names.SendingFacility);
        (message.ReceivingApplication, message.ReceivingFacility) = (names.ReceivingApplication, names.ReceivingFacility);

        // Without a zone the moment is not known (HL7 v2, chapter 2A, DTM).
        var time = fields[7].Component(1);
        message.MessageTimeNs = time.IndexOfAny((byte)'+', (byte)'-') >= 0 && Hl7Timestamp.TryParse(time, out var sent) ? sent.UtcNs : 0;

        var kind = Of(_types, fields.From(9, 9), fields, characterSet, MessageKind.Read);
        (message.MessageType, message.MessageStructure) = (kind.Type, kind.Structure);
        if (kind.IsAcknowledgement)
            message.Event = Hl7Event.Ack;
        message.ControlId.Set(fields[10].Bytes.Trim((byte)' '));

        var versions = Of(_versions, fields.From(11, LastField), fields, characterSet, Versions.Read);
        (message.ProcessingId, message.Version, message.CharacterSet) = (versions.ProcessingId, versions.Version, versions.CharacterSet);
        (message.AcceptAcknowledgement, message.ApplicationAcknowledgement) = (versions.AcceptAcknowledgement, versions.ApplicationAcknowledgement);
    }

    private delegate TValue Reader<TValue>(TextInterner texts, Fields fields, ReadOnlySpan<byte> characterSet);

    /// <summary>The value of a part of the header, from memory when it can be: ASCII reads the same in every character set.</summary>
    private TValue Of<TValue>(TextMemo<TValue> memo, ReadOnlySpan<byte> part, Fields fields, ReadOnlySpan<byte> characterSet, Reader<TValue> read)
    {
        if (part.Length > TextMemo<TValue>.MaximumBytes || !Ascii.IsValid(part) || fields.Delimiters != Hl7Delimiters.Recommended)
            return read(texts, fields, characterSet);
        ref var value = ref memo.Of(part, out var isKnown);
        if (!isKnown)
            value = read(texts, fields, characterSet);
        return value;
    }

    /// <summary>The fields of a header by number, where the separators are known.</summary>
    private readonly ref struct Fields(Hl7Segment segment, ReadOnlySpan<int> separators)
    {
        private readonly ReadOnlySpan<byte> _bytes = segment.Bytes;
        private readonly ReadOnlySpan<int> _separators = separators;

        public Hl7Delimiters Delimiters { get; } = segment.Delimiters;

        public Hl7Field this[int number] => new(number, From(number, number), Delimiters);

        /// <summary>The bytes from one field to another; empty when the first is absent.</summary>
        public ReadOnlySpan<byte> From(int first, int last)
        {
            var before = first - 2;
            var behind = last - 1;
            if (before >= _separators.Length)
                return default;
            var start = _separators[before] + 1;
            return behind < _separators.Length ? _bytes[start.._separators[behind]] : _bytes[start..];
        }
    }

    private readonly record struct Names(string? SendingApplication, string? SendingFacility, string? ReceivingApplication, string? ReceivingFacility)
    {
        public static Names Read(TextInterner texts, Fields fields, ReadOnlySpan<byte> characterSet) => new(
            Hl7Text.Of(texts, fields[3].Bytes, characterSet), Hl7Text.Of(texts, fields[4].Bytes, characterSet),
            Hl7Text.Of(texts, fields[5].Bytes, characterSet), Hl7Text.Of(texts, fields[6].Bytes, characterSet));
    }

    private readonly record struct MessageKind(string? Type, string? Structure, bool IsAcknowledgement)
    {
        public static MessageKind Read(TextInterner texts, Fields fields, ReadOnlySpan<byte> characterSet)
        {
            var field = fields[9];
            return new(TypeOf(texts, field, characterSet), Hl7Text.Code(texts, field.Component(3)), field.Component(1).SequenceEqual("ACK"u8));
        }

        private static string? TypeOf(TextInterner texts, Hl7Field field, ReadOnlySpan<byte> characterSet)
        {
            var code = field.Component(1).Trim((byte)' ');
            var trigger = field.Component(2).Trim((byte)' ');
            if (trigger.IsEmpty)
                return Hl7Text.Of(texts, code, characterSet);
            Span<byte> joined = stackalloc byte[TextInterner.MaximumTextBytes];
            code = code[..Math.Min(code.Length, joined.Length - 1)];
            code.CopyTo(joined);
            joined[code.Length] = (byte)'^';
            var room = joined[(code.Length + 1)..];
            trigger = trigger[..Math.Min(trigger.Length, room.Length)];
            trigger.CopyTo(room);
            return Hl7Text.Of(texts, joined[..(code.Length + 1 + trigger.Length)], characterSet);
        }
    }

    private readonly record struct Versions(
        string? ProcessingId, string? Version, string? AcceptAcknowledgement, string? ApplicationAcknowledgement, string? CharacterSet)
    {
        public static Versions Read(TextInterner texts, Fields fields, ReadOnlySpan<byte> characterSet) => new(
            Hl7Text.Code(texts, fields[11].Component(1)), Hl7Text.Code(texts, fields[12].Component(1)), Hl7Text.Code(texts, fields[15].Bytes),
            Hl7Text.Code(texts, fields[16].Bytes), texts.Of(characterSet));
    }
}
