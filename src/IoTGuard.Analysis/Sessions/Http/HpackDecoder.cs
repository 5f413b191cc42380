using IoTGuard.Wire.Application.Http;

namespace IoTGuard.Analysis.Sessions;

/// <summary>Undoes the header compression of one direction (RFC 7541). Once it failed, nothing that follows can be read.</summary>
internal sealed class HpackDecoder
{
    /// <summary>Largest dynamic table in bytes of section 4.1; peers that agree on more are not followed.</summary>
    public const int MaximumTableBytes = 65_536;

    /// <summary>Longest name or value in bytes.</summary>
    public const int MaximumTextBytes = 16_384;

    private const int DefaultTableBytes = 4096;
    private const int EntryBytes = 32;

    private readonly byte[] _name = new byte[MaximumTextBytes];
    private readonly byte[] _value = new byte[MaximumTextBytes];
    private byte[] _storage = new byte[2 * DefaultTableBytes];
    private (int Name, int Value)[] _entries = new (int, int)[DefaultTableBytes / EntryBytes];
    private int _maximum = DefaultTableBytes;
    private int _size;
    private int _first;
    private int _count;
    private int _start;
    private int _end;
    private int _nameLength;
    private int _valueLength;

    /// <summary>Name and value of the field that was read last; valid until the next.</summary>
    public ReadOnlySpan<byte> Name => _name.AsSpan(0, _nameLength);

    public ReadOnlySpan<byte> Value => _value.AsSpan(0, _valueLength);

    /// <summary>Reads the next field of a header block; false at its end, or when it cannot be read.</summary>
    public bool TryReadNext(ref ReadOnlySpan<byte> block, out bool failed)
    {
        failed = true;
        while (!block.IsEmpty)
        {
            var first = block[0];
            if ((first & 0xE0) == 0x20)
            {
                if (!Hpack.TryReadInteger(ref block, 5, out var maximum) || !Resize(maximum))
                    return false;
                continue;
            }

            if ((first & 0x80) != 0)
                return Hpack.TryReadInteger(ref block, 7, out var index) && !(failed = !Copy(index, withValue: true));
            var isIndexed = (first & 0xC0) == 0x40;
            if (!Hpack.TryReadInteger(ref block, isIndexed ? 6 : 4, out var name))
                return false;
            if (name == 0 ? !Hpack.TryReadText(ref block, _name, out _nameLength) : !Copy(name, withValue: false))
                return false;
            if (!Hpack.TryReadText(ref block, _value, out _valueLength))
                return false;
            if (isIndexed)
                Insert();
            failed = false;
            return true;
        }

        failed = false;
        return false;
    }

    public void Reset()
    {
        _maximum = DefaultTableBytes;
        Clear();
    }

    private void Clear() => _size = _first = _count = _start = _end = 0;

    private bool Resize(int maximum)
    {
        if (maximum > MaximumTableBytes)
            return false;
        _maximum = maximum;
        while (_size > _maximum)
            Evict();
        if (2 * maximum <= _storage.Length)
            return true;
        var entries = new (int, int)[MaximumTableBytes / EntryBytes];
        for (var i = 0; i < _count; i++)
            entries[i] = _entries[(_first + i) % _entries.Length];
        _entries = entries;
        _first = 0;
        Array.Resize(ref _storage, 2 * MaximumTableBytes);
        return true;
    }

    /// <summary>Index 1 to 61 is the static table, 62 the newest of the dynamic one (2.3.3).</summary>
    private bool Copy(int index, bool withValue)
    {
        ReadOnlySpan<byte> name, value;
        if (index is > 0 and <= Hpack.StaticEntries)
        {
            name = Hpack.StaticName(index);
            value = Hpack.StaticValue(index);
        }
        else
        {
            var back = index - Hpack.StaticEntries;
            if (back <= 0 || back > _count)
                return false;
            var at = _end;
            (int Name, int Value) entry = default;
            for (var i = 1; i <= back; i++)
            {
                entry = _entries[(_first + _count - i) % _entries.Length];
                at -= entry.Name + entry.Value;
            }

            name = _storage.AsSpan(at, entry.Name);
            value = _storage.AsSpan(at + entry.Name, entry.Value);
        }

        name.CopyTo(_name);
        _nameLength = name.Length;
        if (withValue)
        {
            value.CopyTo(_value);
            _valueLength = value.Length;
        }

        return true;
    }

    private void Insert()
    {
        var size = _nameLength + _valueLength + EntryBytes;
        if (size > _maximum)
        {
            Clear();
            return;
        }

        while (_size + size > _maximum)
            Evict();
        var bytes = _nameLength + _valueLength;
        if (_end + bytes > _storage.Length)
        {
            _storage.AsSpan(_start, _end - _start).CopyTo(_storage);
            _end -= _start;
            _start = 0;
        }

        Name.CopyTo(_storage.AsSpan(_end));
        Value.CopyTo(_storage.AsSpan(_end + _nameLength));
        _end += bytes;
        _entries[(_first + _count++) % _entries.Length] = (_nameLength, _valueLength);
        _size += size;
    }

    private void Evict()
    {
        var (name, value) = _entries[_first];
        _first = (_first + 1) % _entries.Length;
        _count--;
        _start += name + value;
        _size -= name + value + EntryBytes;
    }
}
