using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using IoTGuard.Wire.Application.X509;
using X509Certificate = IoTGuard.Wire.Application.X509.X509Certificate;

namespace IoTGuard.Wire.Tests.Application.X509;

/// <summary>The own reader against the runtime's, and against bytes that are no certificate.</summary>
public sealed class X509CertificateTests
{
    private static readonly DateTimeOffset From = new(2049, 12, 31, 23, 59, 58, TimeSpan.Zero);
    private static readonly DateTimeOffset To = new(2050, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Theory]
    [InlineData("rsa", 1024, PublicKeyKind.Rsa)]
    [InlineData("rsa", 3072, PublicKeyKind.Rsa)]
    [InlineData("ec", 256, PublicKeyKind.Ec)]
    [InlineData("ec", 384, PublicKeyKind.Ec)]
    [InlineData("ec", 521, PublicKeyKind.Ec)]
    public void Fields_are_those_that_the_runtime_reads(string kind, int bits, PublicKeyKind expected)
    {
        using var theirs = Make(kind, bits);
        Assert.True(X509Certificate.TryRead(theirs.RawData, out var ours));
        Assert.Equal((expected, bits), (ours.KeyKind, ours.KeyBits));
        Assert.Equal("pacs.hospital.test", Encoding.UTF8.GetString(X509Certificate.CommonNameOf(ours.Subject)));
        Assert.Equal("Krankenhaus Nord-Süd", Encoding.UTF8.GetString(X509Certificate.OrganizationOf(ours.Subject)));
        Assert.Equal(new DateTimeOffset(theirs.NotBefore).ToUnixTimeSeconds(), ours.NotBeforeSeconds);
        Assert.Equal(new DateTimeOffset(theirs.NotAfter).ToUnixTimeSeconds(), ours.NotAfterSeconds);
        Assert.Equal(From.ToUnixTimeSeconds(), ours.NotBeforeSeconds);
        Assert.Equal(To.ToUnixTimeSeconds(), ours.NotAfterSeconds);
        Assert.True(ours.IsSelfIssued);
        Assert.False(ours.HasWeakSignature);
        Assert.Equal("pacs.hospital.test", Encoding.ASCII.GetString(ours.DnsName(0)));
        Assert.Equal("*.pacs.test", Encoding.ASCII.GetString(ours.DnsName(1)));
        Assert.True(ours.DnsName(2).IsEmpty);
    }

    [Fact]
    public void A_signature_over_SHA1_is_weak()
    {
        // sha256WithRSAEncryption and sha1WithRSAEncryption differ in their last octet.
        byte[] sha256 = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0B];
        using var certificate = Make("rsa", 2048);
        var bytes = certificate.RawData;
        for (var at = bytes.AsSpan().IndexOf(sha256); at >= 0; at = bytes.AsSpan().IndexOf(sha256))
            bytes[at + sha256.Length - 1] = 0x05;
        Assert.True(X509Certificate.TryRead(bytes, out var ours));
        Assert.True(ours.HasWeakSignature);
    }

    [Fact]
    public void No_bytes_make_it_throw()
    {
        using var certificate = Make("rsa", 1024);
        var random = new Random(7);
        for (var length = 0; length < certificate.RawData.Length; length++)
            Touch(certificate.RawData.AsSpan(0, length));
        for (var round = 0; round < 100_000; round++)
        {
            var bytes = certificate.RawData.ToArray();
            for (var changes = 1 + random.Next(4); changes > 0; changes--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            Touch(bytes);
        }
    }

    [Theory]
    [InlineData(0x17, "500101000000Z", -631152000)]
    [InlineData(0x17, "491231235959Z", 2524607999)]
    [InlineData(0x18, "20500101000000Z", 2524608000)]
    [InlineData(0x17, "230229000000Z", 0)]
    [InlineData(0x17, "2302280000Z", 0)]
    [InlineData(0x18, "00000101000000Z", 0)]
    [InlineData(0x17, "2302280000000", 0)]
    public void Times(byte tag, string text, long expected) => Assert.Equal(expected, DerTime.Read(tag, Encoding.ASCII.GetBytes(text)));

    private static void Touch(ReadOnlySpan<byte> bytes)
    {
        if (!X509Certificate.TryRead(bytes, out var certificate))
            return;
        _ = X509Certificate.CommonNameOf(certificate.Subject).Length + X509Certificate.OrganizationOf(certificate.Issuer).Length;
        for (var i = 0; i < 8; i++)
            _ = certificate.DnsName(i).Length;
    }

    private static X509Certificate2 Make(string kind, int bits)
    {
        var name = new X500DistinguishedName("CN=pacs.hospital.test, O=Krankenhaus Nord-Süd");
        using AsymmetricAlgorithm key = kind == "rsa" ? RSA.Create(bits) : ECDsa.Create(bits == 256 ? ECCurve.NamedCurves.nistP256 : bits == 384 ? ECCurve.NamedCurves.nistP384 : ECCurve.NamedCurves.nistP521);
        var request = key is RSA rsa
            ? new CertificateRequest(name, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest(name, (ECDsa)key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("pacs.hospital.test");
        names.AddDnsName("*.pacs.test");
        names.AddEmailAddress("a@x.test");
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(From, To);
    }
}
