namespace IoTGuard.Analysis.Sessions;

/// <summary>
/// Remembers the last <see cref="Capacity"/> different acknowledgements (control id and code, as a 64-bit hash), so that repeated ones
/// are told apart: servers that acknowledge all earlier messages again are common. The oldest is forgotten first.
/// </summary>
internal sealed class Hl7RecentAcknowledgements
{
    /// <summary>Acknowledgements remembered per connection.</summary>
    public const int Capacity = 64;

    private ulong[] _keys = [];
    private int[] _counts = [];
    private int _next;

    /// <summary>Counts an acknowledgement; returns how often it was counted before.</summary>
    public int Count(ReadOnlySpan<byte> controlId, string? code)
    {
        if (_keys.Length == 0)
            (_keys, _counts) = (new ulong[Capacity], new int[Capacity]);
        var key = Hash(controlId, code);
        var index = Array.IndexOf(_keys, key);
        if (index >= 0)
            return _counts[index]++;
        _keys[_next] = key;
        _counts[_next] = 1;
        _next = (_next + 1) % Capacity;
        return 0;
    }

    public void Clear()
    {
        Array.Clear(_keys);
        _next = 0;
    }

    /// <summary>FNV-1a; 0 is kept for empty places.</summary>
    private static ulong Hash(ReadOnlySpan<byte> controlId, string? code)
    {
        const ulong Prime = 0x100000001B3;
        var hash = 0xCBF29CE484222325;
        foreach (var b in controlId)
            hash = (hash ^ b) * Prime;
        foreach (var c in code ?? "")
            hash = (hash ^ c ^ 0x100) * Prime;
        return hash | 1;
    }
}
