using System.Text;
using IoTGuard.Analysis.Sessions;

namespace IoTGuard.Analysis.Tests.Sessions;

public sealed class DeferredPseudonymTests
{
    private static readonly byte[] Key = [.. Enumerable.Range(1, 32).Select(static i => (byte)i)];

    [Theory]
    [InlineData("4711")]
    [InlineData(" 4711 ")]
    [InlineData("0123456789012345678901234567890123456789012345")]
    [InlineData("01234567890123456789012345678901234567890123456 and longer than is held")]
    public void The_pseudonym_made_later_is_the_one_made_at_once(string identifier)
    {
        var bytes = Encoding.Latin1.GetBytes(identifier);
        var deferred = default(DeferredPseudonym);
        deferred.Set(new SessionContext(new Pseudonymizer(Key)), PseudonymKind.Patient, bytes);
        Assert.False(deferred.IsNone);
        var copy = deferred;
        Assert.Equal(new Pseudonymizer(Key).Of(PseudonymKind.Patient, bytes), deferred.Value);
        Assert.Equal(deferred.Value, deferred.Value);
        Assert.Equal(deferred.Value, copy.Value);
        Assert.NotEqual(new Pseudonymizer(Key).Of(PseudonymKind.Visit, bytes), deferred.Value);
    }

    [Fact]
    public void No_identifier_has_no_pseudonym()
    {
        var deferred = default(DeferredPseudonym);
        Assert.True(deferred.IsNone);
        deferred.Set(new SessionContext(new Pseudonymizer(Key)), PseudonymKind.Patient, "  "u8);
        Assert.True(deferred.IsNone);
        Assert.True(deferred.Value.IsNone);
    }

    [Fact]
    public void The_identifier_is_wiped_once_its_pseudonym_is_made_or_it_is_cleared()
    {
        var context = new SessionContext(new Pseudonymizer(Key));
        DeferredPseudonym[] held = [default, default];
        foreach (ref var one in held.AsSpan())
            one.Set(context, PseudonymKind.Patient, "SECRET4711"u8);
        Assert.True(Holds(in held[0]));
        _ = held[0].Value;
        held[1].Clear();
        Assert.False(Holds(in held[0]));
        Assert.False(Holds(in held[1]));
        Assert.True(held[1].IsNone);
    }

    private static bool Holds(ref readonly DeferredPseudonym pseudonym) => pseudonym.IdentifierBytes.IndexOf("SECRET4711"u8) >= 0;
}
