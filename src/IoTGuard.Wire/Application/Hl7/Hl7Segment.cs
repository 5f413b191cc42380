using System.Numerics;
using System.Runtime.Intrinsics;

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

    /// <summary>A field by its number in the standard. Counts separators from the left: to read many, enumerate or <see cref="FindSeparators"/>.</summary>
    public Hl7Field this[int number]
    {
        get
        {
            var separator = IndexOfSeparator(number - FirstNumber + 1);
            return separator < 0 ? default : FieldAt(number, separator + 1);
        }
    }

    /// <summary>
    /// Finds the first separators, as many as fit. The field with the standard's number n begins behind separator n − <see cref="FirstNumber"/>,
    /// counted from 0.
    /// </summary>
    /// <returns>Separators found.</returns>
    public int FindSeparators(Span<int> places)
    {
        var found = 0;
        var at = 0;
        for (; Bytes.Length - at >= Vector256<byte>.Count; at += Vector256<byte>.Count)
        {
            for (var bits = Separators(at); bits != 0; bits &= bits - 1)
            {
                if (found == places.Length)
                    return found;
                places[found++] = at + BitOperations.TrailingZeroCount(bits);
            }
        }

        for (; at < Bytes.Length && found < places.Length; at++)
        {
            if (Bytes[at] == Delimiters.Field)
                places[found++] = at;
        }

        return found;
    }

    /// <summary>Number of the first field behind the segment id: 2 in header segments, where number 1 is the separator itself.</summary>
    public int FirstNumber => Id is Hl7SegmentId.Msh or Hl7SegmentId.Fhs or Hl7SegmentId.Bhs ? 2 : 1;

    private Hl7Field FieldAt(int number, int start)
    {
        var rest = Bytes[start..];
        var end = rest.IndexOf(Delimiters.Field);
        return new Hl7Field(number, end < 0 ? rest : rest[..end], Delimiters);
    }

    /// <summary>Index of the nth separator, counted from 1; -1 when there are fewer.</summary>
    private int IndexOfSeparator(int nth)
    {
        if (nth < 1)
            return -1;
        var at = 0;
        for (; Bytes.Length - at >= Vector256<byte>.Count; at += Vector256<byte>.Count)
        {
            var bits = Separators(at);
            var count = BitOperations.PopCount(bits);
            if (count < nth)
            {
                nth -= count;
                continue;
            }

            while (--nth > 0)
                bits &= bits - 1;
            return at + BitOperations.TrailingZeroCount(bits);
        }

        for (; at < Bytes.Length; at++)
        {
            if (Bytes[at] == Delimiters.Field && --nth == 0)
                return at;
        }

        return -1;
    }

    /// <summary>A bit for each of the next 32 bytes: 1 = a separator.</summary>
    private uint Separators(int at) => Vector256.Equals(Vector256.Create(Bytes.Slice(at, Vector256<byte>.Count)), Vector256.Create(Delimiters.Field)).ExtractMostSignificantBits();

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
            _number = segment.FirstNumber - 1;
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
