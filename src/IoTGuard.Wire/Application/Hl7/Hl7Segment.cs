namespace IoTGuard.Wire.Application.Hl7;

/// <summary>
/// A segment without its terminator, as a view. <see cref="GetEnumerator"/> walks the fields once from the left;
/// nothing is copied and nothing can fail: what is absent is empty.
/// </summary>
public readonly ref struct Hl7Segment(ReadOnlySpan<byte> bytes, Hl7Delimiters delimiters)
{
    public ReadOnlySpan<byte> Bytes { get; } = bytes;

    public Hl7Delimiters Delimiters { get; } = delimiters;

    /// <summary>See <see cref="Hl7SegmentId"/>; 0 when it is not well formed.</summary>
    public uint Id => Hl7SegmentId.Read(Bytes);

    /// <summary>A field by its number in the standard. Walks from the left: to read several, enumerate.</summary>
    public Hl7Field this[int number]
    {
        get
        {
            foreach (var field in this)
            {
                if (field.Number == number)
                    return field;
            }

            return default;
        }
    }

    public Enumerator GetEnumerator() => new(this);

    /// <summary>Fields in order, the first after the segment id; in header segments this is number 2, as number 1 is the separator itself.</summary>
    public ref struct Enumerator
    {
        private readonly Hl7Delimiters _delimiters;
        private ReadOnlySpan<byte> _rest;
        private bool _more;
        private int _number;

        internal Enumerator(Hl7Segment segment)
        {
            _delimiters = segment.Delimiters;
            var separator = segment.Bytes.IndexOf(_delimiters.Field);
            _more = separator >= 0;
            _rest = _more ? segment.Bytes[(separator + 1)..] : default;
            _number = segment.Id is Hl7SegmentId.Msh or Hl7SegmentId.Fhs or Hl7SegmentId.Bhs ? 1 : 0;
            Current = default;
        }

        public Hl7Field Current { get; private set; }

        public bool MoveNext()
        {
            if (!_more)
                return false;
            var end = _rest.IndexOf(_delimiters.Field);
            _more = end >= 0;
            Current = new Hl7Field(++_number, _more ? _rest[..end] : _rest, _delimiters);
            if (_more)
                _rest = _rest[(end + 1)..];
            return true;
        }
    }
}

/// <summary>A field as a view: its number and its bytes as sent.</summary>
public readonly ref struct Hl7Field(int number, ReadOnlySpan<byte> bytes, Hl7Delimiters delimiters)
{
    /// <summary>Number in the standard, from 1; 0 for an absent field.</summary>
    public int Number { get; } = number;

    public ReadOnlySpan<byte> Bytes { get; } = bytes;

    public Hl7Delimiters Delimiters { get; } = delimiters;

    /// <summary>True for the HL7 null (<c>""</c>: delete the value) and for an empty field.</summary>
    public bool IsNullOrEmpty => Bytes.IsEmpty || Bytes.SequenceEqual("\"\""u8);

    /// <summary>The first repetition.</summary>
    public ReadOnlySpan<byte> FirstRepetition => Part(Bytes, Delimiters.Repetition, 1);

    /// <summary>A repetition, numbered from 1; empty when there are fewer.</summary>
    public ReadOnlySpan<byte> Repetition(int number) => Part(Bytes, Delimiters.Repetition, number);

    /// <summary>A component of the first repetition, numbered from 1; empty when there are fewer.</summary>
    public ReadOnlySpan<byte> Component(int number) => Part(FirstRepetition, Delimiters.Component, number);

    /// <summary>A subcomponent of a component of the first repetition, both numbered from 1.</summary>
    public ReadOnlySpan<byte> Subcomponent(int component, int number) => Part(Component(component), Delimiters.Subcomponent, number);

    private static ReadOnlySpan<byte> Part(ReadOnlySpan<byte> text, byte delimiter, int number)
    {
        while (true)
        {
            var end = text.IndexOf(delimiter);
            if (--number == 0)
                return end < 0 ? text : text[..end];
            if (end < 0)
                return default;
            text = text[(end + 1)..];
        }
    }
}
