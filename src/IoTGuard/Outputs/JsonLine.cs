using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace IoTGuard.Outputs;

/// <summary>
/// Writes JSON objects one behind the other, compact, in the form of <see cref="JsonForm"/>. Nearly all text of protocols is plain ASCII that needs no
/// escape: that is copied in one go, which takes a third of the time of <see cref="System.Text.Json.Utf8JsonWriter"/>. Names are plain ASCII always.
/// </summary>
internal sealed class JsonLine
{
    private const int LongestNumber = 32;

    /// <summary>Most bytes that a character becomes: <c>\uXXXX</c>.</summary>
    private const int LongestEscape = 6;

    private const string PlainCharacters =
        " !#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~";

    private static readonly SearchValues<char> Plain = SearchValues.Create(PlainCharacters);
    private static readonly SearchValues<byte> PlainBytes = SearchValues.Create(Encoding.ASCII.GetBytes(PlainCharacters));

    private byte[] _bytes = new byte[4096];
    private char[] _escaped = [];
    private int _length;
    private bool _separate;

    /// <summary>What was written since <see cref="Clear"/>.</summary>
    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _length);

    public void Clear()
    {
        _length = 0;
        _separate = false;
    }

    public void BeginObject() => Open((byte)'{');

    public void BeginObject(string name)
    {
        Name(name);
        Open((byte)'{');
    }

    public void EndObject() => Close((byte)'}');

    public void BeginArray(string name)
    {
        Name(name);
        Open((byte)'[');
    }

    public void EndArray() => Close((byte)']');

    public void Text(string name, ReadOnlySpan<char> value)
    {
        Name(name);
        Value(value);
    }

    /// <summary>An element of an array.</summary>
    public void Text(ReadOnlySpan<char> value)
    {
        if (_separate)
            Raw(","u8);
        Value(value);
        _separate = true;
    }

    /// <summary>Bytes that are plain ASCII when they need no escape, and else Latin-1.</summary>
    public void Latin1(string name, ReadOnlySpan<byte> value)
    {
        Name(name);
        if (value.IndexOfAnyExcept(PlainBytes) < 0)
        {
            var room = Room(value.Length + 2);
            room[0] = (byte)'"';
            value.CopyTo(room[1..]);
            room[value.Length + 1] = (byte)'"';
            _length += value.Length + 2;
            return;
        }

        Span<char> text = stackalloc char[256];
        Value(text[..Encoding.Latin1.GetChars(value[..Math.Min(value.Length, text.Length)], text)]);
    }

    /// <summary>A string value of plain ASCII that is written by the caller.</summary>
    /// <param name="name">Name of the property.</param>
    /// <param name="length">Characters of the value.</param>
    /// <returns>Room for the value, which must be filled before anything else is written.</returns>
    public Span<byte> PlainText(string name, int length)
    {
        Name(name);
        var room = Room(length + 2);
        room[0] = room[length + 1] = (byte)'"';
        _length += length + 2;
        return room.Slice(1, length);
    }

    public void Number(string name, long value)
    {
        Name(name);
        Utf8Formatter.TryFormat(value, Room(LongestNumber), out var written);
        _length += written;
    }

    /// <summary>A number so that it reads back exactly; null when it is not finite.</summary>
    public void Number(string name, double value)
    {
        if (!double.IsFinite(value))
        {
            Null(name);
            return;
        }

        Name(name);
        Utf8Formatter.TryFormat(value, Room(LongestNumber), out var written);
        _length += written;
    }

    public void Flag(string name, bool value)
    {
        Name(name);
        Raw(value ? "true"u8 : "false"u8);
    }

    public void Null(string name)
    {
        Name(name);
        Raw("null"u8);
    }

    /// <summary>Members as they were written before, without a separator in front.</summary>
    public void Members(ReadOnlySpan<byte> members)
    {
        if (_separate)
            Raw(","u8);
        Raw(members);
        _separate = true;
    }

    private void Name(string name)
    {
        var room = Room(name.Length + 4);
        var at = 0;
        if (_separate)
            room[at++] = (byte)',';
        room[at++] = (byte)'"';
        Ascii.FromUtf16(name, room[at..], out var written);
        at += written;
        room[at++] = (byte)'"';
        room[at++] = (byte)':';
        _length += at;
        _separate = true;
    }

    private void Value(ReadOnlySpan<char> value)
    {
        if (value.IndexOfAnyExcept(Plain) >= 0)
            value = Escape(value);
        var room = Room((value.Length * 3) + 2);
        room[0] = (byte)'"';
        var written = Encoding.UTF8.GetBytes(value, room[1..]);
        room[written + 1] = (byte)'"';
        _length += written + 2;
    }

    private ReadOnlySpan<char> Escape(ReadOnlySpan<char> value)
    {
        if (_escaped.Length < value.Length * LongestEscape)
            _escaped = new char[value.Length * LongestEscape];
        JsonForm.Options.Encoder!.Encode(value, _escaped, out _, out var written);
        return _escaped.AsSpan(0, written);
    }

    private void Open(byte bracket)
    {
        Room(1)[0] = bracket;
        _length++;
        _separate = false;
    }

    private void Close(byte bracket)
    {
        Room(1)[0] = bracket;
        _length++;
        _separate = true;
    }

    private void Raw(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Room(bytes.Length));
        _length += bytes.Length;
    }

    private Span<byte> Room(int length)
    {
        if (_bytes.Length - _length < length)
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + length));
        return _bytes.AsSpan(_length);
    }
}
