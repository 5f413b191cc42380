using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// A pseudonym that is made when somebody asks for it, since most messages' are never asked for. Until then the identifier itself is held here and
/// nowhere else; it is wiped when the pseudonym is made and when the holder is cleared.
/// </summary>
internal struct DeferredPseudonym
{
    /// <summary>Longest identifier that is held, in bytes; the pseudonym of a longer one is made at once.</summary>
    public const int MaximumBytes = 46;

    private Pseudonymizer? _maker;
    private Pseudonym _value;
    private PseudonymKind _kind;
    private byte _length;
    private Identifier _identifier;

    /// <summary>True when there is no identifier.</summary>
    public readonly bool IsNone => _maker is null && _value.IsNone;

    /// <summary>The bytes that hold the identifier; valid while the struct is.</summary>
    [UnscopedRef]
    internal readonly ReadOnlySpan<byte> IdentifierBytes => _identifier;

    /// <summary>The pseudonym.</summary>
    public Pseudonym Value
    {
        get
        {
            if (_maker is { } maker)
            {
                var value = maker.Of(_kind, ((ReadOnlySpan<byte>)_identifier)[.._length]);
                Clear();
                _value = value;
            }

            return _value;
        }

        set
        {
            Clear();
            _value = value;
        }
    }

    /// <summary>Takes an identifier.</summary>
    /// <param name="context">Of the sensor; whoever takes its events makes the pseudonym.</param>
    /// <param name="kind">What the identifier names.</param>
    /// <param name="identifier">The identifier; padding (spaces, NUL) does not count.</param>
    public void Set(SessionContext context, PseudonymKind kind, ReadOnlySpan<byte> identifier)
    {
        identifier = identifier.Trim(" \0"u8);
        Clear();
        if (identifier.Length is 0 or > MaximumBytes)
        {
            _value = context.Pseudonyms.Of(kind, identifier);
            return;
        }

        identifier.CopyTo(_identifier);
        (_maker, _kind, _length) = (context.PseudonymsOnDemand, kind, (byte)identifier.Length);
    }

    public void Clear()
    {
        ((Span<byte>)_identifier)[.._length].Clear();
        (_maker, _value, _length) = (null, default, 0);
    }

    [InlineArray(MaximumBytes)]
    private struct Identifier
    {
        private byte _first;
    }
}
