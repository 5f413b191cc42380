using IoTGuard.Wire.Application.Tls;

namespace IoTGuard.Analysis.Sessions;

/// <summary>Puts the first handshake message of one side together out of CRYPTO frames that come in any order. Bytes beyond the limit are ignored.</summary>
internal sealed class QuicCrypto
{
    /// <summary>Longest message that is put together, bytes.</summary>
    public const int MaximumBytes = 8 * 1024;

    private readonly byte[] _bytes = new byte[MaximumBytes];
    private readonly ulong[] _have = new ulong[MaximumBytes / 64];
    private int _length;

    /// <summary>What is there from the beginning without a hole.</summary>
    public ReadOnlySpan<byte> Beginning => _bytes.AsSpan(0, _length);

    /// <summary>The message, header included; empty while it is not whole.</summary>
    public ReadOnlySpan<byte> Message
    {
        get
        {
            if (_length < TlsHandshakeHeader.Size)
                return default;
            var wanted = TlsHandshakeHeader.Size + TlsHandshakeHeader.Read(_bytes).Length;
            return wanted <= _length ? _bytes.AsSpan(0, wanted) : default;
        }
    }

    public void Add(ulong offset, ReadOnlySpan<byte> data)
    {
        if (offset >= MaximumBytes)
            return;
        var at = (int)offset;
        data = data[..Math.Min(data.Length, MaximumBytes - at)];
        for (var i = 0; i < data.Length; i++)
        {
            // The first copy counts.
            var bit = 1ul << ((at + i) & 63);
            ref var word = ref _have[(at + i) >> 6];
            if ((word & bit) == 0)
                _bytes[at + i] = data[i];
            word |= bit;
        }

        while (_length < MaximumBytes && (_have[_length >> 6] & (1ul << (_length & 63))) != 0)
            _length++;
    }

    public void Clear()
    {
        Array.Clear(_have);
        _length = 0;
    }
}
