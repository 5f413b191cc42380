using System.Buffers.Binary;
using System.Text;
using IoTGuard.Wire.Application.Dicom;
using IoTGuard.Wire.Application.Files;

namespace IoTGuard.Wire.Tests.Application.Dicom;

public sealed class Part10FileTests
{
    private static byte[] File(ReadOnlySpan<byte> preamble, int privateBytes = 0)
    {
        var bytes = new List<byte>(new byte[Part10File.PreambleBytes]);
        for (var i = 0; i < preamble.Length; i++)
            bytes[i] = preamble[i];
        bytes.AddRange("DICM"u8);
        Element(bytes, 0x0000, "UL", [1, 0, 0, 0]);
        Element(bytes, 0x0001, "OB", [0, 1]);
        Element(bytes, 0x0002, "UI", "1.2.840.10008.5.1.4.1.1.2\0"u8.ToArray());
        Element(bytes, 0x0003, "UI", "1.2.3.4\0"u8.ToArray());
        Element(bytes, 0x0010, "UI", "1.2.840.10008.1.2.1\0"u8.ToArray());
        Element(bytes, 0x0012, "UI", "1.2.276.0.7230010.3.0.3.6.7"u8.ToArray());
        Element(bytes, 0x0013, "SH", "OFFIS_DCMTK_367 "u8.ToArray());
        Element(bytes, 0x0016, "AE", "CT1 "u8.ToArray());
        if (privateBytes > 0)
            Element(bytes, 0x0102, "OB", new byte[privateBytes]);
        bytes.AddRange([0x08, 0, 0x05, 0, (byte)'C', (byte)'S', 0, 0]);
        return [.. bytes];
    }

    private static void Element(List<byte> bytes, ushort element, string vr, byte[] value)
    {
        bytes.AddRange([2, 0, (byte)element, (byte)(element >> 8), (byte)vr[0], (byte)vr[1]]);
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, value.Length);
        bytes.AddRange(vr == "OB" ? [0, 0, .. length] : length[..2].ToArray());
        bytes.AddRange(value);
    }

    [Fact]
    public void MetaInformationIsRead()
    {
        Assert.Equal(Part10Answer.Done, Part10File.TryRead(File([]), out var file));
        Assert.Equal(PreambleKind.Zero, file.Preamble);
        Assert.Equal("1.2.840.10008.5.1.4.1.1.2", Encoding.ASCII.GetString(file.SopClass));
        Assert.Equal("1.2.3.4", Encoding.ASCII.GetString(file.SopInstance));
        Assert.Equal("1.2.840.10008.1.2.1", Encoding.ASCII.GetString(file.TransferSyntax));
        Assert.Equal("OFFIS_DCMTK_367", Encoding.ASCII.GetString(file.ImplementationVersion));
        Assert.Equal("CT1", Encoding.ASCII.GetString(file.SourceAe));
        Assert.Equal(FileKind.Dicom, FileKinds.Of(File([])));
    }

    [Fact]
    public void PreamblesThatArePrograms()
    {
        Assert.Equal(PreambleKind.PortableExecutable, Kind("MZ\x90\0"u8));
        Assert.Equal(PreambleKind.Elf, Kind([0x7F, 0x45, 0x4C, 0x46, 2, 1]));
        Assert.Equal(PreambleKind.Script, Kind("#!/bin/sh\n"u8));
        Assert.Equal(PreambleKind.Tiff, Kind("II*\0"u8));
        Assert.Equal(PreambleKind.Other, Kind("whatever"u8));
        Assert.True(Part10File.IsExecutable(Kind("MZ"u8)));
        Assert.False(Part10File.IsExecutable(Kind("MM\0*"u8)));

        static PreambleKind Kind(ReadOnlySpan<byte> preamble)
        {
            Assert.Equal(Part10Answer.Done, Part10File.TryRead(File(preamble), out var file));
            return file.Preamble;
        }
    }

    [Fact]
    public void EveryTruncationIsAnsweredAndNothingChangesWithMoreBytes()
    {
        var whole = File("MZ"u8);
        for (var length = 0; length <= whole.Length; length++)
        {
            var answer = Part10File.TryRead(whole.AsSpan(0, length), out var file);
            Assert.Equal(length >= whole.Length - 6 ? Part10Answer.Done : Part10Answer.NeedMore, answer);
            if (!file.SopClass.IsEmpty)
                Assert.Equal("1.2.840.10008.5.1.4.1.1.2", Encoding.ASCII.GetString(file.SopClass));
        }

        Assert.Equal(Part10Answer.Invalid, Part10File.TryRead("GET / HTTP/1.1"u8, out _));
        Assert.Equal(Part10Answer.Invalid, Part10File.TryRead(new byte[200], out _));
    }

    [Fact]
    public void PrivateInformationBeyondTheLimitEndsTheReading()
    {
        Assert.Equal(Part10Answer.Done, Part10File.TryRead(File([], 100_000), out var file));
        Assert.Equal("CT1", Encoding.ASCII.GetString(file.SourceAe));
    }

    [Fact]
    public void MutationsAreTotal()
    {
        var random = new Random(10);
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = File("MZ"u8);
            for (var i = random.Next(1, 8); i > 0; i--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            var cut = bytes.AsSpan(0, random.Next(bytes.Length + 1));
            var answer = Part10File.TryRead(cut, out var file);
            Assert.InRange(file.Length, 0, cut.Length);
            Assert.True(answer != Part10Answer.Done || Part10File.IsPart10(cut));
            FileKinds.Of(cut);
        }
    }

    [Theory]
    [InlineData("MSH|^~\\&|A", FileKind.Hl7)]
    [InlineData("\vMSH|^~\\&|A", FileKind.Hl7)]
    [InlineData("MSHA", FileKind.Unknown)]
    [InlineData("MZ", FileKind.Unknown)]
    [InlineData("  {\"a\":1}", FileKind.Json)]
    [InlineData("\r\n<?xml version=\"1.0\"?>", FileKind.Xml)]
    [InlineData("<!DOCTYPE HTML><html>", FileKind.Html)]
    [InlineData("<?php system($_GET[0]);", FileKind.Script)]
    [InlineData("#!/bin/sh", FileKind.Script)]
    [InlineData("%PDF-1.7", FileKind.Pdf)]
    [InlineData("PK\u0003\u0004", FileKind.Zip)]
    [InlineData("", FileKind.Unknown)]
    [InlineData("hello", FileKind.Unknown)]
    public void KindsByTheirFirstBytes(string text, FileKind kind) => Assert.Equal(kind, FileKinds.Of(Encoding.Latin1.GetBytes(text)));

    [Fact]
    public void WindowsProgramsNeedAPlausibleHeader()
    {
        var program = new byte[200];
        "MZ"u8.CopyTo(program);
        Assert.Equal(FileKind.Unknown, FileKinds.Of(program));
        program[0x3C] = 0x80;
        Assert.Equal(FileKind.PortableExecutable, FileKinds.Of(program));
        program[0x3F] = 0xFF;
        Assert.Equal(FileKind.Unknown, FileKinds.Of(program));
    }
}
