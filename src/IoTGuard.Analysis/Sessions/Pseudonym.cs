using System.Buffers.Binary;
using System.Security.Cryptography;

namespace IoTGuard.Analysis.Sessions;

/// <summary>The first 128 bits of HMAC-SHA256 over an identifier, under the site's key. The identifier cannot be had back without the key.</summary>
public readonly record struct Pseudonym(ulong High, ulong Low)
{
    /// <summary>True when there was no identifier.</summary>
    public bool IsNone => High == 0 && Low == 0;

    /// <summary>32 lower-case hexadecimal digits.</summary>
    public override string ToString() => $"{High:x16}{Low:x16}";
}

/// <summary>What kind of identifier a pseudonym stands for; equal values of different kinds give different pseudonyms.</summary>
public enum PseudonymKind : byte
{
    Patient,
    Study,
    Series,
    Instance,
    Visit,

    /// <summary>A user's account name.</summary>
    User,
}

/// <summary>Turns identifiers into keyed pseudonyms. An instance is for one thread at a time.</summary>
public sealed class Pseudonymizer
{
    /// <summary>Longest identifier that is looked at, in bytes; longer ones are cut, which only an attacker's can be.</summary>
    public const int MaximumIdentifierBytes = 256;

    /// <summary>Pseudonyms remembered. An object's elements and a patient's messages name the same few again and again.</summary>
    private const int RememberedPseudonyms = 1024;

    private readonly byte[] _key;
    private readonly IncrementalHash _hmac;
    private readonly TextMemo<Pseudonym> _remembered = new(RememberedPseudonyms);

    /// <param name="key">The site's key, 32 bytes.</param>
    public Pseudonymizer(ReadOnlySpan<byte> key)
    {
        if (key.Length != 32)
            throw new ArgumentException("The pseudonym key has 32 bytes.", nameof(key));
        _key = key.ToArray();
        _hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
    }

    /// <summary>Another one under the same key, for another thread.</summary>
    internal Pseudonymizer Another() => new(_key);

    /// <summary>The pseudonym of an identifier, padding (spaces, NUL) removed; none for an empty one.</summary>
    public Pseudonym Of(PseudonymKind kind, ReadOnlySpan<byte> identifier)
    {
        identifier = identifier.Trim(" \0"u8);
        if (identifier.IsEmpty)
            return default;
        if (identifier.Length > MaximumIdentifierBytes)
            identifier = identifier[..MaximumIdentifierBytes];
        Span<byte> message = stackalloc byte[1 + MaximumIdentifierBytes];
        message[0] = (byte)kind;
        identifier.CopyTo(message[1..]);
        message = message[..(1 + identifier.Length)];
        if (message.Length > TextMemo<Pseudonym>.MaximumBytes)
            return Compute(message);
        ref var pseudonym = ref _remembered.Of(message, out var isKnown);
        if (!isKnown)
            pseudonym = Compute(message);
        return pseudonym;
    }

    private Pseudonym Compute(ReadOnlySpan<byte> message)
    {
        Span<byte> hash = stackalloc byte[32];
        _hmac.AppendData(message);
        _hmac.GetHashAndReset(hash);
        return new Pseudonym(BinaryPrimitives.ReadUInt64BigEndian(hash), BinaryPrimitives.ReadUInt64BigEndian(hash[8..]));
    }
}
