using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace IoTGuard.Analysis.Tests.Tls;

/// <summary>TLS records and messages made by hand from the standards.</summary>
internal static class TlsBytes
{
    public static readonly byte[] Ticket = [1, 2, 3, 4];

    /// <summary>The ClientHello of the JA4 documents' example, with GREASE in all its places.</summary>
    public static byte[] Browser { get; } = ClientHello(
        0x0303,
        [0x1A1A, 0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0xC013, 0xC014, 0x009C, 0x009D, 0x002F, 0x0035],
        Extension(0x2A2A),
        ServerName("pacs.hospital.test"),
        Extension(0x0017),
        Extension(0xFF01, 0),
        Extension(0x000A, 0, 8, 0x3A, 0x3A, 0, 0x1D, 0, 0x17, 0, 0x18),
        Extension(0x000B, 1, 0),
        Extension(0x0023),
        Alpn("h2", "http/1.1"),
        Extension(0x0005, 1, 0, 0, 0, 0),
        Extension(0x000D, 0, 16, 4, 3, 8, 4, 4, 1, 5, 3, 8, 5, 5, 1, 8, 6, 6, 1),
        Extension(0x0012),
        Extension(0x0033, 0, 5, 0x3A, 0x3A, 0, 1, 0),
        Extension(0x002D, 1, 1),
        Extension(0x002B, 7, 0x4A, 0x4A, 3, 4, 3, 3, 3),
        Extension(0x001B, 2, 0, 2),
        Extension(0x4469, 0, 3, 2, 0x68, 0x32),
        Extension(0x5A5A, 0),
        Extension(0x0015, 0, 0, 0));

    public static byte[] ClientHello(ushort version, ushort[] suites, params byte[][] extensions) =>
        Message(1, [.. Number(version), .. Repeat(0x11, 32), 0, .. Number((ushort)(2 * suites.Length)), .. suites.SelectMany(Number), 1, 0, .. List16(extensions)]);

    public static byte[] ClientHelloOf(byte[] sessionId, ushort version, ushort[] suites, params byte[][] extensions) =>
        Message(1, [.. Number(version), .. Repeat(0x11, 32), (byte)sessionId.Length, .. sessionId, .. Number((ushort)(2 * suites.Length)), .. suites.SelectMany(Number), 1, 0, .. List16(extensions)]);

    public static byte[] ServerHello(ushort version, ushort suite, byte[]? sessionId = null, byte[]? random = null, params byte[][] extensions) =>
        Message(2, [.. Number(version), .. random ?? Repeat(0x22, 32), (byte)(sessionId?.Length ?? 0), .. sessionId ?? [], .. Number(suite), 0, .. extensions.Length == 0 ? [] : List16(extensions)]);

    public static byte[] Certificates(params byte[][] certificates)
    {
        var list = certificates.SelectMany(c => (byte[])[.. Number24(c.Length), .. c]).ToArray();
        return Message(11, [.. Number24(list.Length), .. list]);
    }

    public static byte[] Message(byte type, byte[] body) => [type, .. Number24(body.Length), .. body];

    public static byte[] Record(byte type, params byte[] fragment) => [type, 3, 3, .. Number((ushort)fragment.Length), .. fragment];

    public static byte[] Handshake(params byte[][] messages) => Record(22, [.. messages.SelectMany(m => m)]);

    public static byte[] ChangeCipherSpec { get; } = Record(20, 1);

    /// <summary>A Finished as it looks from outside.</summary>
    public static byte[] Finished { get; } = Record(22, Repeat(0xAB, 40));

    public static byte[] Data(int length) => Record(23, Repeat(0xCD, length));

    public static byte[] Alert(byte level, byte description) => Record(21, level, description);

    public static byte[] Extension(ushort type, params byte[] body) => [.. Number(type), .. Number((ushort)body.Length), .. body];

    public static byte[] ServerName(string name) =>
        Extension(0, [.. Number((ushort)(name.Length + 3)), 0, .. Number((ushort)name.Length), .. System.Text.Encoding.ASCII.GetBytes(name)]);

    public static byte[] Alpn(params string[] names)
    {
        var list = names.SelectMany(n => (byte[])[(byte)n.Length, .. System.Text.Encoding.ASCII.GetBytes(n)]).ToArray();
        return Extension(16, [.. Number((ushort)list.Length), .. list]);
    }

    /// <summary>A certificate made now, for keys of the given kind.</summary>
    public static byte[] SelfSigned(string subject, int rsaBits, DateTimeOffset from, DateTimeOffset to, params string[] names)
    {
        using var key = RSA.Create(rsaBits);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        if (names.Length > 0)
        {
            var alternatives = new SubjectAlternativeNameBuilder();
            foreach (var name in names)
                alternatives.AddDnsName(name);
            request.CertificateExtensions.Add(alternatives.Build());
        }

        return request.CreateSelfSigned(from, to).RawData;
    }

    public static byte[] Repeat(byte value, int count) => [.. Enumerable.Repeat(value, count)];

    private static byte[] List16(byte[][] parts)
    {
        var all = parts.SelectMany(p => p).ToArray();
        return [.. Number((ushort)all.Length), .. all];
    }

    public static byte[] Number(ushort value)
    {
        var bytes = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, value);
        return bytes;
    }

    public static byte[] Number24(int value) => [(byte)(value >> 16), (byte)(value >> 8), (byte)value];
}
