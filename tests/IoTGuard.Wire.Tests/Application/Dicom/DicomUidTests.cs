using System.Diagnostics;
using IoTGuard.Wire.Application.Dicom;

namespace IoTGuard.Wire.Tests.Application.Dicom;

public sealed class DicomUidTests
{
    // UIDs that the standard got after the release of pydicom in Debian 12.
    private static readonly string[] Newer =
    [
        "1.2.4.110", "1.2.4.111", "1.2.4.112", "1.2.4.201", "1.2.4.202", "1.2.4.203", "1.2.4.204", "1.2.4.205", "5.1.4.1.1.66.7",
    ];

    [Theory]
    [InlineData("1.2.840.10008.1.1", "Verification SOP Class")]
    [InlineData("1.2.840.10008.1.2.1", "Explicit VR Little Endian")]
    [InlineData("1.2.840.10008.5.1.4.1.1.2", "CT Image Storage")]
    [InlineData("1.2.840.10008.5.1.4.31", "Modality Worklist Information Model - FIND")]
    [InlineData("1.2.840.10008.1.2.4.201", "High-Throughput JPEG 2000 Image Compression (Lossless Only)")]
    [InlineData("1.2.840.10008.99", null)]
    [InlineData(null, null)]
    public void NamesAreThoseOfTheRegistry(string? uid, string? name) => Assert.Equal(name, DicomUid.NameOf(uid));

    [Fact]
    public void TheRegistryHasNoOtherNamesThanPydicom()
    {
        const string script = "from pydicom._uid_dict import UID_dictionary as d\nfor u, v in d.items(): print(u + '\\t' + v[1] + '\\t' + v[0])";
        var known = Run(script);
        Assert.SkipWhen(known is null, "the Debian package python3-pydicom is not installed");
        var rows = known.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split('\t')).Where(r => r[1] != "LDAP OID").ToArray();
        Assert.True(rows.Length > 400);
        foreach (var row in rows)
            Assert.Equal(row[2], DicomUid.NameOf(row[0]));
        Assert.Equal(DicomUid.Count, rows.Length + Newer.Count(n => !rows.Any(r => r[0] == DicomUid.Root + n)));
    }

    [Theory]
    [InlineData("1.2.840.10008.1.2", DataSetEncoding.ImplicitLittleEndian, true)]
    [InlineData("1.2.840.10008.1.2.1", DataSetEncoding.ExplicitLittleEndian, true)]
    [InlineData("1.2.840.10008.1.2.2", DataSetEncoding.ExplicitBigEndian, true)]
    [InlineData("1.2.840.10008.1.2.1.99", DataSetEncoding.Deflated, false)]
    [InlineData("1.2.840.10008.1.2.4.90", DataSetEncoding.ExplicitLittleEndian, false)]
    [InlineData("1.2.840.10008.1.2.5", DataSetEncoding.ExplicitLittleEndian, false)]
    [InlineData("1.9.9", DataSetEncoding.Unknown, false)]
    [InlineData(null, DataSetEncoding.Unknown, false)]
    public void TransferSyntaxesSayHowToRead(string? uid, DataSetEncoding encoding, bool isNative) =>
        Assert.Equal(new TransferSyntax(encoding, isNative), TransferSyntax.Of(uid));

    private static string? Run(string script)
    {
        const string python = "/usr/bin/python3";
        if (!File.Exists(python))
            return null;
        var start = new ProcessStartInfo(python) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(script);
        using var process = Process.Start(start)!;
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginErrorReadLine();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : null;
    }
}
